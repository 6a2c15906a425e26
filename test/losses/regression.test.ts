import { describe, expect, test } from "vitest";
import { huber, meanAbsoluteError, meanSquaredError } from "../../src/losses/regression.ts";
import { LOSSES, type LossName } from "../../src/losses/table.ts";
import type { Targets } from "../../src/losses/targets.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { expectOptionParity, expectParity, lossOf, optionCases, REGRESSION } from "./golden.ts";

const CASES = REGRESSION.cases.map((row, i) => [row.loss as LossName, i, row] as const);

describe("losses of numbers", () => {
  test.each(CASES)("%s has PyTorch's loss and gradients in case %i", async (name, _, row) => {
    const loss = LOSSES[name](row.options);
    const values = Float32Array.from(row.targets);
    await expectParity(loss, row, loss.encode({ task: "regression", values, width: REGRESSION.numClasses }, 3));
  });

  test.each([...optionCases("mean-squared-error"), ...optionCases("mean-absolute-error"), ...optionCases("huber")])(
    "have PyTorch's value and gradient for %s",
    async (_, row) => {
      await expectOptionParity(row);
    },
  );

  test("are the mean over the targets of a sample, then over samples", async () => {
    const outputs = float32([2, 2], [0, 3, 0, 0]);
    const targets = float32([2, 2], [1, 1, 0, 0.5]);
    expect(await lossOf(meanSquaredError(), outputs, targets)).toBeCloseTo((1 + 4 + 0 + 0.25) / 4, 6);
    expect(await lossOf(meanAbsoluteError(), outputs, targets)).toBeCloseTo((1 + 2 + 0 + 0.5) / 4, 6);
    expect(await lossOf(huber(), outputs, targets)).toBeCloseTo((0.5 + 1.5 + 0 + 0.125) / 4, 6);
    expect(await lossOf(huber({ delta: 0.5 }), outputs, targets)).toBeCloseTo((0.375 + 0.875 + 0 + 0.125) / 4, 6);
  });

  test("read as many values as there are outputs", () => {
    const targets: Targets = { task: "regression", values: Float32Array.of(1, 2, 3, 4), width: 2 };
    expect(meanSquaredError().encode(targets, 2)).toEqual(float32([2, 2], [1, 2, 3, 4]));
    expect(huber().target("t", "n", 2)).toEqual({ name: "t", dtype: "float32", shape: ["n", 2] });
    expect(meanAbsoluteError()).toMatchObject({ activation: "identity", tasks: ["regression"], options: {} });
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("refuse a delta of %d", (delta) => {
    expect(() => huber({ delta })).toThrow(new RangeError(`delta requires a number above 0, got ${delta}.`));
  });
});
