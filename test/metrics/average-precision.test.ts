import { describe, expect, test } from "vitest";
import { averagePrecision } from "../../src/metrics/average-precision.ts";

describe("average precision", () => {
  // The example of scikit-learn's documentation of average_precision_score.
  test("of positives ranked first and third of four is 5/6", () => {
    expect(averagePrecision([0.1, 0.4, 0.35, 0.8], [false, false, true, true])).toBeCloseTo(5 / 6, 12);
  });

  test("is 1 where every positive comes first, and the share of positives where all scores are equal", () => {
    expect(averagePrecision([3, 1, 2], [true, false, true])).toBe(1);
    expect(averagePrecision([1, 1, 1, 1], [true, false, false, false])).toBe(0.25);
    expect(averagePrecision([1, 1, 1, 1], [false, false, false, true])).toBe(0.25);
  });

  test("counts samples of one score together", () => {
    // Thresholds 2, 1, 0: precision 1/1, 2/3, 2/4 at recall 1/2, 1, 1.
    expect(averagePrecision([2, 1, 1, 0], [true, true, false, false])).toBeCloseTo(0.5 + 0.5 * (2 / 3), 12);
  });

  test("is 0 without positives, and refuses lengths that differ", () => {
    expect(averagePrecision([1, 2], [false, false])).toBe(0);
    expect(averagePrecision([], [])).toBe(0);
    expect(() => averagePrecision([1], [])).toThrow(RangeError);
  });
});
