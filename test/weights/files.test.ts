import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { expect, test } from "vitest";
import { PARTIAL_PREFIX, removeAbandoned, writeAtomically, writeJson } from "../../src/weights/files.ts";
import { temporaryFolder } from "../data/made.ts";

test("writes chunks of bytes and text in order, in folders that it makes", async () => {
  const path = join(await temporaryFolder(), "a", "b", "file.bin");
  await writeAtomically(path, [Uint8Array.of(65, 66), "ü\n", new Uint8Array(0), Uint8Array.of(67)]);
  expect(await readFile(path, "utf8")).toBe("ABü\nC");
  expect(await readdir(dirname(path))).toEqual(["file.bin"]);
});

test("writes an empty file from no chunks", async () => {
  const path = join(await temporaryFolder(), "empty");
  await writeAtomically(path, []);
  expect((await readFile(path)).length).toBe(0);
});

test("shows the whole file to accept, under another name in the same folder, while the old one is still there", async () => {
  const path = join(await temporaryFolder(), "model.onnx");
  await writeFile(path, "old");
  const seen: string[] = [];
  await writeAtomically(path, ["new", " content"], async (temporary) => {
    expect(dirname(temporary)).toBe(dirname(path));
    expect(basename(temporary).startsWith(PARTIAL_PREFIX)).toBe(true);
    expect(basename(temporary).endsWith("-model.onnx")).toBe(true);
    seen.push(await readFile(temporary, "utf8"), await readFile(path, "utf8"));
  });
  expect(seen).toEqual(["new content", "old"]);
  expect(await readFile(path, "utf8")).toBe("new content");
  expect(await readdir(dirname(path))).toEqual(["model.onnx"]);
});

test("leaves the old file and nothing else when accept refuses", async () => {
  const path = join(await temporaryFolder(), "model.onnx");
  await writeFile(path, "old");
  const refusal = new Error("not good enough");
  await expect(writeAtomically(path, ["new"], () => Promise.reject(refusal))).rejects.toBe(refusal);
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(dirname(path))).toEqual(["model.onnx"]);
});

test("leaves nothing when accept refuses a file that did not exist before", async () => {
  const folder = await temporaryFolder();
  await expect(writeAtomically(join(folder, "x"), ["new"], () => Promise.reject(new Error("no")))).rejects.toThrow(
    "no",
  );
  expect(await readdir(folder)).toEqual([]);
});

test("leaves nothing behind when the target cannot be replaced", async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "target", "inside"), { recursive: true });
  await expect(writeAtomically(join(folder, "target"), ["new"])).rejects.toThrow();
  expect(await readdir(folder)).toEqual(["target"]);
  expect(await readdir(join(folder, "target"))).toEqual(["inside"]);
});

test("leaves nothing behind when a chunk cannot be written", async () => {
  const folder = await temporaryFolder();
  const broken = [Uint8Array.of(1), 7 as unknown as string]; // a caller without types
  await expect(writeAtomically(join(folder, "x"), broken)).rejects.toThrow();
  expect(await readdir(folder)).toEqual([]);
});

test("writers at the same time leave one whole file of one of them", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "shared.json");
  const contents = Array.from({ length: 12 }, (_, i) => `${i}:`.repeat(50_000));
  await Promise.all(
    contents.map((content) => writeAtomically(path, [content.slice(0, 70_000), content.slice(70_000)])),
  );
  expect(contents).toContain(await readFile(path, "utf8"));
  expect(await readdir(folder)).toEqual(["shared.json"]);
});

test("writeJson writes indented JSON that ends with a line break", async () => {
  const path = join(await temporaryFolder(), "record.json");
  await writeJson(path, { b: [1, null], a: "ü", gone: undefined });
  expect(await readFile(path, "utf8")).toBe('{\n  "b": [\n    1,\n    null\n  ],\n  "a": "ü"\n}\n');
});

test("removes what dead processes were writing, and nothing else", async () => {
  const folder = await temporaryFolder();
  const dead = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
  await once(dead, "exit");
  const hex = "0123456789ab";
  const abandoned = [`.partial-${dead.pid}-${hex}-a`, `.partial-${process.pid}-${hex}-b`]; // the id of this process, before it
  const others = [
    `.partial-${process.ppid}-${hex}-x`, // of a process that runs
    `.partial-${hex}-model.onnx`, // a download
    ".partial-claim",
    `.partial-0-${hex}-x`,
    `partial-${dead.pid}-${hex}-x`,
    "model.onnx",
  ];
  for (const name of [...abandoned, ...others]) await writeFile(join(folder, name), "x");
  await writeAtomically(join(folder, "new"), ["new"], async () => removeAbandoned(folder)); // its own is not abandoned
  expect((await readdir(folder)).sort()).toEqual([...others, "new"].sort());
});

test("a folder that is not there has nothing abandoned", async () => {
  await removeAbandoned(join(await temporaryFolder(), "missing"));
});
