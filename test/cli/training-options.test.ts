import { describe, expect, test } from "vitest";
import { parseOptions, UsageError } from "../../src/cli/arguments.ts";
import { trainingOptions, trainingSettings } from "../../src/cli/training-options.ts";
import { recipe } from "../../src/train/recipe.ts";

const settings = (...args: string[]) => trainingSettings(parseOptions(args, trainingOptions).options);

test("nothing given is everything by default, with seed 0", () => {
  const given = Object.entries(settings()).filter(([, value]) => value !== undefined);
  expect(Object.fromEntries(given)).toEqual({ seed: 0, autotune: false, findLearningRate: false });
  expect(recipe(settings(), 100)).toEqual(recipe({}, 100));
});

/** A value for each option, and the settings that it makes. */
const GIVEN: { readonly [K in keyof typeof trainingOptions]: readonly [string | undefined, object] } = {
  strategy: ["last:2", { strategy: "last:2" }],
  unfreeze: ["layer4.*", { unfreeze: "layer4.*" }],
  "batch-norm": ["adapt", { batchNorm: "adapt" }],
  epochs: ["7", { epochs: 7 }],
  "batch-size": ["24", { batchSize: 24 }],
  "micro-batch": ["6", { microBatch: 6 }],
  "learning-rate": ["3e-4", { learningRate: 3e-4 }],
  "find-learning-rate": [undefined, { findLearningRate: true }],
  schedule: ["multi-step:milestones=2|5", { schedule: { name: "multi-step", milestones: [2, 5] } }],
  warmup: ["0.25", { warmup: 0.25 }],
  optimizer: ["sgd:nesterov=true", { optimizer: { name: "sgd", nesterov: true } }],
  "weight-decay": ["0", { weightDecay: 0 }],
  "head-rate": ["10", { headRate: 10 }],
  "layer-decay": ["0.7", { layerDecay: 0.7 }],
  "clip-norm": ["1", { clipNorm: 1 }],
  "start-penalty": ["0.01", { startPenalty: 0.01 }],
  "average-decay": ["0.99", { averageDecay: 0.99 }],
  soup: ["3", { soup: 3 }],
  loss: ["focal:gamma=1.5", { loss: { name: "focal", gamma: 1.5 } }],
  "label-smoothing": ["0.1", { labelSmoothing: 0.1 }],
  "class-weights": ["1,2.5, 3", { classWeights: [1, 2.5, 3] }],
  mixup: ["0.2", { mixup: 0.2 }],
  "cut-mix": ["1", { cutMix: 1 }],
  monitor: ["accuracy", { monitor: { measure: "accuracy", mode: "max" } }],
  patience: ["4", { patience: 4 }],
  "min-delta": ["0.001", { minDelta: 0.001 }],
  seed: ["9", { seed: 9 }],
  autotune: [undefined, { autotune: true }],
  "checkpoint-seconds": ["0", { checkpointSeconds: 0 }],
  "keep-checkpoints": ["5", { keepCheckpoints: 5 }],
};

test.each(Object.entries(GIVEN))("--%s %s", (name, [value, wanted]) => {
  expect(settings(`--${name}`, ...(value === undefined ? [] : [value]))).toEqual({ ...settings(), ...wanted });
});

test("all together are a recipe", () => {
  const { strategy: _strategy, "class-weights": _weights, loss: _loss, "learning-rate": _rate, ...rest } = GIVEN;
  const args = Object.entries(rest).flatMap(([name, [value]]) => [
    `--${name}`,
    ...(value === undefined ? [] : [value]),
  ]);
  expect(recipe(settings(...args, "--class-weights", "effective"), 100)).toMatchObject({
    phases: ["layer4.*"],
    schedule: "multi-step",
    scheduleOptions: { milestones: [2, 5] },
    optimizer: "sgd",
    optimizerOptions: { nesterov: true },
    classWeights: "effective",
    microBatch: 6,
  });
});

describe("the monitor", () => {
  test.each([
    ["loss", "loss", "min"],
    ["mae", "mae", "min"],
    ["rmse", "rmse", "min"],
    ["r2", "r2", "max"],
    ["macroF1", "macroF1", "max"],
    ["loss:max", "loss", "max"],
    ["accuracy:min", "accuracy", "min"],
  ])("%s is %s, the more or the less: %s", (text, measure, mode) => {
    expect(settings("--monitor", text).monitor).toEqual({ measure, mode });
  });
});

test.each([
  [["--monitor", "loss:most"], "--monitor requires a measure such as accuracy or loss:min"],
  [["--monitor", ":min"], "--monitor requires"],
  [["--class-weights", "equal"], "--class-weights requires none, balanced, effective or numbers above 0"],
  [["--class-weights", "1,0"], "--class-weights requires"],
  [["--class-weights", "1,,2"], "--class-weights requires"],
  [["--class-weights", "1,Infinity"], "--class-weights requires"],
  [["--optimizer", "newton"], "--optimizer requires one of sgd, adam, adamw, rmsprop, adagrad, lion"],
  [["--schedule", "linear"], "cosine-restarts, one-cycle, plateau, got"],
  [["--loss", "hinge"], "--loss requires one of cross-entropy"],
  [["--batch-norm", "none"], "--batch-norm requires one of freeze, affine, train, adapt"],
  [["--epochs", "0"], "--epochs requires a whole number from 1"],
  [["--learning-rate", "0"], "--learning-rate requires a number from 1e-12"],
  [["--warmup", "-1"], "--warmup requires a number from 0"],
])("%j is a mistake on the command line", (args, message) => {
  expect(() => settings(...args)).toThrow(UsageError);
  expect(() => settings(...args)).toThrow(message);
});
