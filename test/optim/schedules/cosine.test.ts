import { describe, expect, test } from "vitest";
import { cosine } from "../../../src/optim/schedules/cosine.ts";

const steps = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

describe("cosine", () => {
  test("warms up linearly, reaches the peak, and is at the final rate after the last step", () => {
    const rate = cosine({ peak: 1, totalSteps: 7, warmupSteps: 4, final: 0.2 });
    const half = (x: number): number => 0.2 + 0.4 * (1 + Math.cos(Math.PI * x));
    const wanted = [0.25, 0.5, 0.75, 1, half(0.25), half(0.5), half(0.75), 0.2];
    for (const [i, value] of steps(8).map(rate).entries()) expect(value).toBeCloseTo(wanted[i]!, 12);
  });

  test("goes down at once without a warm-up, to zero by default", () => {
    const rates = steps(4).map(cosine({ peak: 2, totalSteps: 3 }));
    const wanted = [1 + Math.SQRT1_2, 1, 1 - Math.SQRT1_2, 0];
    for (const [i, value] of rates.entries()) expect(value).toBeCloseTo(wanted[i]!, 12);
  });

  test("never rises after the warm-up and stays between final and peak", () => {
    const rates = steps(100).map(cosine({ peak: 0.1, totalSteps: 100, warmupSteps: 10, final: 0.001 }));
    expect(Math.max(...rates)).toBe(0.1);
    expect(rates.indexOf(0.1)).toBe(9);
    for (let i = 10; i < 100; i++) expect(rates[i]!).toBeLessThan(rates[i - 1]!);
    expect(rates.at(-1)).toBeCloseTo(0.001, 4);
  });

  test("stays at the final rate beyond the last step", () => {
    const rate = cosine({ peak: 1, totalSteps: 5, final: 0.5 });
    expect(rate(6)).toBe(0.5);
    expect(rate(1000)).toBe(0.5);
  });

  test("moves even if there is one step alone", () => {
    expect(cosine({ peak: 3, totalSteps: 1 })(1)).toBeCloseTo(1.5, 12);
  });

  test("refuses steps that cannot be", () => {
    expect(() => cosine({ peak: 1, totalSteps: 0 })).toThrow("totalSteps must be a whole number from 1, got 0");
    expect(() => cosine({ peak: 1, totalSteps: 5, warmupSteps: 6 })).toThrow(RangeError);
  });

  test("that is all warm-up ends at its peak", () => {
    const rates = steps(3).map(cosine({ peak: 3, totalSteps: 3, warmupSteps: 3 }));
    expect(rates).toEqual([1, 2, 3]);
  });

  test("computes its formula bit for bit: weights of earlier runs depend on it", () => {
    const [peak, totalSteps, warmupSteps, final] = [1 / 3, 97, 11, 1e-3];
    const rate = cosine({ peak, totalSteps, warmupSteps, final });
    for (const step of steps(totalSteps)) {
      const progress = Math.min(1, (step - warmupSteps) / (totalSteps - warmupSteps + 1));
      const fall = final + (peak - final) * 0.5 * (1 + Math.cos(Math.PI * progress));
      expect(rate(step)).toBe(step <= warmupSteps ? (peak * step) / warmupSteps : fall);
    }
  });

  test("refuses a final rate below 0", () => {
    expect(() => cosine({ peak: 1, totalSteps: 5, final: -1 })).toThrow(
      "cosine: final must be in [0, infinity), got -1.",
    );
  });
});
