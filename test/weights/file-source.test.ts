import { execFileSync } from "node:child_process";
import { openSync, readSync } from "node:fs";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { memorySource, partOf } from "../../src/weights/byte-source.ts";
import { fileSource } from "../../src/weights/file-source.ts";
import { temporaryFolder } from "../data/made.ts";

async function file(): Promise<string> {
  const path = join(await temporaryFolder(), "bytes");
  await writeFile(
    path,
    Uint8Array.from({ length: 100 }, (_, i) => i),
  );
  return path;
}

test("a file, a part of it, and memory give the same bytes, each in a buffer of its own", async () => {
  const whole = fileSource(await file());
  const memory = memorySource("m", whole.read(0, 100));
  for (const source of [partOf(whole, 10, 20), partOf(partOf(memory, 5, 50), 5, 20)]) {
    expect(source.size).toBe(20);
    const bytes = source.read(3, 4);
    expect([...bytes]).toEqual([13, 14, 15, 16]);
    expect({ offset: bytes.byteOffset, length: bytes.buffer.byteLength }).toEqual({ offset: 0, length: 4 });
    for (const [offset, length] of [
      [18, 3],
      [-1, 2],
      [0, -1],
      [0.5, 1],
      [2 ** 53, 1],
      [0, Number.NaN],
    ] as const)
      expect(() => source.read(offset, length)).toThrow(expect.objectContaining({ code: "BAD_MODEL" }));
  }
  whole.close();
});

test("closing twice does not close the file that got the number since", async () => {
  const path = await file();
  const source = fileSource(path);
  source.close();
  const other = openSync(path, "r");
  source.close();
  expect(readSync(other, new Uint8Array(1))).toBe(1);
});

test("says that a file became shorter", async () => {
  const path = await file();
  const source = fileSource(path);
  await truncate(path, 50);
  expect(() => source.read(40, 20)).toThrow("became shorter while it was read");
  source.close();
});

test.skipIf(process.platform === "win32")("refuses a pipe at once, instead of waiting for its writer", async () => {
  const path = join(await temporaryFolder(), "fifo");
  execFileSync("mkfifo", [path]);
  expect(() => fileSource(path)).toThrow(`${path} is not a plain file`);
});
