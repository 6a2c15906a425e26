import { describe, expect, test } from "vitest";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { classTargets } from "../../src/losses/targets.ts";
import { float32, int64, toNumbers } from "../../src/tensor/tensor.ts";
import { expectParity, GOLDEN, lossOf } from "./golden.ts";

const CASES = GOLDEN.cases.filter(({ loss }) => loss === "cross-entropy");

describe("crossEntropy", () => {
  test.each(CASES.map((row, i) => [i, row] as const))("has PyTorch's loss and gradients in case %i", async (_, row) => {
    const loss = crossEntropy(row.options);
    await expectParity(loss, row, loss.encode(classTargets(row.targets), GOLDEN.numClasses));
  });

  test("covers golden cases with and without label smoothing", () => {
    expect(CASES.map(({ options }) => options.labelSmoothing ?? 0)).toEqual([0, 0.1, 0.4, 0, 0.1]);
  });

  test("of equal logits is the logarithm of the number of classes, whatever the smoothing", async () => {
    for (const labelSmoothing of [0, 0.3]) {
      const loss = crossEntropy({ labelSmoothing });
      const value = await lossOf(loss, float32([2, 4], Array(8).fill(7)), loss.encode(classTargets([0, 3]), 4));
      expect(value).toBeCloseTo(Math.log(4), 6);
    }
  });

  test("stays finite for logits that overflow exp", async () => {
    const loss = crossEntropy();
    const logits = float32([2, 3], [1000, 0, -1000, 1000, 0, -1000]);
    expect(await lossOf(loss, logits, loss.encode(classTargets([0, 2]), 3))).toBe(1000);
  });

  test("encodes labels as a column of int64, from any array", () => {
    const target = crossEntropy().encode(classTargets(Int32Array.of(2, 0, 1)), 3);
    expect(target).toEqual(int64([2, 0, 1], [3, 1]));
    expect(toNumbers(crossEntropy().encode(classTargets([]), 3))).toEqual([]);
  });

  test("declares its targets with the given name and batch dimension", () => {
    expect(crossEntropy().target("t", "n", 5)).toEqual({ name: "t", dtype: "int64", shape: ["n", 1] });
  });

  test("reports its options for the run record", () => {
    expect(crossEntropy().options).toEqual({ labelSmoothing: 0 });
    expect(crossEntropy({ labelSmoothing: 0.2 }).options).toEqual({ labelSmoothing: 0.2 });
    expect(crossEntropy()).toMatchObject({ name: "cross-entropy", activation: "softmax" });
  });

  test.each([-0.1, 1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses a label smoothing of %d",
    (labelSmoothing) => {
      expect(() => crossEntropy({ labelSmoothing })).toThrow(
        new RangeError(`labelSmoothing requires a number in [0, 1), got ${labelSmoothing}.`),
      );
    },
  );
});
