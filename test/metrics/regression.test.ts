import { describe, expect, test } from "vitest";
import { evaluateRegression } from "../../src/metrics/regression.ts";
import { expectMeasures, GOLDEN } from "./golden.ts";

describe("a regression's evaluation", () => {
  // The example of scikit-learn's documentation of r2_score and mean_absolute_error.
  test("has scikit-learn's errors and coefficient of determination", () => {
    const { metrics, perTarget, count, task } = evaluateRegression({
      predictions: Float32Array.of(2.5, 0, 2, 8),
      values: Float32Array.of(3, -0.5, 2, 7),
      targets: ["y"],
    });
    expect([task, count]).toEqual(["regression", 4]);
    expect(metrics.mae).toBeCloseTo(0.5, 12);
    expect(metrics.rmse).toBeCloseTo(Math.sqrt(0.375), 12);
    expect(metrics.r2).toBeCloseTo(0.9486081370449679, 12);
    expect(metrics).not.toHaveProperty("baseline");
    expect(perTarget).toEqual([{ target: "y", ...metrics }]);
  });

  test.each(GOLDEN.regression)("agrees with scikit-learn and SciPy: $name", (row) => {
    const { metrics, intervals } = evaluateRegression({
      predictions: Float32Array.from(row.predictions),
      values: Float32Array.from(row.values),
      targets: ["y"],
    });
    expectMeasures(metrics, row.metrics, 1e-12);
    for (const name of ["mae", "rmse", "r2", "spearman", "medianError"] as const) {
      const [low, high] = intervals[name];
      expect([name, low <= metrics[name] && metrics[name] <= high && low < high]).toEqual([name, true]);
    }
  });

  test("of two images that are one is finite", () => {
    const same = Float32Array.of(1, 1);
    const result = evaluateRegression({ predictions: same, values: same, targets: ["y"] });
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    expect(result.metrics).toMatchObject({ r2: 1, spearman: 0, medianError: 0 });
  });

  test("of several targets is the mean over them", () => {
    // The example of r2_score(multioutput="uniform_average"): targets [0.5, -1, 7] and [1, 1, -6].
    const { metrics, perTarget } = evaluateRegression({
      predictions: Float32Array.of(0, 2, -1, 2, 8, -5),
      values: Float32Array.of(0.5, 1, -1, 1, 7, -6),
      targets: ["a", "b"],
      trainingMean: [1, -1],
    });
    expect(perTarget[0]!.r2).toBeCloseTo(0.9654377880184332, 12);
    expect(perTarget[1]!.r2).toBeCloseTo(0.9081632653061225, 12);
    expect(metrics.r2).toBeCloseTo((0.9654377880184332 + 0.9081632653061225) / 2, 12);
    expect(metrics.mae).toBeCloseTo((0.5 + 1) / 2, 12);
    expect(perTarget[0]!.baseline!.mae).toBeCloseTo((0.5 + 2 + 6) / 3, 12);
    expect(perTarget[1]!.baseline!.rmse).toBeCloseTo(Math.sqrt((4 + 4 + 25) / 3), 12);
    expect(metrics.baseline!.mae).toBeCloseTo((8.5 / 3 + 3) / 2, 12);
  });

  test("of a value that never varies is 1 without error and 0 with one, as r2_score's force_finite", () => {
    const of = (predictions: number[]) =>
      evaluateRegression({
        predictions: Float32Array.from(predictions),
        values: new Float32Array(predictions.length).fill(0.1),
        targets: ["y"],
      }).metrics.r2;
    expect(of([0.1, 0.1, 0.1])).toBe(1);
    expect(of([0.1, 0.1, 0.2])).toBe(0);
    expect(of([7])).toBe(0);
  });

  test("is 0 for the mean of the measured samples and below for worse", () => {
    const of = (value: number) =>
      evaluateRegression({
        predictions: new Float32Array(3).fill(value),
        values: Float32Array.of(1, 2, 3),
        targets: ["y"],
      }).metrics.r2;
    expect(of(2)).toBeCloseTo(0, 12);
    expect(of(4)).toBeCloseTo(1 - (9 + 4 + 1) / 2, 12);
  });

  test("refuses other shapes, no samples and numbers that are none", () => {
    const values = Float32Array.of(1, 2);
    const targets = ["y"];
    const none = new Float32Array();
    expect(() => evaluateRegression({ predictions: values, values: none, targets })).toThrow(/got 2 and 0 elements/);
    expect(() => evaluateRegression({ predictions: none, values: none, targets })).toThrow(/at least one sample/);
    const infinite = Float32Array.of(1, Number.POSITIVE_INFINITY);
    expect(() => evaluateRegression({ predictions: infinite, values, targets })).toThrow(/finite/);
    expect(() => evaluateRegression({ predictions: values, values: infinite, targets })).toThrow(
      /finite number, got Infinity/,
    );
  });
});
