import { describe, expect, test } from "vitest";
import { LOSSES } from "../../src/losses/table.ts";
import { classTargets, type Targets } from "../../src/losses/targets.ts";
import { epochMeasures, measureOutputs } from "../../src/train/measure.ts";

const classes = ["a", "b"];
const several: Targets = { task: "multi-label", values: Float32Array.of(1, 0, 1, 1), width: 2 };
const numbers: Targets = { task: "regression", values: Float32Array.of(1, 20, 3, 40), width: 2 };

describe("measuring", () => {
  test("takes the evaluation of the task", () => {
    const outputs = Float32Array.of(2, -1, 1, 3);
    const of = (targets: Targets, activation: "softmax" | "sigmoid" | "identity") =>
      measureOutputs(outputs, targets, { classes, activation, trainingMean: [0, 0] });
    expect(of(classTargets([0, 1]), "softmax")).toMatchObject({ task: "single-label", metrics: { accuracy: 1 } });
    expect(of(several, "sigmoid")).toMatchObject({ task: "multi-label", metrics: { exactMatch: 1 } });
    expect(of(numbers, "identity")).toMatchObject({ task: "regression", metrics: { baseline: { mae: 16 } } });
    expect(() => of(classTargets([0, 1]), "identity")).toThrow(/probabilities/);
  });
});

describe("the measures of an epoch", () => {
  const of = (outputs: readonly number[], targets: Targets, loss: keyof typeof LOSSES) =>
    epochMeasures(Float32Array.from(outputs), {
      targets,
      classes,
      loss: LOSSES[loss](),
      scale: targets === numbers ? { mean: [2, 30], deviation: [1, 10] } : undefined,
    });

  test("always have the loss, which decides the best epoch", async () => {
    const single = await of([0, 0, 0, 0], classTargets([0, 1]), "cross-entropy");
    expect(Object.keys(single)).toEqual(["loss", "accuracy", "balancedAccuracy", "macroF1"]);
    expect(single["loss"]).toBeCloseTo(Math.log(2), 6);
    const multi = await of([0, 0, 0, 0], several, "binary-cross-entropy");
    expect(Object.keys(multi)).toEqual(["loss", "exactMatch", "microF1", "macroF1", "meanAveragePrecision"]);
    expect(multi["loss"]).toBeCloseTo(Math.log(2), 6);
  });

  test("of numbers have the loss of scaled targets and errors in the targets' own unit", async () => {
    // Scaled targets are -1, -1, 1, 1; outputs 0, 0, 1, 2 stand for 2, 30, 3, 50.
    const outputs = [0, 0, 1, 2];
    const squared = await of(outputs, numbers, "mean-squared-error");
    expect(squared["loss"]).toBeCloseTo((1 + 1 + 0 + 1) / 4, 6);
    expect(squared["mae"]).toBeCloseTo((0.5 + 10) / 2, 5);
    expect((await of(outputs, numbers, "huber"))["loss"]).toBeCloseTo((0.5 + 0.5 + 0 + 0.5) / 4, 6);
    expect(Object.keys(squared)).toEqual(["loss", "mae", "rmse", "r2"]);
  });
});
