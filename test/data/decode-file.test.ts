import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeFile, decodeHere } from "../../src/data/decode-file.ts";
import { newProgress, PROGRESS, stop } from "../../src/data/decode-task.ts";
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

test("decodeFile returns pixels or words, and never throws", async () => {
  const file = join(await temporaryFolder(), "5.png");
  await writeFile(file, await png(5));
  expect(await decodeFile(file, preprocessing)).toEqual(Float32Array.of(5, 0, 185));
  expect(await decodeFile(`${file}x`, preprocessing)).toBe("does not exist");
  expect(await decodeFile("\0", preprocessing)).toBe("is not a possible path (it has a zero character)");
  const impossible: Preprocessing = { ...preprocessing, inputSize: [-1, 1] };
  expect(await decodeFile(file, impossible)).toMatch(/^cannot be loaded \(/);
});

test("decodeHere tells its progress, and does nothing when stopped", async () => {
  const progress = newProgress(5);
  const task = { files: ["a", "b"], first: 2, preprocessing, progress };
  expect(await decodeHere(task)).toEqual(["does not exist", "does not exist"]);
  expect([...progress]).toEqual([0, 0, 0, PROGRESS.done, PROGRESS.done, 0]);
  stop(progress);
  expect(await decodeHere(task)).toEqual(["was left out", "was left out"]);
});
