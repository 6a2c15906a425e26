import { join } from "node:path";
import { expect, test } from "vitest";
import { checkSignal, inspectFiles } from "../../src/data/inspect-files.ts";
import type { Skipped } from "../../src/data/sample.ts";
import { temporaryFolder, writeTree } from "./made.ts";

test("keeps order and properties of usable files, and says why others are none", async () => {
  const root = await temporaryFolder();
  await writeTree(root, { "a.png": 1, "b.png": "", "c.png": 3 });
  const files = ["c", "b", "a", "d"].map((name, line) => ({ file: join(root, `${name}.png`), line }));
  const skipped: Skipped[] = [];
  const usable = await inspectFiles(files, skipped, undefined, ({ line }) => ` (line ${line})`);
  expect(usable.map(({ line, sha256 }) => [line, sha256.length])).toEqual([
    [0, 64],
    [2, 64],
  ]);
  expect(skipped).toEqual([
    { file: join(root, "b.png"), reason: "is empty (0 bytes) (line 1)" },
    { file: join(root, "d.png"), reason: "does not exist (line 3)" },
  ]);
});

test("stops", async () => {
  const signal = AbortSignal.abort("enough");
  await expect(inspectFiles([{ file: "x" }], [], signal)).rejects.toMatchObject({ code: "ABORTED", cause: "enough" });
  expect(() => checkSignal(undefined)).not.toThrow();
});
