import { expect, test } from "vitest";
import { entriesOf, imagesOf, readAhead, taskLength } from "../../src/data/read-ahead.ts";
import type { Preprocessing } from "../../src/transforms/preprocessing.ts";

const preprocessing = (edge: number): Preprocessing => ({
  version: 1,
  inputSize: [edge, edge],
  resize: { kind: "stretch" },
  interpolation: "bilinear",
  channels: "RGB",
  layout: "NCHW",
  scale: 1,
  offset: 0,
  mean: [0, 0, 0],
  std: [1, 1, 1],
});
const recipe = { augmentation: { version: 1, transforms: [] }, seed: 0 } as const;

test("reads ahead by threads, and never more than 256 MiB", () => {
  expect(readAhead(preprocessing(224), 0)).toEqual({ ahead: 4, taskImages: 1, fileImages: 445 });
  expect(readAhead(preprocessing(224), 2)).toEqual({ ahead: 64, taskImages: 4, fileImages: 445 });
  expect(readAhead(preprocessing(224), 8).ahead).toBe(256);
  expect(readAhead(preprocessing(1024), 8)).toEqual({ ahead: 21, taskImages: 1, fileImages: 21 });
  expect(readAhead(preprocessing(8192), 8)).toEqual({ ahead: 1, taskImages: 1, fileImages: 1 });
});

test("makes one entry for each file, and several for a file with many views", () => {
  expect(entriesOf(2, undefined, 5).map(imagesOf)).toEqual([1, 1]);
  const views = { ...recipe, views: [[0, 1], [], [1, 2, 3, 4, 5, 6, 7]] };
  const entries = entriesOf(3, views, 3);
  expect(entries).toEqual([
    { index: 0, views: [0, 1] },
    { index: 2, views: [1, 2, 3] },
    { index: 2, views: [4, 5, 6] },
    { index: 2, views: [7] },
  ]);
  expect(entries.map(imagesOf)).toEqual([2, 3, 3, 1]);
});

test("fills tasks by images, with at least one entry", () => {
  const entries = [1, 1, 1, 9, 2, 2].map((count, index) => ({ index, views: Array(count).fill(1) }));
  expect([0, 1, 3, 4, 5].map((start) => taskLength(entries, start, 4))).toEqual([3, 2, 1, 2, 1]);
});
