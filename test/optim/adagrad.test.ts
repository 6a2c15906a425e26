import { describe, expect, test } from "vitest";
import { type AdagradOptions, adagrad } from "../../src/optim/adagrad.ts";
import { zeroSlots } from "../../src/optim/optimizer.ts";

function updatesOf(options: AdagradOptions, gradients: readonly number[], decay = true): number[] {
  const optimizer = adagrad(options);
  const parameter = Float32Array.of(1);
  const slots = zeroSlots(optimizer, 1);
  return gradients.map((gradient, i) => {
    optimizer.update(parameter, Float32Array.of(gradient), slots, { learningRate: 0.125, step: i + 1, decay });
    return parameter[0]!;
  });
}

describe("adagrad", () => {
  test("takes steps that shrink with the root of their count along one gradient", () => {
    const path = updatesOf({}, [3, 3, 3, 3]);
    const steps = path.map((w, i) => (path[i - 1] ?? 1) - w);
    for (const [i, step] of steps.entries()) expect(step).toBeCloseTo(0.125 / Math.sqrt(i + 1), 6);
  });

  test("starts slower from an accumulator that is not empty", () => {
    expect(updatesOf({ initialAccumulator: 3 }, [1])[0]).toBeCloseTo(1 - 0.125 / 2, 6);
    expect(updatesOf({ initialAccumulator: 3 }, [1, 1])[1]).toBeCloseTo(1 - 0.125 * (1 / 2 + 1 / Math.sqrt(5)), 6);
  });

  test("divides the learning rate by its decay", () => {
    const [first, second] = updatesOf({ learningRateDecay: 1 }, [1, 1]);
    expect(first).toBe(1 - 0.125);
    expect(first! - second!).toBeCloseTo(0.125 / 2 / Math.SQRT2, 6);
  });

  test("stays where it is without a gradient", () => {
    expect(updatesOf({}, [0, 0])).toEqual([1, 1]);
  });

  test("decays weights only where decay applies", () => {
    expect(updatesOf({ weightDecay: 0.5 }, [0])[0]).toBe(1 - 0.125);
    expect(updatesOf({ weightDecay: 0.5 }, [0], false)).toEqual([1]);
  });

  test.each<{ options: AdagradOptions; message: string }>([
    { options: { learningRateDecay: -1 }, message: "adagrad: learningRateDecay must be in [0, infinity), got -1." },
    { options: { initialAccumulator: -1 }, message: "adagrad: initialAccumulator must be in [0, infinity), got -1." },
    { options: { epsilon: 0 }, message: "adagrad: epsilon must be in (0, infinity), got 0." },
    { options: { weightDecay: -1 }, message: "adagrad: weightDecay must be in [0, infinity), got -1." },
  ])("refuses $options", ({ options, message }) => {
    expect(() => adagrad(options)).toThrow(new RangeError(message));
  });
});
