import { describe, expect, test } from "vitest";
import { type AdamOptions, adam, adamw } from "../../src/optim/adam.ts";
import { type Optimizer, zeroSlots } from "../../src/optim/optimizer.ts";

function firstUpdate(optimizer: Optimizer, parameter: number, gradient: number, decay = true): number {
  const array = Float32Array.of(parameter);
  const at = { learningRate: 0.125, step: 1, decay };
  optimizer.update(array, Float32Array.of(gradient), zeroSlots(optimizer, 1), at);
  return array[0]!;
}

describe.each([
  ["adam", adam],
  ["adamw", adamw],
] as const)("%s", (name, create) => {
  test("takes a first step of the learning rate, whatever the size of the gradient", () => {
    for (const gradient of [1e-3, 1, 1e3]) {
      expect(firstUpdate(create({ weightDecay: 0 }), 2, gradient)).toBeCloseTo(1.875, 4);
      expect(firstUpdate(create({ weightDecay: 0 }), 2, -gradient)).toBeCloseTo(2.125, 4);
    }
  });

  test("stays where it is without a gradient or decay", () => {
    expect(firstUpdate(create(), 2, 0, false)).toBe(2);
  });

  test("ignores weight decay where decay does not apply", () => {
    const options = { weightDecay: 0.5 }; // enough to turn the sign of the gradient, which decides a first step
    expect(firstUpdate(create(options), 2, -0.5, false)).toBe(firstUpdate(create({ weightDecay: 0 }), 2, -0.5));
  });

  test.each<{ options: AdamOptions; message: string }>([
    { options: { betas: [1, 0.9] }, message: `${name}: betas[0] must be in [0, 1), got 1.` },
    { options: { betas: [0.9, -0.1] }, message: `${name}: betas[1] must be in [0, 1), got -0.1.` },
    { options: { epsilon: 0 }, message: `${name}: epsilon must be in (0, infinity), got 0.` },
    { options: { weightDecay: -1 }, message: `${name}: weightDecay must be in [0, infinity), got -1.` },
  ])("refuses $options", ({ options, message }) => {
    expect(() => create(options)).toThrow(new RangeError(message));
  });
});

describe("weight decay", () => {
  test("of adam enters the gradient, where the moments rescale it", () => {
    expect(firstUpdate(adam({ weightDecay: 0.5 }), 2, 0)).toBeCloseTo(1.875, 6);
    expect(firstUpdate(adam({ weightDecay: 0.001 }), 2, 0)).toBeCloseTo(1.875, 5);
  });

  test("of adamw shrinks the weight by learning rate times decay", () => {
    expect(firstUpdate(adamw({ weightDecay: 0.5 }), 2, 0)).toBe(2 * (1 - 0.125 * 0.5));
  });

  test("is off in adam and 0.01 in adamw by default", () => {
    expect(adam().options).toEqual({ betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0 });
    expect(adamw().options).toEqual({ betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.01 });
  });
});
