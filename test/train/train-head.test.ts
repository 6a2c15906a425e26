import { expect, test } from "vitest";
import { headGraph } from "../../src/models/head.ts";
import { HeadEvaluator, trainHead } from "../../src/train/train-head.ts";
import { CLASSES, clusters, RECIPE, WIDTH } from "./made.ts";

const options = {
  train: clusters(60),
  validation: clusters(30, { seed: 1 }),
  classes: CLASSES,
  recipe: RECIPE,
  callbacks: [],
};

test("learns classes that can be told apart, on features of very different scales", async () => {
  const scale = Float32Array.of(1000, 1, 0.001, 1);
  const stretched = ({ features, labels }: typeof options.train) => ({
    labels,
    features: features.map((v, i) => v * scale[i % WIDTH]! + 5),
  });
  const train = stretched(options.train);
  const validation = stretched(options.validation);
  const { parameters, history } = await trainHead({ ...options, train, validation });
  await using evaluator = await HeadEvaluator.create(headGraph({ width: WIDTH, numClasses: 3 }), CLASSES, RECIPE);
  const { metrics } = await evaluator.evaluate(parameters, validation);
  expect(metrics.accuracy).toBeGreaterThan(0.96);
  // The folded head measures on raw features what training measured on standardized ones.
  expect(metrics.loss).toBeCloseTo(Math.min(...history.map(({ validation: v }) => v["loss"]!)), 4);
});

test("equal seeds give equal bits, other seeds do not", async () => {
  const weights = async (seed: number) =>
    [...(await trainHead({ ...options, recipe: { ...RECIPE, seed } })).parameters.values()].map(({ data }) => data);
  expect(await weights(1)).toEqual(await weights(1));
  expect(await weights(2)).not.toEqual(await weights(1));
});

test.each(["sgd", "adam", "adamw"] as const)("learns with %s", async (optimizer) => {
  const { history } = await trainHead({ ...options, recipe: { ...RECIPE, optimizer } });
  expect(history.at(-1)!.validation["accuracy"]).toBeGreaterThan(0.96);
});

test("learns independent classes with binary cross-entropy", async () => {
  const { history } = await trainHead({ ...options, recipe: { ...RECIPE, loss: "binary-cross-entropy" } });
  expect(history.at(-1)!.validation["accuracy"]).toBeGreaterThan(0.96);
});
