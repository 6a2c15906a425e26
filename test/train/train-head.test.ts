import { describe, expect, test } from "vitest";
import { memoryRows } from "../../src/features/rows.ts";
import { evaluateClassification } from "../../src/metrics/classification.ts";
import { evaluateRegression } from "../../src/metrics/regression.ts";
import { linearHead } from "../../src/models/head.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import type { PhaseRecipe } from "../../src/train/recipe.ts";
import { scoreRows } from "../../src/train/score.ts";
import { measureHeadScale, offScale, type TrainHeadOptions, trainHead } from "../../src/train/train-head.ts";
import { CLASSES, clusters, headStep, RECIPE, WIDTH } from "./made.ts";

const options = {
  train: clusters(60),
  validation: clusters(30, { seed: 1 }),
  classes: CLASSES,
  recipe: RECIPE,
  callbacks: [],
};

/** Trains on the scale of the training rows, and gives the head for raw ones too. */
async function learn(given: Partial<TrainHeadOptions> = {}) {
  const train = given.train ?? options.train;
  const scale = measureHeadScale(train);
  const result = await trainHead({ ...options, scale, ...given });
  return { ...result, scale, folded: offScale(result.parameters, scale) };
}

test("learns classes that can be told apart, on features of very different scales", async () => {
  const scale = Float32Array.of(1000, 1, 0.001, 1);
  const stretched = ({ features, targets }: typeof options.train) => ({
    targets,
    features: features.map((v, i) => v * scale[i % WIDTH]! + 5),
  });
  const train = stretched(options.train);
  const validation = stretched(options.validation);
  const { folded, history } = await learn({ train, validation });
  await using step = await headStep({ parameters: folded });
  const logits = await scoreRows(step, memoryRows(validation.features, WIDTH));
  const { metrics } = evaluateClassification({
    logits,
    labels: validation.targets.values,
    classes: CLASSES,
    activation: "softmax",
  });
  expect(metrics.accuracy).toBeGreaterThan(0.96);
  // The folded head measures on raw features what training measured on standardized ones.
  expect(metrics.loss).toBeCloseTo(Math.min(...history.map(({ validation: v }) => v["loss"]!)), 4);
});

/** Two numbers that are linear in the features, in units a million apart. */
function plane(count: number, seed: number) {
  const { features } = clusters(count, { seed, spread: 1 });
  const values = Float32Array.from({ length: 2 * count }, (_, k) => {
    const row = features.subarray(WIDTH * (k >> 1), WIDTH * (k >> 1) + WIDTH);
    return k % 2 === 0 ? 1e-3 * (row[0]! - 2 * row[1]!) - 5 : 1e3 * (row[2]! + row[3]!) + 200;
  });
  return { features, targets: { task: "regression", values, width: 2 } as const };
}

test("learns numbers in their own units", async () => {
  const recipe: PhaseRecipe = { ...RECIPE, loss: "mean-squared-error", epochs: 60, optimizer: "sgd", weightDecay: 0 };
  const [train, validation] = [plane(80, 0), plane(40, 1)];
  const { folded, history, bestEpoch, scale } = await learn({
    classes: ["x", "y"],
    train,
    validation,
    recipe,
  });
  expect(scale.targets!.mean[0]).toBeCloseTo(-5, 2);
  await using step = await headStep({ parameters: folded, numClasses: 2 });
  const predictions = await scoreRows(step, memoryRows(validation.features, WIDTH));
  const { perTarget, metrics } = evaluateRegression({
    predictions,
    values: validation.targets.values,
    targets: ["x", "y"],
  });
  for (const { r2 } of perTarget) expect(r2).toBeGreaterThan(0.98);
  // The folded head measures on raw features what training measured on standardized ones.
  expect(metrics.mae / history[bestEpoch - 1]!.validation["mae"]!).toBeCloseTo(1, 1);
});

test("starts independent classes at their frequency", async () => {
  const { features } = clusters(60, { spread: 1 });
  // The first class is in 59 of 60 images and the second in one: nothing of the features says which.
  const values = Float32Array.from({ length: 120 }, (_, k) => (k % 2 === 0 ? Number(k !== 0) : Number(k === 1)));
  const set = { features, targets: { task: "multi-label", values, width: 2 } as const };
  const recipe: PhaseRecipe = { ...RECIPE, loss: "binary-cross-entropy", epochs: 1, learningRate: 1e-9 };
  const { history } = await learn({ classes: ["x", "y"], train: set, validation: set, recipe });
  const [frequent, odds] = [59 / 60, Math.log(60 / 2)];
  const entropy = Math.log(1 + Math.exp(odds)) - frequent * odds;
  expect(history[0]!.validation["loss"]).toBeCloseTo(entropy, 4);
});

test.each<[string, Partial<PhaseRecipe>, readonly number[]]>([
  ["no weights", {}, [1, 1]],
  ["weights", { lossOptions: { positiveWeights: [3, 0.2] } }, [3, 0.2]],
  ["balanced weights", { classWeights: "balanced" }, [1 / 3, 9]],
])("starts independent classes where no constant has a smaller loss, with %s", async (_, changes, weights) => {
  const { features } = clusters(400, { spread: 1 });
  const has = (row: number): readonly [boolean, boolean] => [row % 4 !== 0, row % 10 === 0];
  const values = Float32Array.from({ length: 800 }, (_, i) => Number(has(i >> 1)[i % 2]));
  const set = { features, targets: { task: "multi-label", values, width: 2 } as const };
  const recipe: PhaseRecipe = { ...RECIPE, loss: "binary-cross-entropy", epochs: 1, learningRate: 1e-9, ...changes };
  const { history } = await learn({ classes: ["x", "y"], train: set, validation: set, recipe });
  const softplus = (x: number): number => Math.log1p(Math.exp(x));
  const least = [0.75, 0.1].map((share, k) =>
    Math.min(
      ...Array.from({ length: 2001 }, (_, i) => {
        const bias = i / 200 - 5;
        return weights[k]! * share * softplus(-bias) + (1 - share) * softplus(bias);
      }),
    ),
  );
  const start = history[0]!.trainLoss;
  expect(start).toBeCloseTo((least[0]! + least[1]!) / 2, 3);
});

test("equal seeds give equal bits, other seeds do not", async () => {
  const weights = async (seed: number) =>
    [...(await learn({ recipe: { ...RECIPE, seed } })).parameters.values()].map(({ data }) => data);
  expect(await weights(1)).toEqual(await weights(1));
  expect(await weights(2)).not.toEqual(await weights(1));
});

test.each(["sgd", "adam", "adamw", "rmsprop", "adagrad", "lion"] as const)("learns with %s", async (optimizer) => {
  const { history } = await learn({ recipe: { ...RECIPE, optimizer } });
  expect(history.at(-1)!.validation["accuracy"]).toBeGreaterThan(0.96);
});

test("learns independent classes with binary cross-entropy", async () => {
  const { history } = await learn({ recipe: { ...RECIPE, loss: "binary-cross-entropy" } });
  expect(history.at(-1)!.validation["accuracy"]).toBeGreaterThan(0.96);
});

describe("a head that starts from another", () => {
  const start = new Map(
    [...linearHead({ width: WIDTH, numClasses: 3 })].map(([name, { shape, data }]) => [
      name,
      float32(
        shape,
        data.map((_, i) => ((7 * i) % 5) / 10),
      ),
    ]),
  );

  test("goes on from it, and is measured there as epoch 0", async () => {
    const recipe: PhaseRecipe = { ...RECIPE, epochs: 1, learningRate: 1e-9 };
    const { parameters, history } = await learn({ start, recipe });
    for (const [name, { data }] of parameters)
      for (const [i, value] of data.entries()) expect(value).toBeCloseTo(start.get(name)!.data[i]!, 5);
    expect(history).toHaveLength(1);
  });

  test("stays it where no epoch is better, bit for bit, and is left where one is", async () => {
    const good = (await learn()).parameters;
    const kept = await learn({ start: good, recipe: { ...RECIPE, learningRate: 1e6, epochs: 2 } });
    expect([kept.bestEpoch, kept.parameters]).toEqual([0, good]);
    expect((await learn({ start })).bestEpoch).toBeGreaterThan(0);
    expect((await learn({ recipe: { ...RECIPE, learningRate: 1e6, epochs: 2 } })).bestEpoch).toBeGreaterThan(0); // a fresh one does not count
  });

  test("has the whole warm-up, and a fresh one at most 20 updates of it", async () => {
    const rates: number[] = [];
    const callbacks = [
      { name: "rates", onStep: ({ learningRate }: { readonly learningRate: number }) => void rates.push(learningRate) },
    ];
    const recipe: PhaseRecipe = { ...RECIPE, epochs: 10, schedule: "constant", warmup: 0.5 }; // 8 steps each
    for (const [from, rising] of [
      [start, 40],
      [undefined, 20],
    ] as const) {
      rates.length = 0;
      await learn({ start: from, recipe, callbacks });
      expect(rates.indexOf(RECIPE.learningRate)).toBe(rising - 1);
    }
  });
});
