import { describe, expect, test } from "vitest";
import { binaryCrossEntropy } from "../../src/losses/binary-cross-entropy.ts";
import { classTargets } from "../../src/losses/targets.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { expectOptionParity, expectParity, GOLDEN, lossAndGradient, lossOf, optionCases } from "./golden.ts";

const CASES = GOLDEN.cases.filter(({ loss }) => loss === "binary-cross-entropy");
const loss = binaryCrossEntropy();

describe("binaryCrossEntropy", () => {
  test.each(CASES.map((row, i) => [i, row] as const))("has PyTorch's loss and gradients in case %i", async (_, row) => {
    await expectParity(loss, row, float32([GOLDEN.n, GOLDEN.numClasses], row.targets));
  });

  test("covers two golden cases", () => {
    expect(CASES.length).toBe(2);
  });

  test.each(optionCases("binary-cross-entropy"))("has PyTorch's value and gradient for %s", async (_, row) => {
    await expectOptionParity(row);
  });

  test("of logits zero is log 2 for any target", async () => {
    const value = await lossOf(loss, float32([2, 2], [0, 0, 0, 0]), float32([2, 2], [0, 1, 0.5, 0.25]));
    expect(value).toBeCloseTo(Math.log(2), 6);
  });

  test("stays finite and exact for huge logits", async () => {
    const logits = float32([1, 4], [1000, -1000, 1000, -1000]);
    expect(await lossOf(loss, logits, float32([1, 4], [1, 0, 1, 0]))).toBe(0);
    expect(await lossOf(loss, logits, float32([1, 4], [0, 1, 0, 1]))).toBe(1000);
  });

  test("encodes labels as rows with a single one", () => {
    expect(loss.encode(classTargets([2, 0]), 3)).toEqual(float32([2, 3], [0, 0, 1, 1, 0, 0]));
  });

  test("takes targets of several labels as they are, also those of a single class", () => {
    const targets = { task: "multi-label", values: Float32Array.of(1, 0, 0.5, 0, 1, 1), width: 3 } as const;
    expect(loss.encode(targets, 3)).toEqual(float32([2, 3], [1, 0, 0.5, 0, 1, 1]));
    const one = { task: "multi-label", values: Float32Array.of(0, 1), width: 1 } as const;
    expect(loss.encode(one, 1)).toEqual(float32([2, 1], [0, 1]));
  });

  test("declares float targets of the logits' shape", () => {
    expect(loss.target("t", "n", 5)).toEqual({ name: "t", dtype: "float32", shape: ["n", 5] });
    expect(loss).toMatchObject({ name: "binary-cross-entropy", activation: "sigmoid", options: {} });
  });

  test("takes soft targets of one label as they are", () => {
    const soft = { task: "single-label", values: Float32Array.of(0.25, 0.75), width: 2 } as const;
    expect(loss.encode(soft, 2)).toEqual(float32([1, 2], [0.25, 0.75]));
  });
});

describe("positive weights", () => {
  const logits = float32([1, 3], [0.5, -1, 2]);
  const targets = { task: "multi-label", values: Float32Array.of(1, 0, 1), width: 3 } as const;

  test("of one change nothing", async () => {
    const plain = await lossAndGradient(loss, logits, targets);
    const same = await lossAndGradient(binaryCrossEntropy({ positiveWeights: [1, 1, 1] }), logits, targets);
    expect(same.value).toBeCloseTo(plain.value, 6);
  });

  test("count for what is there alone", async () => {
    const weighted = await lossAndGradient(binaryCrossEntropy({ positiveWeights: [3, 9, 1] }), logits, targets);
    const plain = await lossAndGradient(loss, logits, targets);
    for (const [i, factor] of [3, 1, 1].entries())
      expect(weighted.gradient[i]).toBeCloseTo(factor * plain.gradient[i]!, 6);
  });

  test("keep huge logits finite and exact", async () => {
    const weighted = binaryCrossEntropy({ positiveWeights: [5, 5] });
    const huge = float32([1, 2], [1000, -1000]);
    const of = async (values: number[]) =>
      (await lossAndGradient(weighted, huge, { task: "multi-label", values: Float32Array.from(values), width: 2 }))
        .value;
    expect(await of([1, 0])).toBe(0);
    expect(await of([0, 1])).toBe((1000 + 5 * 1000) / 2);
  });

  test("are recorded, and refused where they are no positive numbers or not one for each class", () => {
    expect(binaryCrossEntropy({ positiveWeights: [2, 1] }).options).toEqual({ positiveWeights: [2, 1] });
    expect(() => binaryCrossEntropy({ positiveWeights: [2, -1] })).toThrow(/positiveWeights requires .*, got -1\./);
    expect(() => binaryCrossEntropy({ positiveWeights: [2, 1] }).target("t", "n", 3)).toThrow(
      new RangeError("positiveWeights requires 3 numbers, one for each class, got 2."),
    );
  });
});
