import { describe, expect, test } from "vitest";
import { parseOptions, UsageError } from "../../src/cli/arguments.ts";
import { checkForData, trainingOptions, trainingSettings } from "../../src/cli/training-options.ts";
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
  "memory-limit": ["1.5", { memoryLimit: 1.5e9 }],
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

test("weight decay may be a setting of the optimizer, but not twice", () => {
  expect(settings("--optimizer", "sgd:weight-decay=5,momentum=0.5")).toMatchObject({
    optimizer: { name: "sgd", momentum: 0.5 },
    weightDecay: 5,
  });
  expect(() => settings("--optimizer", "sgd:weightDecay=5", "--weight-decay", "5")).toThrow(
    "--weight-decay 5 is given, and --optimizer sgd with weightDecay=5. Leave one of them out.",
  );
});

describe("what only some data can have", () => {
  const flowers = { task: "single-label", classes: ["daisy", "rose", "tulip"] } as const;
  const check = (args: readonly string[], data: Parameters<typeof checkForData>[1] = flowers) =>
    checkForData(settings(...args), data);

  test.each([[[]], [["--monitor", "macroF1"]], [["--class-weights", "1,2,3"]], [["--class-weights", "balanced"]]])(
    "%j fits",
    (args) => {
      expect(() => check(args)).not.toThrow();
    },
  );

  test("a weight for each class, in their order", () => {
    expect(() => check(["--class-weights", "1,2"])).toThrow(
      "--class-weights requires a number for each of the 3 classes, in the order daisy, rose, tulip, got 2.",
    );
    expect(() => check(["--class-weights", "1"], { task: "regression", classes: ["age"] })).toThrow(
      "--class-weights requires classes, got numbers to predict.",
    );
    expect(() => check(["--class-weights", "1,2"])).toThrow(UsageError);
  });

  test("a measure that the task has", () => {
    expect(() => check(["--monitor", "rmse"])).toThrow(
      '--monitor requires a measure of single-label data, loss, accuracy, balancedAccuracy, macroF1; got "rmse".',
    );
  });
});

test.each([
  [["--monitor", "loss:most"], "--monitor requires a measure"],
  [
    ["--strategy", "last:0"],
    '--strategy requires probe, head, last, last:N, gradual, full or auto with N from 1, got "last:0".',
  ],
  [["--strategy", "all"], "--strategy requires probe"],
  [["--memory-limit", "0"], "--memory-limit requires a number from 0.000001"],
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
