import { expect, test } from "vitest";
import { describeRecipe } from "../../src/train/describe-recipe.ts";
import type { FineTuneOptions } from "../../src/train/options.ts";
import { type Problem, recipe } from "../../src/train/recipe.ts";

const described = (options: FineTuneOptions, problem: Problem = {}) => describeRecipe(recipe(options, 640, problem));

test("names what a run trains with where nothing was asked for", () => {
  expect(described({})).toBe(
    "head: adamw (betas 0.9|0.999), learning rate 0.002, cosine with a warm-up of up to 10 %, weight decay 1, batch size 32, up to 30 epochs, at most 10 without a validation loss that is smaller, cross-entropy, seed 0",
  );
  expect(described({}, { task: "regression", width: 640 })).toContain(
    "head: sgd (momentum 0.9), learning rate 0.0006, cosine with a warm-up of up to 10 %, weight decay 1, ",
  );
  expect(described({ strategy: "gradual" })).toMatch(
    /^last, then last:2, then all: adamw .* learning rate 0\.0002, .* weight decay 0\.05, batch size 16, up to 8 epochs each/,
  );
  expect(described({ strategy: "probe" })).toMatch(/^the probe alone/);
});

test.each<[FineTuneOptions, string]>([
  [{ optimizer: { name: "sgd", momentum: 0.5, nesterov: true } }, "sgd (momentum 0.5, nesterov), learning rate 0.001"],
  [{ optimizer: { name: "rmsprop", epsilon: 1e-3 } }, "rmsprop (smoothing 0.99, epsilon 0.001)"],
  [{ learningRate: 0.1, findLearningRate: true }, "learning rate of a search, or 0.1 where it finds none"],
  [{ schedule: { name: "multi-step", milestones: [3, 6] }, warmup: 0 }, "0.0002, multi-step (milestones 3|6), weight"],
  [{ schedule: "one-cycle" }, ", one-cycle, weight decay"],
  [{ weightDecay: 0 }, "no weight decay"],
  [{ batchSize: 12, microBatch: 4 }, "batch size 12 in parts of 4"],
  [{ epochs: 1 }, "up to 1 epoch,"],
  [
    { monitor: { measure: "accuracy", mode: "max" }, patience: 3, minDelta: 0.01 },
    "at most 3 without a validation accuracy that is larger by 0.01",
  ],
  [{ loss: { name: "focal", gamma: 1.5 } }, ", focal (gamma 1.5), soup of 3, seed 0"],
  [
    { labelSmoothing: 0.1, classWeights: "balanced" },
    "cross-entropy (label smoothing 0.1) with class weights balanced",
  ],
  [{ classWeights: [1, 2.5] }, "with class weights 1|2.5"],
  [{ headRate: 10 }, ", head rate 10,"],
  [{ layerDecay: 0.75 }, ", layer decay 0.75,"],
  [{ clipNorm: 1 }, ", clip norm 1,"],
  [{ startPenalty: 0.01 }, ", start penalty 0.01,"],
  [{ averageDecay: 0.998 }, ", average decay 0.998,"],
  [{ soup: 3 }, ", soup of 3,"],
  [{ mixup: 0.2 }, ", mixup 0.2,"],
  [{ cutMix: 1 }, ", CutMix 1,"],
  [{ batchNorm: "affine" }, ", batch norm affine,"],
  [{ autotune: true }, ", autotune,"],
  [{ keepHead: false }, ", without the probe as epoch 0,"],
  [{ seed: 7 }, ", seed 7"],
])("%o is said", (options, words) => {
  expect(described({ unfreeze: "all", ...options })).toContain(words);
});

test("every option that decides the result changes the line, and nothing is undefined", () => {
  const plain = recipe({ unfreeze: "all" }, 640);
  const said = describeRecipe(plain);
  const silent = Object.entries(plain).flatMap(([name, value]) => {
    if (typeof value === "object" || ["optimizer", "schedule", "loss"].includes(name)) return []; // above
    const changed = typeof value === "boolean" ? !value : typeof value === "number" ? value + 0.5 : "other";
    return describeRecipe({ ...plain, [name]: changed }) === said ? [name] : [];
  });
  expect(silent).toEqual([]);
  expect(said).not.toMatch(/undefined|NaN|object/);
});
