import { expect, test } from "vitest";
import {
  DEFAULT_LOSSES,
  LOSS_OPTION_NAMES,
  LOSSES,
  type LossName,
  type LossOptions,
  lossesFor,
} from "../../src/losses/table.ts";

test("every loss is listed under its own name", () => {
  const entries = Object.entries(LOSSES);
  expect(entries.map(([name]) => name)).toEqual([
    "cross-entropy",
    "binary-cross-entropy",
    "focal",
    "binary-focal",
    "distillation",
    "mean-squared-error",
    "mean-absolute-error",
    "huber",
  ]);
  for (const [name, make] of entries) expect(make().name).toBe(name);
});

test("every loss says how its logits become probabilities", () => {
  expect(LOSSES["cross-entropy"]().activation).toBe("softmax");
  expect(LOSSES["binary-cross-entropy"]().activation).toBe("sigmoid");
  for (const name of lossesFor("regression")) expect(LOSSES[name]().activation).toBe("identity");
});

test("the losses of the table have their default options", () => {
  expect(LOSSES["cross-entropy"]().options).toEqual({ labelSmoothing: 0 });
  expect(LOSSES.huber().options).toEqual({ delta: 1 });
});

test("every task has its losses, the default first", () => {
  expect(lossesFor("single-label")).toEqual([
    "cross-entropy",
    "binary-cross-entropy",
    "focal",
    "binary-focal",
    "distillation",
  ]);
  expect(lossesFor("multi-label")).toEqual(["binary-cross-entropy", "binary-focal"]);
  expect(lossesFor("regression")).toEqual(["mean-squared-error", "mean-absolute-error", "huber"]);
  for (const [task, name] of Object.entries(DEFAULT_LOSSES)) expect(LOSSES[name]().tasks).toContain(task);
});

test("every loss records the options that it has a use for, and no others", () => {
  const all: Required<LossOptions> = {
    labelSmoothing: 0.1,
    classWeights: [1, 2],
    soft: true,
    positiveWeights: [2, 1],
    gamma: 1,
    alpha: 0.5,
    temperature: 3,
    delta: 2,
  };
  for (const [name, options] of Object.entries(LOSS_OPTION_NAMES)) {
    const wanted = Object.fromEntries(options.map((option) => [option, all[option]]));
    expect(LOSSES[name as LossName](all).options, name).toEqual(wanted); // the keys of the table are all there are
  }
});
