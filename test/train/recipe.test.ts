import { expect, test } from "vitest";
import type { FineTuneOptions } from "../../src/train/options.ts";
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

test.each<[FineTuneOptions, string]>([
  [{ epochs: 0 }, "epochs requires a whole number from 1, got 0"],
  [{ epochs: 2.5 }, "epochs requires"],
  [{ batchSize: -1 }, "batchSize requires"],
  [{ learningRate: 0 }, "learningRate requires a number above 0, got 0"],
  [{ learningRate: Number.NaN }, "learningRate requires"],
  [{ weightDecay: -1 }, "weightDecay requires"],
  [{ patience: 0 }, "patience requires"],
  [{ seed: -1 }, "seed requires"],
  [{ autotune: true }, 'autotune requires layers that train, got unfreeze "head"'],
  [
    { optimizer: "newton" as "sgd" },
    'optimizer requires one of sgd, adam, adamw, rmsprop, adagrad, lion, got "newton"',
  ],
  [
    { optimizer: { name: "adamw", momentum: 0.9 } },
    'optimizer adamw takes betas, epsilon, weightDecay, got "momentum"',
  ],
  [{ optimizer: { name: "sgd", momentum: 2 } }, "momentum must be in [0, 1), got 2"],
  [{ schedule: { name: "step", stepSize: 0 } }, "stepSize"],
  [{ schedule: { name: "plateau", factor: 2 } }, "factor"],
  [{ loss: { name: "focal", gamma: -1 } }, "gamma"],
  [{ loss: { name: "cross-entropy", soft: true } }, "is soft where samples are mixed"],
  [{ layerDecay: 0.5 }, "layerDecay requires layers that train"],
  [{ unfreeze: "last", layerDecay: 1.5 }, "layerDecay requires a number above 0 and up to 1, got 1.5"],
  [{ averageDecay: 1 }, "averageDecay requires a number from 0 and below 1, got 1"],
  [{ soup: 0 }, "soup requires a whole number from 1, got 0"],
  [{ monitor: { measure: "loss", mode: "least" as "min" } }, "monitor.mode requires one of min, max"],
  [{ classWeights: "all" as "none" }, "classWeights requires one of none, balanced, effective"],
  [{ strategy: "best" as "auto" }, "strategy requires probe, head, last, last:N, gradual, full or auto"],
  [{ strategy: "full", unfreeze: "last" }, "Leave one of them out"],
  [{ strategy: "probe", autotune: true }, 'got strategy "probe"'],
  [{ loss: "mse" as "cross-entropy" }, "loss requires one of cross-entropy, binary-cross-entropy"],
])("%o is refused", (options, message) => {
  expect(() => recipe(options, 100)).toThrow(
    expect.objectContaining({ code: "BAD_CONFIG", message: expect.stringContaining(message) }),
  );
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

test("every task has its default loss, and refuses those of others with the ones that fit", () => {
  expect(recipe({}, 100, { task: "multi-label" })).toMatchObject({ loss: "binary-cross-entropy", optimizer: "adamw" });
  expect(recipe({ loss: "huber" }, 100, { task: "regression" }).loss).toBe("huber");
  expect(() => recipe({ loss: "cross-entropy" }, 100, { task: "multi-label" })).toThrow(
    expect.objectContaining({
      code: "BAD_CONFIG",
      message:
        'loss requires one for multi-label data, which is binary-cross-entropy or binary-focal, got "cross-entropy".',
    }),
  );
});
