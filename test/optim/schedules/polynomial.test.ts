import { describe, expect, test } from "vitest";
import { polynomial } from "../../../src/optim/schedules/polynomial.ts";

describe("polynomial", () => {
  test("is a straight line by default, one step beyond the last at its end", () => {
    const rate = polynomial({ peak: 4, totalSteps: 3 });
    expect([1, 2, 3, 4, 5].map(rate)).toEqual([3, 2, 1, 0, 0]);
  });

  test("starts behind the warm-up and ends at the final rate", () => {
    const rate = polynomial({ peak: 5, totalSteps: 5, warmupSteps: 2, power: 2, final: 1 });
    expect([1, 2, 3, 4, 5, 6, 7].map(rate)).toEqual([2.5, 5, 3.25, 2, 1.25, 1, 1]);
  });

  test.each([
    [{ power: 0 }, "polynomial: power must be in (0, infinity), got 0."],
    [{ final: -1 }, "polynomial: final must be in [0, infinity), got -1."],
  ])("refuses %o", (options, message) => {
    expect(() => polynomial({ peak: 1, totalSteps: 5, ...options })).toThrow(new RangeError(message));
  });
});
