import { expect, test } from "vitest";
import type { Task } from "../../src/data/sample.ts";
import { binaryCrossEntropy } from "../../src/losses/binary-cross-entropy.ts";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { meanSquaredError } from "../../src/losses/regression.ts";
import { checkMeasure, EPOCH_MEASURES } from "../../src/train/epoch-measures.ts";
import { epochMeasures } from "../../src/train/measure.ts";

const LOSSES = {
  "single-label": crossEntropy(),
  "multi-label": binaryCrossEntropy(),
  regression: meanSquaredError(),
} as const satisfies Record<Task, unknown>;

test.each(Object.keys(LOSSES) as Task[])(
  "the measures of %s are those of an epoch, right outputs best",
  async (task) => {
    const width = task === "single-label" ? 1 : 2;
    const values = task === "single-label" ? Float32Array.of(0, 1) : Float32Array.of(0, 1, 1, 0);
    const targets = { task, values, width };
    const of = (outputs: Float32Array) =>
      epochMeasures(outputs, { targets, classes: ["a", "b"], loss: LOSSES[task], scale: undefined });
    const right = task === "regression" ? values : task === "single-label" ? [3, -3, -3, 3] : [-3, 3, 3, -3];
    const [good, bad] = [
      await of(Float32Array.from(right)),
      await of(Float32Array.from(right, (value) => 0.5 - 2 * value)),
    ];
    expect(Object.keys(good).sort()).toEqual(Object.keys(EPOCH_MEASURES[task]).sort());
    for (const [measure, mode] of Object.entries(EPOCH_MEASURES[task]))
      expect([measure, Math.sign(good[measure]! - bad[measure]!)]).toEqual([measure, mode === "min" ? -1 : 1]);
  },
);

test("another measure is refused with those that there are, and the wrong way with the right one", () => {
  checkMeasure("monitor", { measure: "r2", mode: "max" }, "regression");
  expect(() => checkMeasure("monitor", { measure: "acuracy", mode: "max" }, "single-label")).toThrow(
    'monitor.measure requires what is measured of single-label data, loss, accuracy, balancedAccuracy, macroF1, got "acuracy". Did you mean "accuracy"?',
  );
  expect(() => checkMeasure("monitor", { measure: "toString", mode: "max" }, "single-label")).toThrow("requires what");
  expect(() => checkMeasure("monitor", { measure: "loss", mode: "max" }, "multi-label")).toThrow(
    'of loss, less is better, got the mode "max". Use { measure: "loss", mode: "min" }.',
  );
  expect(() => checkMeasure("monitor", { measure: "accuracy", mode: "min" }, "single-label")).toThrow("more is better");
});
