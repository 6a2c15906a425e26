import { describe, expect, test } from "vitest";
import type { EpochSpan, Schedule } from "../../../src/optim/schedules/span.ts";
import { exponential, multiStep, stepDecay } from "../../../src/optim/schedules/step-decay.ts";

const span: EpochSpan = { peak: 1, totalSteps: 24, stepsPerEpoch: 2 };

/** Steps before which the rate falls. */
function fallsOf(schedule: Schedule, totalSteps = 24): number[] {
  return Array.from({ length: totalSteps }, (_, i) => i + 1).filter((step) => schedule(step + 1) < schedule(step));
}

describe("stepDecay", () => {
  test("falls after every third of the run by default", () => {
    expect(fallsOf(stepDecay(span), 23)).toEqual([8, 16]);
    expect(stepDecay(span)(24)).toBeCloseTo(0.01, 12);
  });

  test("falls where an epoch ends, also under a warm-up", () => {
    expect(fallsOf(stepDecay({ ...span, stepSize: 5, warmupSteps: 3 }))).toEqual([10, 20]);
  });

  test("takes fractions of epochs", () => {
    expect(fallsOf(stepDecay({ ...span, stepSize: 2.5 }))).toEqual([5, 10, 15, 20]);
  });
});

describe("multiStep", () => {
  test("falls after half and three quarters of the run by default", () => {
    expect(fallsOf(multiStep(span))).toEqual([12, 18]);
  });

  test("takes milestones in any order, one twice, at the start and beyond the end", () => {
    const rate = multiStep({ ...span, milestones: [9, 3, 3, 0, 100], gamma: 0.5 });
    expect([1, 6, 7, 18, 19, 24].map(rate)).toEqual([0.5, 0.5, 0.125, 0.125, 0.0625, 0.0625]);
  });

  test("refuses what is no list", () => {
    const milestones = 3 as unknown as number[]; // as options from a file may be
    expect(() => multiStep({ ...span, milestones })).toThrow(
      new RangeError("multi-step: milestones must be a list, got 3."),
    );
  });
});

describe("exponential", () => {
  test("falls after every epoch, to a hundredth over the run by default", () => {
    expect(fallsOf(exponential(span), 23)).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22]);
    expect(exponential(span)(25)).toBeCloseTo(0.01, 12);
  });

  test("falls within a run of less than an epoch no more than a longer one would", () => {
    expect(exponential({ ...span, totalSteps: 1 })(1)).toBe(1);
  });
});

test.each<[() => Schedule, string]>([
  [() => stepDecay({ ...span, stepSize: 0 }), "step: stepSize must be in (0, infinity), got 0."],
  [() => stepDecay({ ...span, gamma: 1.5 }), "step: gamma must be in (0, 1], got 1.5."],
  [() => multiStep({ ...span, milestones: [-1] }), "multi-step: milestones must be in [0, infinity), got -1."],
  [() => multiStep({ ...span, gamma: 0 }), "multi-step: gamma must be in (0, 1], got 0."],
  [() => exponential({ ...span, gamma: 0 }), "exponential: gamma must be in (0, 1], got 0."],
])("%# refuses with %2$s", (make, message) => {
  expect(make).toThrow(new RangeError(message));
});
