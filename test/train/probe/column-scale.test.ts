import { expect, test } from "vitest";
import { columnScale, rowLength } from "../../../src/train/probe/column-scale.ts";

// Standardized, but for the last column, which never varies.
const features = Float32Array.of(1, -1, 1, 0, -1, 1, 1, 0, 1, 1, -1, 0, -1, -1, -1, 0);

test("is the root of the deviation, kept near the median, and keeps the size of all", () => {
  const scale = columnScale(features, 4, Float32Array.of(1, 4, 1000, 1));
  expect(scale[1]! / scale[0]!).toBeCloseTo(2, 6);
  expect(scale[2]! / scale[1]!).toBeCloseTo(4, 6); // the median is 4
  expect(rowLength(features, scale)).toBeCloseTo(Math.sqrt(3), 6);
});

test("is 1 without deviations, and where nothing varies", () => {
  const ones = new Float64Array(4).fill(1);
  expect(columnScale(features, 4, undefined)).toEqual(ones);
  expect(columnScale(new Float32Array(8), 4, Float32Array.of(1, 2, 3, 4))).toEqual(ones);
});

test("refuses deviations that are none", () => {
  expect(() => columnScale(features, 4, Float32Array.of(1, 2, 3))).toThrow("width 4 require as many deviations, got 3");
  expect(() => columnScale(features, 4, Float32Array.of(1, 0, 3, 1))).toThrow("above 0, got 0");
});
