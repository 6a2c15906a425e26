import { describe, expect, test } from "vitest";
import { binaryCrossEntropy } from "../../src/losses/binary-cross-entropy.ts";
import { classTargets } from "../../src/losses/targets.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { expectParity, GOLDEN, lossOf } from "./golden.ts";

const CASES = GOLDEN.cases.filter(({ loss }) => loss === "binary-cross-entropy");
const loss = binaryCrossEntropy();

describe("binaryCrossEntropy", () => {
  test.each(CASES.map((row, i) => [i, row] as const))("has PyTorch's loss and gradients in case %i", async (_, row) => {
    await expectParity(loss, row, float32([GOLDEN.n, GOLDEN.numClasses], row.targets));
  });

  test("covers two golden cases", () => {
    expect(CASES.length).toBe(2);
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
});
