import { expect, test } from "vitest";
import type { FineTuneOptions } from "../../src/train/options.ts";
import { recipe } from "../../src/train/recipe.ts";
import { named, optionNamesOf } from "../../src/train/recipe-checks.ts";

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
  [{ threads: 0 }, "threads requires a whole number from 1, got 0"],
  [{ memoryBytes: -1 }, "memoryBytes requires a number from 0, got -1"],
  [{ keepCheckpoints: 1.5 }, "keepCheckpoints requires a whole number from 1, got 1.5"],
  [{ monitor: { measure: "", mode: "min" } }, 'monitor.measure requires the name of a measure, got ""'],
  [{ loss: "distillation", labelSmoothing: 0.1 }, "labelSmoothing requires the loss cross-entropy or focal"],
  [{ strategy: "probe", epochs: 3 }, "epochs requires something that trains"],
  [{ batchNorm: "train" }, 'batchNorm "train" requires layers that train'],
  [{ averageDecay: 1 }, "averageDecay requires a number from 0 and below 1, got 1"],
  [{ soup: 0 }, "soup requires a whole number from 1, got 0"],
  [{ monitor: { measure: "loss", mode: "least" as "min" } }, "monitor.mode requires one of min, max"],
  [{ classWeights: "all" as "none" }, "classWeights requires one of none, balanced, effective"],
  [{ strategy: "best" as "auto" }, "strategy requires probe, head, last, last:N, gradual, full or auto"],
  [{ strategy: "full", unfreeze: "last" }, "Leave one of them out"],
  [{ strategy: "probe", autotune: true }, 'got strategy "probe"'],
  [
    { optimizer: { name: "sgd", weightDecay: 1 }, weightDecay: 1 },
    "weightDecay must not be given with weightDecay in optimizer, got 1 and 1. Leave one of them out.",
  ],
  [
    { loss: { name: "cross-entropy", labelSmoothing: 0.4 }, labelSmoothing: 0 },
    "labelSmoothing must not be given with",
  ],
  [
    { loss: { name: "cross-entropy", classWeights: [1, 3] }, classWeights: [3, 1] },
    "classWeights must not be given with classWeights in loss, got [3, 1] and [1, 3].",
  ],
  [{ optimizer: { name: "adam", betas: 0.9 as never } }, "adam: betas must be a list of two numbers, got 0.9."],
  [{ optimizer: { name: "lion", betas: [0.9] as never } }, "lion: betas must be a list of two numbers, got 1."],
  [{ optimizer: 5 as never }, "optimizer requires a name, or an object with a name and options, got 5."],
  [
    { schedule: "one-cycle", warmup: 0.2 },
    "warmup requires another schedule than one-cycle, which rises by itself, got 0.2. Leave it out, or say how long that takes: one-cycle with warmupShare 0.2.",
  ],
  [
    { unfreeze: "last", microBatch: 8, batchSize: 4 },
    "microBatch requires at most batchSize, 4, of which it is a part, got 8.",
  ],
  [{ mixup: 1e9 }, "mixup requires 0, or from 1e-6 to 1e6, got 1000000000."],
  [{ unfreeze: "all", cutMix: 1e-9 }, "cutMix requires 0, or from 1e-6 to 1e6"],
  [{ epochs: "3" as never }, 'epochs requires a whole number from 1, got "3".'],
  [{ loss: "mse" as "cross-entropy" }, "loss requires one of cross-entropy, binary-cross-entropy"],
])("%o is refused", (options, message) => {
  expect(() => recipe(options, 100)).toThrow(
    expect.objectContaining({ code: "BAD_CONFIG", message: expect.stringContaining(message) }),
  );
});

test.each<[FineTuneOptions, "multi-label" | "regression", string]>([
  [
    { loss: "cross-entropy" },
    "multi-label",
    'loss requires one for multi-label data, which is binary-cross-entropy or binary-focal, got "cross-entropy".',
  ],
  [{ classWeights: "balanced" }, "regression", "classWeights requires classes, got a regression. Leave it out."],
  [{ cutMix: 1, unfreeze: "all" }, "regression", "cutMix requires classes, got a regression. Use mixup."],
])("%o is refused of %s data", (options, task, message) => {
  expect(() => recipe(options, 100, { task })).toThrow(expect.objectContaining({ code: "BAD_CONFIG", message }));
});

test("a choice is its name, or an object with its own options", () => {
  const table = optionNamesOf({ a: { optionNames: ["x"] }, b: { optionNames: [] } });
  expect(named<"a" | "b", { x?: number }>("letter", "a", table)).toEqual({ name: "a" });
  expect(named<"a" | "b", { x?: number }>("letter", { name: "a", x: 1 }, table)).toEqual({ name: "a", x: 1 });
  expect(() => named<"a" | "b", { x?: number }>("letter", { name: "b", x: 1 }, table)).toThrow(
    'letter b takes no options, got "x".',
  );
});
