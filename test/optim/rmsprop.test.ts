import { describe, expect, test } from "vitest";
import { type Optimizer, zeroSlots } from "../../src/optim/optimizer.ts";
import { type RmspropOptions, rmsprop } from "../../src/optim/rmsprop.ts";

function updatesOf(optimizer: Optimizer, gradients: readonly number[], decay = true): number[] {
  const parameter = Float32Array.of(1);
  const slots = zeroSlots(optimizer, 1);
  return gradients.map((gradient, i) => {
    optimizer.update(parameter, Float32Array.of(gradient), slots, { learningRate: 0.125, step: i + 1, decay });
    return parameter[0]!;
  });
}

describe("rmsprop", () => {
  test("takes a first step of learning rate / sqrt(1 - smoothing), whatever the size of the gradient", () => {
    for (const gradient of [1e-3, 1, 1e3])
      expect(updatesOf(rmsprop({ smoothing: 0.75 }), [gradient])[0]).toBeCloseTo(1 - 0.125 / Math.sqrt(0.25), 4);
  });

  test("keeps moving on momentum when the gradient is gone", () => {
    const [one, two, three] = updatesOf(rmsprop({ momentum: 0.5, smoothing: 0 }), [1, 0, 0]);
    expect([one, two, three].map((w) => w!.toFixed(6))).toEqual(["0.875000", "0.812500", "0.781250"]);
  });

  test("centered, moves farther along a gradient that hardly varies", () => {
    const gradients = Array.from({ length: 20 }, (_, i) => 1 + 0.01 * (i % 2));
    const [plain, centered] = [rmsprop(), rmsprop({ centered: true })].map((o) => updatesOf(o, gradients).at(-1)!);
    expect(centered!).toBeLessThan(plain!);
  });

  test("centered, stays a number along a gradient that never varies", () => {
    // The mean of squares meets the square of the mean, and for these their difference rounds below 0 on the way.
    for (const gradient of [0.011, 0.1, 0.7]) {
      const gradients = new Array<number>(2000).fill(gradient);
      const optimizer = rmsprop({ centered: true, epsilon: 0.1 });
      const last = updatesOf(optimizer, gradients).at(-1)!;
      expect(Number.isFinite(last)).toBe(true);
      expect(last).toBeLessThan(0);
    }
  });

  test("decays weights only where decay applies", () => {
    const options = { weightDecay: 0.5 };
    expect(updatesOf(rmsprop(options), [-0.25])[0]).toBeLessThan(1);
    expect(updatesOf(rmsprop(options), [-0.25], false)).toEqual(updatesOf(rmsprop(), [-0.25]));
  });

  test("has a slot for what its options need", () => {
    expect(rmsprop().slots).toEqual(["squareMean"]);
    expect(rmsprop({ momentum: 0.9 }).slots).toEqual(["squareMean", "velocity"]);
    expect(rmsprop({ centered: true }).slots).toEqual(["squareMean", "mean"]);
    expect(rmsprop({ momentum: 0.9, centered: true }).slots).toEqual(["squareMean", "velocity", "mean"]);
  });

  test("shows a gradient that is no number", () => {
    expect(updatesOf(rmsprop({ centered: true, momentum: 0.9 }), [Number.NaN])).toEqual([Number.NaN]);
  });

  test.each<{ options: RmspropOptions; message: string }>([
    { options: { smoothing: 1 }, message: "rmsprop: smoothing must be in [0, 1), got 1." },
    { options: { epsilon: 0 }, message: "rmsprop: epsilon must be in (0, infinity), got 0." },
    { options: { weightDecay: -1 }, message: "rmsprop: weightDecay must be in [0, infinity), got -1." },
    { options: { momentum: 1 }, message: "rmsprop: momentum must be in [0, 1), got 1." },
  ])("refuses $options", ({ options, message }) => {
    expect(() => rmsprop(options)).toThrow(new RangeError(message));
  });
});
