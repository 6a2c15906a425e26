import { expect, test } from "vitest";
import { adaptiveWindows, evenWindows, poolingMatrix } from "../../../src/models/architectures/adaptive-pooling.ts";

// What torch.nn.functional.adaptive_avg_pool1d averages, for lengths that divide, do not divide, and are too short.
test.each([
  [
    14,
    7,
    [
      [0, 2],
      [2, 4],
      [4, 6],
      [6, 8],
      [8, 10],
      [10, 12],
      [12, 14],
    ],
  ],
  [
    7,
    3,
    [
      [0, 3],
      [2, 5],
      [4, 7],
    ],
  ],
  [
    10,
    4,
    [
      [0, 3],
      [2, 5],
      [5, 8],
      [7, 10],
    ],
  ],
  [
    2,
    3,
    [
      [0, 1],
      [0, 2],
      [1, 2],
    ],
  ],
  [
    1,
    3,
    [
      [0, 1],
      [0, 1],
      [0, 1],
    ],
  ],
])("windows over %i inputs for %i outputs", (length, count, windows) => {
  expect(adaptiveWindows(length, count)).toEqual(windows);
});

test.each([
  [14, 7, { length: 2, step: 2 }],
  [7, 7, { length: 1, step: 1 }],
  [9, 1, { length: 9, step: 9 }],
  [7, 3, { length: 3, step: 2 }], // they overlap, evenly
  [10, 4, undefined],
  [2, 3, undefined],
])("over %i inputs for %i outputs are those of ordinary pooling: %o", (length, count, even) => {
  expect(evenWindows(length, count)).toEqual(even);
});

test("every row of the matrix averages its window", () => {
  const third = Math.fround(1 / 3);
  expect([...poolingMatrix(10, 4)]).toEqual([
    ...[third, third, third, 0, 0, 0, 0, 0, 0, 0],
    ...[0, 0, third, third, third, 0, 0, 0, 0, 0],
    ...[0, 0, 0, 0, 0, third, third, third, 0, 0],
    ...[0, 0, 0, 0, 0, 0, 0, third, third, third],
  ]);
  expect([...poolingMatrix(2, 3)]).toEqual([1, 0, 0.5, 0.5, 0, 1]);
});
