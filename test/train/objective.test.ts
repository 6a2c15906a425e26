import { describe, expect, test } from "vitest";
import { classTargets, type Targets } from "../../src/losses/targets.ts";
import { HEAD, linearHead, type Parameters } from "../../src/models/head.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { type Objective, objectiveOf } from "../../src/train/objective.ts";
import type { PhaseRecipe } from "../../src/train/recipe.ts";
import { headStep, RECIPE, WIDTH } from "./made.ts";

const LOGITS = [0.5, -1, 2];
const P = softmax(LOGITS);
const entropy = P.map((p) => -Math.log(p));
const [no, yes] = [LOGITS.map((x) => Math.log1p(Math.exp(x))), LOGITS.map((x) => Math.log1p(Math.exp(-x)))];
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function softmax(logits: readonly number[]): number[] {
  const shares = logits.map(Math.exp);
  const sum = shares.reduce((x, y) => x + y);
  return shares.map((share) => share / sum);
}

/** A head that gives LOGITS, or some of them, for every row. */
function steady(numClasses: number): Parameters {
  return new Map([...linearHead({ width: WIDTH, numClasses })].map(([name, value]) => [name, value] as const)).set(
    HEAD.bias,
    float32([numClasses], LOGITS.slice(0, numClasses)),
  );
}

/** The loss of a training step on all targets of an objective. */
async function lossOf({ loss, targets }: Objective, numClasses = 3): Promise<number> {
  await using step = await headStep({ loss, numClasses, parameters: steady(numClasses) });
  return await step.run(new Float32Array((WIDTH * targets.values.length) / targets.width), targets, 1e-9);
}

const of = (changes: Partial<PhaseRecipe>, targets: Targets, numClasses = 3): Objective =>
  objectiveOf({ ...RECIPE, ...changes }, targets, numClasses);

const labels = [0, 2, 2, 1, 2]; // 1, 1 and 3 rows of the classes
const single = classTargets(labels);
const W = [5 / 3, 5 / 3, 5 / 9]; // n / (k count)
const weighted = (each: (label: number) => number, weights: readonly number[] = W): number =>
  labels.reduce((sum, label) => sum + weights[label]! * each(label), 0) /
  labels.reduce((sum, label) => sum + weights[label]!, 0);

describe("classes that exclude each other", () => {
  test("count alike by default", async () => {
    const objective = of({}, single);
    expect(objective).toMatchObject({ name: "cross-entropy", options: {}, targets: single });
    expect(await lossOf(objective)).toBeCloseTo(mean(labels.map((label) => entropy[label]!)), 5);
  });

  test("count as much in all where weights are balanced, as PyTorch's weight", async () => {
    const objective = of({ classWeights: "balanced" }, single);
    expect(objective.options.classWeights).toEqual(W);
    const loss = await lossOf(objective);
    expect(loss).toBeCloseTo(
      weighted((label) => entropy[label]!),
      5,
    );
    expect(loss).toBeCloseTo(mean(entropy), 5); // each class has a third
  });

  test("count by their effective numbers: (1 - 0.999^count) / 0.001, with mean 1", () => {
    const { options } = of({ classWeights: "effective" }, classTargets([...new Array(1000).fill(0), 1, 2]));
    const numbers = [1 - 0.999 ** 1000, 0.001, 0.001].map((share) => 1 / share);
    options.classWeights!.forEach((weight, i) => {
      expect(weight).toBeCloseTo(numbers[i]! / mean(numbers), 8);
    });
  });

  test("count by numbers that are given, times the weights of rows", async () => {
    const rows = Float32Array.of(1, 2, 3, 4, 5);
    const given = [2, 0.5, 1];
    const { targets, ...rest } = of({ classWeights: given }, { ...single, weights: rows });
    expect([...targets.weights!]).toEqual([2, 2, 3, 2, 5]);
    const wanted = labels.reduce((sum, label, i) => sum + given[label]! * rows[i]! * entropy[label]!, 0) / 14;
    expect(await lossOf({ targets, ...rest })).toBeCloseTo(wanted, 5);
  });

  test("with smoothed labels, which spread over all classes by their weights", async () => {
    const given = [2, 0.5, 1];
    const smoothed = of({ labelSmoothing: 0.3, classWeights: given }, single);
    const spread = mean(entropy.map((value, i) => given[i]! * value));
    const sum = labels.reduce((all, label) => all + 0.7 * given[label]! * entropy[label]! + 0.3 * spread, 0);
    expect(await lossOf(smoothed)).toBeCloseTo(sum / (2 + 1 + 1 + 0.5 + 1), 5);
    const plain = of({ labelSmoothing: 0.3 }, single);
    const wanted = 0.7 * mean(labels.map((label) => entropy[label]!)) + 0.3 * mean(entropy);
    expect(await lossOf(plain)).toBeCloseTo(wanted, 5);
  });

  test("with the focal loss, whose options go with it", async () => {
    const objective = of({ loss: "focal", lossOptions: { gamma: 3 }, classWeights: "balanced" }, single);
    expect(objective.options).toEqual({ gamma: 3, classWeights: W });
    expect(await lossOf(objective)).toBeCloseTo(
      weighted((label) => (1 - P[label]!) ** 3 * entropy[label]!),
      5,
    );
  });

  test("and are mixed: as distributions, with the weights inside, their mean over rows", async () => {
    const objective = of({ mixup: 0.4, classWeights: "balanced" }, single);
    expect(objective).toMatchObject({ options: { soft: true, classWeights: W }, targets: single });
    const values = Float32Array.of(0.25, 0.75, 0, 0, 0.5, 0.5);
    const mixed = { ...objective, targets: { task: "single-label", values, width: 3 } as const };
    const row = (shares: readonly number[]) => shares.reduce((sum, p, i) => sum + p * W[i]! * entropy[i]!, 0);
    expect(await lossOf(mixed)).toBeCloseTo(mean([row([0.25, 0.75, 0]), row([0, 0.5, 0.5])]), 5);
    expect(of({ cutMix: 1 }, single).options).toEqual({ soft: true });
  });
});

describe("losses that know no weights of classes", () => {
  const right = (label: number) => mean(LOGITS.map((_, i) => (i === label ? yes : no)[i]!));

  test("get them by rows", async () => {
    const objective = of({ loss: "binary-cross-entropy", classWeights: "balanced" }, single);
    expect(objective.options).toEqual({});
    expect(await lossOf(objective)).toBeCloseTo(weighted(right), 5);
  });

  test("also where rows are mixed", () => {
    const { targets, options } = of({ loss: "binary-cross-entropy", classWeights: [4, 2, 1], mixup: 1 }, single);
    expect(options).toEqual({});
    expect([...targets.weights!]).toEqual([4, 1, 1, 2, 1]);
  });

  test("as the one for teachers", async () => {
    const options = { loss: "distillation", lossOptions: { temperature: 1 } } as const;
    const objective = of({ ...options, classWeights: "balanced" }, single);
    // At temperature 1 and with a teacher without doubts it is the cross-entropy.
    expect(await lossOf(objective)).toBeCloseTo(
      weighted((label) => entropy[label]!),
      5,
    );
  });
});

describe("several labels", () => {
  const values = Float32Array.of(1, 0, 1, 0, 1, 0, 1, 0); // 4 rows; the first class is there in all, the second in none
  const several: Targets = { task: "multi-label", values: Float32Array.of(1, 0, 0, 0, 1, 0, 1, 1), width: 2 };
  const bce = (weights: readonly number[]): number =>
    mean([...several.values].map((t, i) => (t === 1 ? weights[i % 2]! * yes[i % 2]! : no[i % 2]!)));

  test("count alike by default, and yes as much as no where weights are balanced, as PyTorch's pos_weight", async () => {
    const plain = of({ loss: "binary-cross-entropy" }, several, 2);
    expect(await lossOf(plain, 2)).toBeCloseTo(bce([1, 1]), 5);
    const balanced = of({ loss: "binary-cross-entropy", classWeights: "balanced" }, several, 2);
    expect(balanced.options.positiveWeights).toEqual([1 / 3, 3]); // 3 and 1 of 4 rows have them
    expect(await lossOf(balanced, 2)).toBeCloseTo(bce([1 / 3, 3]), 5);
    const given = of({ loss: "binary-cross-entropy", classWeights: [2, 7] }, several, 2);
    expect(await lossOf(given, 2)).toBeCloseTo(bce([2, 7]), 5);
    const same = of({ loss: "binary-cross-entropy", classWeights: "balanced" }, { ...several, values }, 2);
    expect(same.options.positiveWeights).toEqual([1, 1]);
  });

  test.each([
    [{ loss: "binary-focal", classWeights: "balanced" }, "requires the loss binary-cross-entropy for several labels"],
    [{ loss: "binary-cross-entropy", classWeights: "effective" }, 'requires "balanced" or numbers, got "effective"'],
    [{ loss: "binary-cross-entropy", classWeights: [1] }, "requires a number for each of 2 classes, got 1."],
  ] as const)("%o is refused", (changes, message) => {
    const error = { code: "BAD_CONFIG", message: expect.stringContaining(message) };
    expect(() => of(changes, several, 2)).toThrow(expect.objectContaining(error));
  });
});

test("a regression has its loss alone", async () => {
  const values: Targets = { task: "regression", values: Float32Array.of(1.5, -1, 2.5, 3), width: 2 };
  const objective = of({ loss: "huber", lossOptions: { delta: 2 }, mixup: 1 }, values, 2);
  expect(objective.options).toEqual({ delta: 2 });
  expect(await lossOf(objective, 2)).toBeCloseTo(mean([0.5, 0, 2, 2 * 4 - 2]), 5); // errors 1, 0, 2, 4
});

test.each([
  [{ classWeights: [1, 2] }, "classWeights requires a number for each of 3 classes, got 2."],
  [{ classWeights: [1, 2, 1e9] }, "classWeights requires a number from 0.000001 to 1000000"],
  [{ lossOptions: { classWeights: [1, 2] } }, "loss cross-entropy: classWeights requires 3 numbers"],
  [{ loss: "binary-cross-entropy", lossOptions: { positiveWeights: [1] } }, "positiveWeights requires 3 numbers"],
] as const)("weights that do not fit are refused before anything is computed: %o", (changes, message) => {
  const error = { code: "BAD_CONFIG", message: expect.stringContaining(message) };
  expect(() => of(changes, single)).toThrow(expect.objectContaining(error));
});
