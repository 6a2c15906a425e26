import { describe, expect, test } from "vitest";
import { binaryCrossEntropy } from "../../src/losses/binary-cross-entropy.ts";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { binaryFocal, focal } from "../../src/losses/focal.ts";
import { LOSSES, type LossOptions } from "../../src/losses/table.ts";
import { classTargets, type Targets } from "../../src/losses/targets.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { expectClose, expectOptionParity, golden, lossAndGradient, optionCases } from "./golden.ts";

interface KerasGolden {
  readonly n: number;
  readonly numClasses: number;
  readonly logits: readonly number[];
  readonly labels: readonly number[];
  readonly cases: readonly {
    readonly loss: "focal" | "binary-focal";
    readonly options: LossOptions;
    readonly values: readonly number[];
    readonly gradient: readonly number[];
  }[];
}

const KERAS: KerasGolden = golden("focal.json");
const KERAS_CASES = KERAS.cases.map((row) => [`${row.loss} ${JSON.stringify(row.options)}`, row] as const);
const logits = float32([2, 3], [1, -2, 0.5, 0, 3, -1]);
const several: Targets = { task: "multi-label", values: Float32Array.of(1, 0, 0.25, 0, 1, 1), width: 3 };

describe("binaryFocal has torchvision's value and gradient for", () => {
  test.each(optionCases("binary-focal"))("%s", async (_, row) => {
    await expectOptionParity(row);
  });
});

describe("has Keras's mean and gradient for", () => {
  test.each(KERAS_CASES)("%s", async (_, { loss, options, values, gradient }) => {
    const { n, numClasses } = KERAS;
    const got = await lossAndGradient(
      LOSSES[loss](options),
      float32([n, numClasses], KERAS.logits),
      classTargets(KERAS.labels),
    );
    expectClose([got.value * n], [values.reduce((sum, value) => sum + value, 0)]);
    expectClose(
      got.gradient.map((slope) => slope * n),
      gradient,
    );
  });
});

test("without focus both forms are cross-entropy", async () => {
  const labels = classTargets([2, 1]);
  expect(await lossAndGradient(focal({ gamma: 0, labelSmoothing: 0.1 }), logits, labels)).toEqual(
    await lossAndGradient(crossEntropy({ labelSmoothing: 0.1 }), logits, labels),
  );
  const plain = await lossAndGradient(binaryCrossEntropy(), logits, several);
  const unfocused = await lossAndGradient(binaryFocal({ gamma: 0, alpha: -1 }), logits, several);
  expect(unfocused.value).toBeCloseTo(plain.value, 6);
  expectClose(unfocused.gradient, plain.gradient);
});

test("sure and right answers count less, the more the larger gamma is", async () => {
  const sure = float32([1, 2], [3, 0]);
  const of = async (gamma: number) => (await lossAndGradient(focal({ gamma }), sure, classTargets([0]))).value;
  const [none, some, much] = [await of(0), await of(2), await of(5)];
  expect(none / some).toBeCloseTo((1 + Math.exp(3)) ** 2, 2); // 1 - p is 1 / (1 + e³)
  expect(much).toBeLessThan(some / 1000);
});

test.each([0.1, 0.5, 1, 2, 7.5])("stays finite for huge logits with gamma %d", async (gamma) => {
  const huge = float32([3, 3], [1000, -1000, 0, -1000, 1000, 1000, 0, 0, 1000]);
  for (const labels of [
    [0, 1, 2],
    [1, 0, 0],
  ]) {
    const softmax = await lossAndGradient(focal({ gamma }), huge, classTargets(labels));
    const sigmoid = await lossAndGradient(binaryFocal({ gamma }), huge, classTargets(labels));
    for (const { value, gradient } of [softmax, sigmoid])
      expect([value, ...gradient].every(Number.isFinite)).toBe(true);
  }
  const wrong = await lossAndGradient(focal({ gamma }), huge, classTargets([1, 0, 0]));
  expect(wrong.value).toBeCloseTo((2000 + 2000 + Math.log(2) + 1000) / 3, 3); // (1 - p)^gamma is 1
});

test("record their options and say how their logits are read", () => {
  expect(focal()).toMatchObject({ name: "focal", activation: "softmax", options: { gamma: 2, labelSmoothing: 0 } });
  expect(binaryFocal()).toMatchObject({ activation: "sigmoid", options: { gamma: 2, alpha: 0.25 } });
  expect(binaryFocal().tasks).toEqual(["single-label", "multi-label"]);
});

test.each([-0.1, 101, Number.NaN, Number.POSITIVE_INFINITY])("refuse a gamma of %d", (gamma) => {
  const error = new RangeError(`gamma requires a number in [0, 100], got ${gamma}.`);
  expect(() => focal({ gamma })).toThrow(error);
  expect(() => binaryFocal({ gamma })).toThrow(error);
});

test.each([-0.5, 1.1, Number.NaN])("refuse an alpha of %d", (alpha) => {
  expect(() => binaryFocal({ alpha })).toThrow(
    new RangeError(`alpha requires a number in [0, 1], or -1 for none, got ${alpha}.`),
  );
});
