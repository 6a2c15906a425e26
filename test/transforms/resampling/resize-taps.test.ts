import { expect, test } from "vitest";
import { filterTaps, nearestSources } from "../../../src/transforms/resampling/resize-taps.ts";

test("weights of every result pixel sum to one, up to the rounding of 22 bits", () => {
  for (const interpolation of ["bilinear", "bicubic", "lanczos", "box"] as const) {
    for (const [from, to] of [
      [10, 3],
      [3, 10],
      [100, 1],
      [1, 7],
      [640, 224],
    ] as const) {
      const { weights, size, counts } = filterTaps(interpolation, from, to, 0, to);
      for (let i = 0; i < to; i++) {
        const sum = weights.subarray(i * size, (i + 1) * size).reduce((a, b) => a + b, 0);
        expect(Math.abs(sum - 2 ** 22)).toBeLessThanOrEqual(counts[i]!);
      }
    }
  }
});

test("taps stay inside the source", () => {
  const { starts, counts, first, end } = filterTaps("lanczos", 17, 5, 0, 5);
  for (let i = 0; i < 5; i++) {
    expect(starts[i]).toBeGreaterThanOrEqual(0);
    expect(starts[i]! + counts[i]!).toBeLessThanOrEqual(17);
  }
  expect([first, end]).toEqual([0, 17]);
});

test("nearest picks the pixel under the center", () => {
  expect([...nearestSources(4, 2, 0, 2)]).toEqual([1, 3]);
  expect([...nearestSources(2, 4, 0, 4)]).toEqual([0, 0, 1, 1]);
  expect([...nearestSources(100, 7, 3, 2)]).toEqual([50, 64]);
});
