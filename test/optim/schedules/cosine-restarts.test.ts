import { describe, expect, test } from "vitest";
import { cosineRestarts } from "../../../src/optim/schedules/cosine-restarts.ts";
import type { EpochSpan } from "../../../src/optim/schedules/span.ts";

const span: EpochSpan = { peak: 1, totalSteps: 24, stepsPerEpoch: 2 };

function startsOf(options: Parameters<typeof cosineRestarts>[0], count: number): number[] {
  const rate = cosineRestarts(options);
  return Array.from({ length: count }, (_, i) => i + 1).filter((step) => rate(step) === options.peak);
}

describe("cosineRestarts", () => {
  test("is by default a cycle of a third and one of two thirds of the run", () => {
    expect(startsOf(span, 25)).toEqual([1, 9, 25]);
  });

  test("starts again after cycles of epochs that get longer", () => {
    expect(startsOf({ ...span, firstCycle: 2, factor: 1 }, 20)).toEqual([1, 5, 9, 13, 17]);
    expect(startsOf({ ...span, firstCycle: 1, factor: 3 }, 30)).toEqual([1, 3, 9, 27]);
  });

  test("falls along half a cosine in each cycle", () => {
    const rate = cosineRestarts({ ...span, firstCycle: 2, factor: 1, final: 0.2 });
    for (const first of [1, 5]) {
      expect(rate(first + 1)).toBeCloseTo(0.2 + 0.4 * (1 + Math.SQRT1_2), 12);
      expect(rate(first + 2)).toBeCloseTo(0.6, 12);
    }
  });

  test("has cycles of one step at least", () => {
    expect(startsOf({ ...span, firstCycle: 1e-9, factor: 1 }, 4)).toEqual([1, 2, 3, 4]);
  });

  test.each([
    [{ firstCycle: 0 }, "cosine-restarts: firstCycle must be in (0, infinity), got 0."],
    [{ factor: 0.5 }, "cosine-restarts: factor must be in [1, infinity), got 0.5."],
    [{ final: -1 }, "cosine-restarts: final must be in [0, infinity), got -1."],
  ])("refuses %o", (options, message) => {
    expect(() => cosineRestarts({ ...span, ...options })).toThrow(new RangeError(message));
  });
});
