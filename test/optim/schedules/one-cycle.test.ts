import { describe, expect, test } from "vitest";
import { oneCycle } from "../../../src/optim/schedules/one-cycle.ts";

const span = { peak: 1, totalSteps: 10 };

describe("oneCycle", () => {
  test("rises from peak / divFactor for its share of the run, then falls far below the start", () => {
    const rates = Array.from({ length: 10 }, (_, i) => oneCycle(span)(i + 1));
    expect(rates[0]).toBeCloseTo(1 / 25, 12);
    expect(rates.indexOf(Math.max(...rates))).toBe(2);
    expect(rates[2]).toBe(1);
    expect(rates[9]).toBeCloseTo(1 / 25 / 1e4, 12);
    for (let i = 3; i < 10; i++) expect(rates[i]!).toBeLessThan(rates[i - 1]!);
  });

  test("stays at its end", () => {
    expect(oneCycle(span)(11)).toBe(oneCycle(span)(10));
  });

  test("starts at the peak where the rise takes one step or none, and ends there where it takes all", () => {
    expect(oneCycle({ ...span, warmupShare: 0.1 })(1)).toBe(1);
    expect(oneCycle({ ...span, warmupShare: 1 })(10)).toBe(1);
    expect(oneCycle({ ...span, warmupShare: 0 })(1)).toBeGreaterThan(0.9);
  });

  test.each([
    [{ warmupShare: 1.1 }, "one-cycle: warmupShare must be in [0, 1], got 1.1."],
    [{ divFactor: 0.5 }, "one-cycle: divFactor must be in [1, infinity), got 0.5."],
    [{ finalDivFactor: 0 }, "one-cycle: finalDivFactor must be in [1, infinity), got 0."],
  ])("refuses %o", (options, message) => {
    expect(() => oneCycle({ ...span, ...options })).toThrow(new RangeError(message));
  });
});
