import { execFileSync } from "node:child_process";
import { chmod, mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { problemOf, readJsonFile, readWhole } from "../../../src/train/runs/read-file.ts";
import { temporaryFolder } from "../../data/made.ts";

async function written(content: string | Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), "config.json");
  await writeFile(path, content);
  return path;
}

test("reads JSON, and says nothing of a file that is absent", async () => {
  expect(await readJsonFile(await written('{"a":[1,"ä"]}'))).toEqual({ json: { a: [1, "ä"] } });
  expect(await readJsonFile(join(await temporaryFolder(), "config.json"))).toBeUndefined();
  expect(await readJsonFile(join(await written("{}"), "config.json"))).toBeUndefined();
});

test.each([
  ["nothing", "", "is empty"],
  ["a half", '{"a":', "is no JSON"],
  ["bytes that are no text", new Uint8Array([0x22, 0xff, 0x22]), "is no JSON"],
  ["nesting that no record has", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, "nests more than 64"],
  ["a bomb of small values", `[${"0,".repeat(2 ** 22 + 1)}0]`, "has more than 4194304 values"],
])("%s is a problem", async (_, content, problem) => {
  expect(await readJsonFile(await written(content))).toEqual({ problem: expect.stringContaining(problem) });
});

test("a gigabyte is not read", async () => {
  const path = await written("{");
  await truncate(path, 1e9);
  const before = process.memoryUsage().rss;
  expect(await readJsonFile(path)).toEqual({ problem: "has 1000000000 bytes, more than the 67108864 that are read" });
  expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
});

test.skipIf(process.platform === "win32")("a link, a link to itself, a pipe and a folder are not read", async () => {
  const folder = await temporaryFolder();
  const at = (name: string): string => join(folder, name);
  await writeFile(at("file"), "{}");
  await symlink(at("file"), at("link"));
  await symlink(at("loop"), at("loop"));
  execFileSync("mkfifo", [at("pipe")]);
  await mkdir(at("folder"));
  for (const name of ["link", "loop"])
    expect(await readJsonFile(at(name))).toEqual({ problem: "is a symbolic link, which is not followed" });
  for (const name of ["pipe", "folder"])
    expect(await readJsonFile(at(name))).toEqual({ problem: "is not a regular file" });
});

test.skipIf(process.getuid?.() === 0 || process.platform === "win32")("a file without permission says so", async () => {
  const path = await written("{}");
  await chmod(path, 0);
  expect(await readJsonFile(path)).toEqual({ problem: "cannot be read (permission denied)" });
});

test("limits hold to the byte", async () => {
  const path = await written("0123456789");
  expect(await readWhole(path, 10)).toEqual({ content: Buffer.from("0123456789") });
  expect(await readWhole(path, 9)).toHaveProperty("problem");
});

test("errors of the file system become words; others are thrown on", () => {
  const error = (code: string): Error => Object.assign(new Error(), { code });
  expect(problemOf(error("ENOENT"))).toBeUndefined();
  expect(problemOf(error("EIO"))).toEqual({ problem: "cannot be read (EIO)" });
  expect(problemOf(error("constructor"))).toEqual({ problem: "cannot be read (constructor)" });
  expect(() => problemOf(new TypeError("a fault"))).toThrow("a fault");
});
