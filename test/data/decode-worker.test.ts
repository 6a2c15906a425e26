import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { transferableSymbol, valueSymbol } from "piscina";
import { expect, test } from "vitest";
import { newProgress } from "../../src/data/decode-task.ts";
import { decodeTask } from "../../src/data/decode-worker.ts";
import type { Preprocessing } from "../../src/transforms/preprocessing.ts";
import { png, temporaryFolder } from "./made.ts";

const preprocessing: Preprocessing = {
  version: 1,
  inputSize: [1, 1],
  resize: { kind: "stretch" },
  interpolation: "box",
  channels: "RGB",
  layout: "NCHW",
  scale: 1,
  offset: 0,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

test("decodes the files of a task in order, and transfers the memory of each", async () => {
  const folder = await temporaryFolder();
  const files = [3, 1, 2].map((seed) => join(folder, `${seed}.png`));
  await Promise.all([3, 1, 2].map(async (seed, i) => writeFile(files[i]!, await png(seed))));
  files.splice(1, 0, join(folder, "none"));
  const task = { files, first: 0, preprocessing, progress: newProgress(4) };
  const results = (await decodeTask(task)) as Record<symbol, readonly unknown[]>; // what piscina reads
  const pixels = [3, 1, 2].map((seed) => Float32Array.of(seed, 0, seed * 37));
  expect(results[valueSymbol]).toEqual([pixels[0], "does not exist", pixels[1], pixels[2]]);
  expect(results[transferableSymbol]).toHaveLength(3);
});
