import { expect, test } from "vitest";
import { recipe } from "../../src/train/recipe.ts";

test("fills in everything that decides the result", () => {
  expect(recipe({}, 244)).toEqual({
    phases: ["head"],
    keepHead: true,
    batchNorm: "freeze",
    epochs: 75, // 8 steps each: 600 updates
    batchSize: 32,
    learningRate: 2e-3,
    optimizer: "adamw",
    weightDecay: 1,
    loss: "cross-entropy",
    labelSmoothing: 0,
    autotune: false,
    microBatch: 0,
    findLearningRate: false,
    schedule: "cosine",
    scheduleOptions: {},
    warmup: 0.1,
    optimizerOptions: {},
    headRate: 1,
    layerDecay: 1,
    clipNorm: 0,
    startPenalty: 0,
    averageDecay: 0,
    soup: 1,
    lossOptions: {},
    classWeights: "none",
    mixup: 0,
    cutMix: 0,
    monitor: { measure: "loss", mode: "min" },
    minDelta: 0,
    patience: 15,
    seed: 0,
  });
});

test("the number of epochs stays between 20 and 100, and a given one is kept", () => {
  expect([recipe({}, 10).epochs, recipe({}, 100_000).epochs, recipe({ epochs: 3 }, 10).epochs]).toEqual([100, 20, 3]);
});

test("learning rate and decay are those of the optimizer", () => {
  expect(recipe({ optimizer: "sgd" }, 100)).toMatchObject({ learningRate: 0.01, weightDecay: 0.001 });
  expect(recipe({ optimizer: "sgd", learningRate: 0.5, weightDecay: 0 }, 100)).toMatchObject({
    learningRate: 0.5,
    weightDecay: 0,
  });
});

test("autotune goes with layers that train", () => {
  expect(recipe({ autotune: true, unfreeze: "last" }, 100).autotune).toBe(true);
});

test("a regression has rates of its own, for its number of features", () => {
  const of = (width: number, options = {}) => recipe(options, 100, { task: "regression", width });
  expect(of(1280)).toMatchObject({ loss: "mean-squared-error", optimizer: "sgd", learningRate: 3e-4, weightDecay: 2 });
  expect(of(640)).toMatchObject({ learningRate: 6e-4, weightDecay: 1 });
  expect(of(8)).toMatchObject({ learningRate: 1e-2, weightDecay: 0.0125 }); // never above the rate of a classifier's head
  expect(of(1280, { optimizer: "adamw" })).toMatchObject({ learningRate: 5e-4, weightDecay: 10 });
  expect(of(1280, { unfreeze: "last" })).toMatchObject({ optimizer: "adamw", learningRate: 2e-4 });
  expect(of(1280, { learningRate: 0.1, weightDecay: 0 })).toMatchObject({ learningRate: 0.1, weightDecay: 0 });
});

test("every task has its default loss, and takes those that fit", () => {
  expect(recipe({}, 100, { task: "multi-label" })).toMatchObject({ loss: "binary-cross-entropy", optimizer: "adamw" });
  expect(recipe({ loss: "huber" }, 100, { task: "regression" }).loss).toBe("huber");
});

test("weight decay given with the optimizer is the weight decay, in one place", () => {
  const { weightDecay, optimizerOptions } = recipe({ optimizer: { name: "sgd", momentum: 0.5, weightDecay: 50 } }, 100);
  expect([weightDecay, optimizerOptions]).toEqual([50, { momentum: 0.5 }]);
  expect(recipe({ optimizer: { name: "adamw", weightDecay: 0 } }, 100).weightDecay).toBe(0);
  expect(() => recipe({ optimizer: { name: "sgd", weightDecay: -1 } }, 100)).toThrow("weightDecay requires");
});

test("the best epochs are averaged where the network trains", () => {
  expect([
    recipe({}, 100).soup,
    recipe({ strategy: "last" }, 100).soup,
    recipe({ strategy: "full", soup: 1 }, 100).soup,
  ]).toEqual([1, 3, 1]);
});

test("one-cycle has no warm-up of its own", () => {
  expect(recipe({ schedule: "one-cycle" }, 100).warmup).toBe(0);
  expect(recipe({ schedule: "one-cycle", warmup: 0 }, 100).warmup).toBe(0);
});
