import { describe, expect, test } from "vitest";
import { checkEpochSpan, progressAt, warmUp } from "../../../src/optim/schedules/span.ts";

describe("warmUp", () => {
  test("scales the first steps of a schedule and leaves the others", () => {
    expect([1, 2, 3, 4, 5].map(warmUp((step) => 10 * step, 4))).toEqual([2.5, 10, 22.5, 40, 50]);
  });

  test("of no steps changes nothing", () => {
    expect([1, 2].map(warmUp((step) => step, 0))).toEqual([1, 2]);
  });
});

describe("progressAt", () => {
  test("is 0 up to the end of the warm-up, and 1 one step beyond the last", () => {
    const span = { peak: 1, totalSteps: 7, warmupSteps: 4 };
    expect([1, 4, 5, 6, 7, 8, 9].map((step) => progressAt(step, span))).toEqual([0, 0, 0.25, 0.5, 0.75, 1, 1]);
  });
});

describe("checkEpochSpan", () => {
  test.each([0, -1, 1.5, Number.NaN])("refuses %d steps per epoch", (stepsPerEpoch) => {
    expect(() => checkEpochSpan("step", { peak: 1, totalSteps: 4, stepsPerEpoch })).toThrow(
      new RangeError(`step: stepsPerEpoch must be a whole number from 1, got ${stepsPerEpoch}.`),
    );
  });
});
