import { describe, expect, test } from "vitest";
import { zeroSlots } from "../../src/optim/optimizer.ts";
import { type SgdOptions, sgd } from "../../src/optim/sgd.ts";

function updatesOf(options: SgdOptions, gradients: readonly number[], decay = true): number[] {
  const optimizer = sgd(options);
  const parameter = Float32Array.of(1);
  const slots = zeroSlots(optimizer, 1);
  return gradients.map((gradient, i) => {
    optimizer.update(parameter, Float32Array.of(gradient), slots, { learningRate: 0.5, step: i + 1, decay });
    return parameter[0]!;
  });
}

describe("sgd", () => {
  test("follows the gradient without momentum", () => {
    expect(updatesOf({ momentum: 0 }, [1, 1, -0.5])).toEqual([0.5, 0, 0.25]);
  });

  test("keeps moving on momentum when the gradient is gone", () => {
    expect(updatesOf({ momentum: 0.5 }, [1, 0, 0])).toEqual([0.5, 0.25, 0.125]);
  });

  test("looks ahead with nesterov", () => {
    expect(updatesOf({ momentum: 0.5, nesterov: true }, [1, 0])).toEqual([0.25, 0.125]);
  });

  test("decays weights only where decay applies", () => {
    expect(updatesOf({ momentum: 0, weightDecay: 0.5 }, [0, 0])).toEqual([0.75, 0.5625]);
    expect(updatesOf({ momentum: 0, weightDecay: 0.5 }, [0, 0], false)).toEqual([1, 1]);
    expect(updatesOf({ weightDecay: 0.5 }, [1, 0.5], false)).toEqual(updatesOf({}, [1, 0.5]));
  });

  test("needs a slot only with momentum", () => {
    expect(sgd().slots).toEqual(["velocity"]);
    expect(sgd({ momentum: 0 }).slots).toEqual([]);
  });

  test("keeps its resolved options", () => {
    expect(sgd({ weightDecay: 0.1 }).options).toEqual({ momentum: 0.9, nesterov: false, weightDecay: 0.1 });
  });

  test.each<{ options: SgdOptions; message: string }>([
    { options: { momentum: 1 }, message: "sgd: momentum must be in [0, 1), got 1." },
    { options: { momentum: Number.NaN }, message: "sgd: momentum must be in [0, 1), got NaN." },
    { options: { weightDecay: -1 }, message: "sgd: weightDecay must be in [0, infinity), got -1." },
    { options: { momentum: 0, nesterov: true }, message: "sgd: momentum must be in (0, 1) with nesterov, got 0." },
  ])("refuses $options", ({ options, message }) => {
    expect(() => sgd(options)).toThrow(new RangeError(message));
  });
});
