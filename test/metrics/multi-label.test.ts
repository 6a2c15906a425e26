import { describe, expect, test } from "vitest";
import { evaluateMultiLabel, summarizeMultiLabel } from "../../src/metrics/multi-label.ts";
import { expectMeasures, GOLDEN } from "./golden.ts";

const classes = ["a", "b", "c"];
/** Predicted: [a], [a, b], [b], [] — true: [a], [b], [b], [a, b]; c never. */
const logits = Float32Array.of(2, -1, -3, 1, 3, -2, -2, 1, -1, -1, -4, -3);
const targets = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0);

describe("a multi-label evaluation", () => {
  test("counts decisions at probability 0.5 as scikit-learn does", () => {
    const { metrics, perClass, count, task } = evaluateMultiLabel({ logits, targets, classes });
    expect([task, count]).toEqual(["multi-label", 4]);
    expect(metrics.exactMatch).toBe(0.5); // rows 1 and 3
    expect(metrics.microF1).toBeCloseTo(6 / 9, 12); // 3 right, 4 predicted, 5 true
    // Class a: right 1 of 2 predicted and 2 true. Class b: 2 of 2 and 3. Class c neither occurs nor is predicted.
    expect(perClass[0]).toMatchObject({ label: "a", precision: 0.5, recall: 0.5, f1: 0.5, support: 2 });
    expect(perClass[1]).toMatchObject({ label: "b", precision: 1, f1: 0.8, support: 3 });
    expect(perClass[1]!.recall).toBeCloseTo(2 / 3, 12);
    expect(perClass[2]).toMatchObject({ precision: 0, recall: 0, f1: 0, averagePrecision: 0, support: 0 });
    expect(metrics.macroF1).toBeCloseTo((0.5 + 0.8) / 2, 12);
    // a by score: true, false, true, false. b: true, true, false, true.
    expect(perClass[0]!.averagePrecision).toBeCloseTo((1 + 2 / 3) / 2, 12);
    expect(perClass[1]!.averagePrecision).toBeCloseTo((1 + 1 + 3 / 4) / 3, 12);
    expect(metrics.meanAveragePrecision).toBeCloseTo((5 / 6 + 11 / 12) / 2, 12);
  });

  test.each(GOLDEN.labelled)("agrees with scikit-learn: $name", (row) => {
    const results = {
      logits: Float32Array.from(row.logits.flat()),
      targets: Float32Array.from(row.targets.flat()),
      classes: row.thresholds.map((_, j) => `class ${j}`),
      thresholds: row.thresholds,
    };
    const { metrics, intervals, reliability } = evaluateMultiLabel(results);
    expectMeasures(metrics, row.metrics);
    expect(summarizeMultiLabel(results)).toEqual(metrics);
    expect(Object.keys(intervals).sort()).toEqual(Object.keys(metrics).sort());
    for (const [name, [low, high]] of Object.entries(intervals)) {
      const value = metrics[name as keyof typeof metrics]!; // one interval for each measure
      expect([name, low <= value && value <= high]).toEqual([name, true]);
    }
    expect(reliability.reduce((sum, { count }) => sum + count, 0)).toBe(results.logits.length);
  });

  test("decides each class by its threshold", () => {
    const { perClass } = evaluateMultiLabel({ logits, targets, classes, thresholds: [0.5, 0.01, 0.9] });
    expect(perClass.map(({ threshold }) => threshold)).toEqual([0.5, 0.01, 0.9]);
    expect(perClass[1]).toMatchObject({ precision: 3 / 4, recall: 1 }); // from logit -4.6 on
    for (const thresholds of [
      [0.5, 0.5],
      [0.5, 0.5, 1],
      [0, 0.5, 0.5],
      [0.5, Number.NaN, 0.5],
    ])
      expect(() => evaluateMultiLabel({ logits, targets, classes, thresholds })).toThrow(/3 numbers between 0 and 1/);
  });

  test("has the mean binary cross-entropy, of soft targets too", () => {
    const one = evaluateMultiLabel({
      logits: Float32Array.of(0, 2),
      targets: Float32Array.of(0.25, 0.75),
      classes: ["x"],
    });
    const second = Math.log(1 + Math.exp(2)) - 0.75 * 2;
    expect(one.metrics.loss).toBeCloseTo((Math.log(2) + second) / 2, 12);
    expect(one.perClass[0]!.support).toBe(1); // positive from 0.5 on
  });

  test("is finite where nothing is there and nothing is found", () => {
    const none = evaluateMultiLabel({
      logits: Float32Array.of(-1, -1),
      targets: new Float32Array(2),
      classes: ["a", "b"],
    });
    expect(none.metrics).toMatchObject({ exactMatch: 1, microF1: 0, macroF1: 0, meanAveragePrecision: 0 });
  });

  test("refuses other shapes, no samples, targets outside [0, 1] and scores that are no numbers", () => {
    expect(() => evaluateMultiLabel({ logits, targets: targets.subarray(3), classes })).toThrow(
      /logits and targets \[n, 3\]/,
    );
    const none = new Float32Array();
    expect(() => evaluateMultiLabel({ logits: none, targets: none, classes })).toThrow(/at least one sample/);
    expect(() => evaluateMultiLabel({ logits, targets: targets.map((x) => 2 * x), classes })).toThrow(
      /in \[0, 1\], got 2/,
    );
    expect(() => evaluateMultiLabel({ logits: logits.map(() => Number.NaN), targets, classes })).toThrow(/finite/);
  });
});
