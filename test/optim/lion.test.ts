import { describe, expect, test } from "vitest";
import { type LionOptions, lion } from "../../src/optim/lion.ts";
import { zeroSlots } from "../../src/optim/optimizer.ts";

function updatesOf(options: LionOptions, gradients: readonly number[], decay = true): number[] {
  const optimizer = lion(options);
  const parameter = Float32Array.of(2);
  const slots = zeroSlots(optimizer, 1);
  return gradients.map((gradient, i) => {
    optimizer.update(parameter, Float32Array.of(gradient), slots, { learningRate: 0.125, step: i + 1, decay });
    return parameter[0]!;
  });
}

describe("lion", () => {
  test("takes steps of the learning rate, whatever the size of the gradient", () => {
    for (const size of [1e-30, 1e-3, 1e30]) expect(updatesOf({}, [size, size, size])).toEqual([1.875, 1.75, 1.625]);
    expect(updatesOf({}, [-1, -1])).toEqual([2.125, 2.25]);
  });

  test("stays where there never was a gradient, and has no sign for either zero", () => {
    expect(updatesOf({}, [0, -0, 0])).toEqual([2, 2, 2]);
  });

  test("goes on along its momentum where the gradient is gone", () => {
    expect(updatesOf({}, [1, 0])).toEqual([1.875, 1.75]);
  });

  test("weighs the momentum by the first beta in the direction, and keeps the second", () => {
    // After one gradient of 1 the momentum is 1 - b2; a gradient of -g turns the step where (1 - b1) g > b1 (1 - b2).
    const turnsAt = (0.75 * 0.5) / 0.25;
    expect(updatesOf({ betas: [0.75, 0.5] }, [1, 0.01 - turnsAt])).toEqual([1.875, 1.75]);
    expect(updatesOf({ betas: [0.75, 0.5] }, [1, -0.01 - turnsAt])).toEqual([1.875, 2]);
  });

  test("shrinks weights by learning rate times decay, only where decay applies", () => {
    expect(updatesOf({ weightDecay: 0.5 }, [0])).toEqual([2 * (1 - 0.125 * 0.5)]);
    expect(updatesOf({ weightDecay: 0.5 }, [0], false)).toEqual([2]);
  });

  test("shows a gradient that is no number, and takes the sign of an infinite one", () => {
    expect(updatesOf({}, [Number.NaN])).toEqual([Number.NaN]);
    expect(updatesOf({}, [Number.NEGATIVE_INFINITY])).toEqual([2.125]);
  });

  test.each<{ options: LionOptions; message: string }>([
    { options: { betas: [1, 0.9] }, message: "lion: betas[0] must be in [0, 1), got 1." },
    { options: { betas: [0.9, -0.1] }, message: "lion: betas[1] must be in [0, 1), got -0.1." },
    { options: { weightDecay: -1 }, message: "lion: weightDecay must be in [0, infinity), got -1." },
  ])("refuses $options", ({ options, message }) => {
    expect(() => lion(options)).toThrow(new RangeError(message));
  });
});
