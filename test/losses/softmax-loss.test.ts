import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { focal } from "../../src/losses/focal.ts";
import { softTargets } from "../../src/losses/soft-targets.ts";
import { softmaxLoss } from "../../src/losses/softmax-loss.ts";
import { classTargets, type Targets } from "../../src/losses/targets.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { expectOptionParity, lossAndGradient, optionCases } from "./golden.ts";

const classWeights = [0.5, 2, 1];
const logits = float32([3, 3], [1, -2, 0.5, 0, 3, -1, 2, 2, 1]);
const labels = classTargets([2, 1, 0]);

describe("cross-entropy and focal have PyTorch's value and gradient for", () => {
  test.each([...optionCases("cross-entropy"), ...optionCases("focal")])("%s", async (_, row) => {
    await expectOptionParity(row);
  });
});

describe.each([
  ["cross-entropy", crossEntropy],
  ["focal", focal],
] as const)("soft targets of %s", (_, make) => {
  test("with a single one are class indices", async () => {
    for (const labelSmoothing of [0, 0.2]) {
      const byIndex = await lossAndGradient(make({ labelSmoothing }), logits, labels);
      for (const targets of [labels, softTargets(labels, 3)]) {
        const soft = await lossAndGradient(make({ labelSmoothing, soft: true }), logits, targets);
        expect(soft.value).toBeCloseTo(byIndex.value, 6);
        for (const [i, slope] of soft.gradient.entries()) expect(slope).toBeCloseTo(byIndex.gradient[i]!, 6);
      }
    }
  });

  test("share a loss as they share a target", async () => {
    const half: Targets = { task: "single-label", values: Float32Array.of(0, 0.5, 0.5), width: 3 };
    const one = float32([1, 3], [1, -2, 0.5]);
    const of = async (targets: Targets) => (await lossAndGradient(make({ soft: true }), one, targets)).value;
    expect(await of(half)).toBeCloseTo(((await of(classTargets([1]))) + (await of(classTargets([2])))) / 2, 6);
  });
});

describe("class weights", () => {
  test("of a sample are a sample that is there as often", async () => {
    const weighted = await lossAndGradient(crossEntropy({ classWeights: [1, 3, 1] }), logits, labels);
    const rows = float32([5, 3], [1, -2, 0.5, 0, 3, -1, 0, 3, -1, 0, 3, -1, 2, 2, 1]);
    const repeated = await lossAndGradient(crossEntropy(), rows, classTargets([2, 1, 1, 1, 0]));
    expect(weighted.value).toBeCloseTo(repeated.value, 6);
  });

  test("of one size change nothing", async () => {
    for (const labelSmoothing of [0, 0.1]) {
      const plain = await lossAndGradient(crossEntropy({ labelSmoothing }), logits, labels);
      const same = await lossAndGradient(crossEntropy({ labelSmoothing, classWeights: [4, 4, 4] }), logits, labels);
      expect(same.value).toBeCloseTo(plain.value, 6);
    }
  });

  test("multiply with the weights of rows", async () => {
    const weights = [1, 2, 4];
    const { value } = await lossAndGradient(crossEntropy({ classWeights }), logits, {
      ...labels,
      weights: Float32Array.from(weights),
    });
    const negative = (row: readonly number[], label: number): number =>
      Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[label]!;
    const losses = [negative([1, -2, 0.5], 2), negative([0, 3, -1], 1), negative([2, 2, 1], 0)];
    const products = [1 * 1, 2 * 2, 4 * 0.5]; // weights of the classes 2, 1, 0
    const sum = products.reduce((total, product, i) => total + product * losses[i]!, 0);
    expect(value).toBeCloseTo(sum / (1 + 4 + 2), 6);
  });
});

test("without options the graph is the plain one, node for node", () => {
  const b = new GraphBuilder("loss");
  b.input({ name: "logits", dtype: "float32", shape: ["batch", 3] });
  b.input(crossEntropy().target("target", "batch", 3));
  crossEntropy().build(b, "logits", "target");
  expect(b.build([]).nodes.map(({ op }) => op)).toEqual(["LogSoftmax", "GatherElements", "Squeeze", "Neg"]);
});

test("options that were given are recorded, with those of the loss itself", () => {
  const options = { labelSmoothing: 0.1, classWeights, soft: true };
  expect(softmaxLoss("mine", options, (_, scores) => scores, { gamma: 1 }).options).toStrictEqual({
    gamma: 1,
    ...options,
  });
  expect(softmaxLoss("mine", {}, (_, scores) => scores).options).toStrictEqual({ labelSmoothing: 0 });
});

test("rows have weights by class indices only", () => {
  expect(crossEntropy({ classWeights }).rowWeights).toBe(classWeights);
  expect(crossEntropy({ classWeights, soft: true }).rowWeights).toBeUndefined();
  expect(crossEntropy().rowWeights).toBeUndefined();
});

test.each<[unknown, string]>([
  [[1, 0, 1], "got 0."],
  [[1, Number.NaN], "got NaN."],
  [[1, Number.POSITIVE_INFINITY], "got Infinity."],
  [[], "got none."],
  ["balanced", "got balanced."],
])("class weights of %j are refused", (weights, message) => {
  const wanted = `classWeights requires a number from 0.000001 to 1000000 for each class, ${message}`;
  expect(() => crossEntropy({ classWeights: weights as number[] })).toThrow(new RangeError(wanted));
});

test("class weights for another number of classes are refused where the classes are known", () => {
  const message = "classWeights requires 4 numbers, one for each class, got 3.";
  expect(() => crossEntropy({ classWeights }).target("t", "n", 4)).toThrow(new RangeError(message));
  expect(() => focal({ classWeights, soft: true }).target("t", "n", 4)).toThrow(new RangeError(message));
});
