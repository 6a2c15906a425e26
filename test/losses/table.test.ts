import { expect, test } from "vitest";
import { DEFAULT_LOSSES, LOSSES, lossesFor } from "../../src/losses/table.ts";

test("every loss is listed under its own name", () => {
  const entries = Object.entries(LOSSES);
  expect(entries.map(([name]) => name)).toEqual([
    "cross-entropy",
    "binary-cross-entropy",
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
  expect(lossesFor("single-label")).toEqual(["cross-entropy", "binary-cross-entropy"]);
  expect(lossesFor("multi-label")).toEqual(["binary-cross-entropy"]);
  expect(lossesFor("regression")).toEqual(["mean-squared-error", "mean-absolute-error", "huber"]);
  for (const [task, name] of Object.entries(DEFAULT_LOSSES)) expect(LOSSES[name]().tasks).toContain(task);
});
