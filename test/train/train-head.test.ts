import { expect, test } from "vitest";
import { memoryRows } from "../../src/features/rows.ts";
import { evaluateClassification } from "../../src/metrics/classification.ts";
import { scoreRows } from "../../src/train/score.ts";
import { trainHead } from "../../src/train/train-head.ts";
import { CLASSES, clusters, headStep, RECIPE, WIDTH } from "./made.ts";

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
  const { folded, history } = await trainHead({ ...options, train, validation });
  await using step = await headStep({ parameters: folded });
  const logits = await scoreRows(step, memoryRows(validation.features, WIDTH));
  const { metrics } = evaluateClassification({
    logits,
    labels: validation.labels,
    classes: CLASSES,
    activation: "softmax",
  });
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
