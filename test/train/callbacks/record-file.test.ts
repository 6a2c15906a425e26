import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type RecordFileOptions, recordFile } from "../../../src/train/callbacks/record-file.ts";
import { scratchFolder } from "./reports.ts";

const make = (options: RecordFileOptions) => recordFile("log", options, { header: 1 });

/** A file with a header and two lines, and the state after them. */
async function written(file: string) {
  const one = make({ file });
  await one.open();
  for (const line of ["header", "a,1", "ü,2"]) await one.append(line);
  return JSON.parse(JSON.stringify(one.state()));
}

test("lines are in the file as they come, in a folder that is made", async () => {
  const file = join(scratchFolder(), "a", "b", "log.csv");
  await written(file);
  expect(readFileSync(file, "utf8")).toBe("header\na,1\nü,2\n");
});

test.each([
  ["whole lines", "c,3\nd,4\n"],
  ["half a line", "c,"],
  ["a line end", "\n"],
])("a continued run cuts off what was written after the checkpoint: %s", async (_what, rest) => {
  const file = join(scratchFolder(), "log.csv");
  const state = await written(file);
  appendFileSync(file, rest);
  const next = make({ file });
  next.restore(state);
  await next.open();
  await next.append("c,3");
  expect(readFileSync(file, "utf8")).toBe("header\na,1\nü,2\nc,3\n");
  expect(next.lines).toEqual(["header", "a,1", "ü,2", "c,3"]);
});

test("a continued run begins a new file where the old one was moved away", async () => {
  const file = join(scratchFolder(), "log.csv");
  const state = await written(file);
  rmSync(file);
  const next = make({ file });
  next.restore(state);
  await next.open();
  expect(readFileSync(file, "utf8")).toBe("");
});

test.each([
  ["shorter", "header\na,1\n", "requires the 3 lines that the run wrote before its checkpoint, got 2. Move"],
  ["another run's", "header\nb,1\nü,2\nc,3\n", "got 4 others. Move"],
  ["something else", "\u0000\u0001", "got 0. Move"],
])("a continued run leaves a file alone that is %s", async (_what, content, message) => {
  const file = join(scratchFolder(), "log.csv");
  const state = await written(file);
  writeFileSync(file, content);
  const next = make({ file });
  next.restore(state);
  await expect(next.open()).rejects.toThrow(message);
  expect(readFileSync(file, "utf8")).toBe(content);
});

test("a new run leaves a file alone that is there, unless it may replace it", async () => {
  const file = join(scratchFolder(), "log.csv");
  await written(file);
  await expect(make({ file }).open()).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringContaining("set overwrite"),
  });
  expect(readFileSync(file, "utf8")).toContain("a,1");
  const next = make({ file, overwrite: true });
  await next.open();
  await next.append("x");
  await next.open(); // a later phase
  expect(readFileSync(file, "utf8")).toBe("x\n");
});

test("a file that is taken away while the run goes on is not begun in the middle", async () => {
  const file = join(scratchFolder(), "log.csv");
  const one = make({ file });
  await one.open();
  rmSync(file);
  await expect(one.append("x")).rejects.toMatchObject({ code: "CANNOT_WRITE" });
  expect(existsSync(file)).toBe(false);
});

test.each([
  ["a folder", (folder: string) => folder],
  ["below a file", (folder: string) => join(folder, "file", "log.csv")],
  ["a name with a zero byte", (folder: string) => join(folder, "a\0b")],
  ["a name that is too long", (folder: string) => join(folder, "x".repeat(300))],
])("what cannot be written is a clear error: %s", async (_what, path) => {
  const folder = scratchFolder();
  writeFileSync(join(folder, "file"), "");
  mkdirSync(join(folder, "there"));
  const one = make({ file: path(folder), overwrite: true });
  await expect(one.open()).rejects.toMatchObject({ code: "CANNOT_WRITE", message: /^cannot write .*Choose another/s });
});

test.skipIf(!existsSync("/dev/full"))("a full disk is a clear error", async () => {
  const one = make({ file: "/dev/full", overwrite: true });
  await one.open();
  await expect(one.append("x")).rejects.toMatchObject({ code: "CANNOT_WRITE", message: /ENOSPC/ });
  expect(one.lines).toEqual([]);
});

test("a file needs a name, and a state its form", () => {
  expect(() => make({ file: "" })).toThrow('log requires the name of a file, got "".');
  expect(() => make({ file: "a" }).restore({ lines: 1e300 })).toThrow(/log cannot go on/);
});
