import { expect, test } from "vitest";
import { type FineTuneOptions, recipe } from "../../src/train/options.ts";

test("fills in everything that decides the result", () => {
  expect(recipe({}, 244)).toEqual({
    unfreeze: "head",
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
  [{ optimizer: "lion" as "sgd" }, 'optimizer requires one of sgd, adam, adamw, got "lion"'],
  [{ loss: "mse" as "cross-entropy" }, "loss requires one of cross-entropy, binary-cross-entropy"],
])("%o is refused", (options, message) => {
  expect(() => recipe(options, 100)).toThrow(
    expect.objectContaining({ code: "BAD_CONFIG", message: expect.stringContaining(message) }),
  );
});

test("autotune goes with layers that train", () => {
  expect(recipe({ autotune: true, unfreeze: "last" }, 100).autotune).toBe(true);
});
