import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { append } from "../../../src/train/callbacks/append.ts";
import { scratchFolder } from "./reports.ts";

test.each([true, false])("adds to the end of a file (durable: %s), and makes none", async (durable) => {
  const file = join(scratchFolder(), "a");
  await expect(append(file, "x", { durable })).rejects.toMatchObject({ code: "CANNOT_WRITE" });
  expect(existsSync(file)).toBe(false);
  writeFileSync(file, "one\n");
  await append(file, "two\n", { durable });
  await append(file, Uint8Array.of(0, 255), { durable });
  expect(readFileSync(file)).toEqual(Buffer.concat([Buffer.from("one\ntwo\n"), Buffer.of(0, 255)]));
});
