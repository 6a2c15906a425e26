import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type ClassificationMetrics, evaluateClassification } from "../../src/metrics/classification.ts";
import { classifiedSamples, measureClassified } from "../../src/metrics/classified-samples.ts";
import { ACTIVATIONS, type ClassActivation } from "../../src/metrics/probabilities.ts";
import { expectMeasures, GOLDEN } from "./golden.ts";

interface Golden {
  readonly cases: readonly {
    readonly name: string;
    readonly activation: ClassActivation;
    readonly logits: readonly (readonly number[])[];
    readonly labels: readonly number[];
    readonly probabilities: readonly (readonly number[])[];
    readonly metrics: ClassificationMetrics;
    readonly perClass: Readonly<Record<"precision" | "recall" | "f1" | "support", readonly number[]>>;
    readonly confusion: readonly (readonly number[])[];
  }[];
}

// The file is made by make.py beside it, in this form.
const golden = JSON.parse(
  readFileSync(new URL("../golden/metrics/classification.json", import.meta.url), "utf8"),
) as Golden;

function classNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `class ${i}`);
}

function close(actual: number, expected: number, what: string): void {
  expect(Math.abs(actual - expected), what).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(expected)));
}

describe("agreement with scikit-learn", () => {
  test.each(golden.cases)("$name", ({ activation, logits, labels, probabilities, metrics, perClass, confusion }) => {
    const flat = Float32Array.from(logits.flat());
    const classes = classNames(logits[0]!.length);
    const result = evaluateClassification({ logits: flat, labels, classes, activation });
    for (const name of ["loss", "accuracy", "balancedAccuracy", "macroF1"] as const) {
      close(result.metrics[name], metrics[name], name);
    }
    close(result.metrics.accuracyInterval[0], metrics.accuracyInterval[0], "low");
    close(result.metrics.accuracyInterval[1], metrics.accuracyInterval[1], "high");
    expect(result.confusion).toEqual(confusion);
    expect(result.perClass.map((entry) => entry.label)).toEqual(classes);
    for (const name of ["precision", "recall", "f1", "support"] as const) {
      for (const [i, expected] of perClass[name].entries()) close(result.perClass[i]![name], expected, `${name} ${i}`);
    }
    const actual = ACTIVATIONS[activation](flat, classes.length);
    for (const [i, expected] of probabilities.flat().entries()) expect(actual[i]).toBeCloseTo(expected, 6);
  });

  test.each(GOLDEN.classifiers)("in further measures: $name", ({ name, metrics, drawn }) => {
    const { logits, labels, activation } = golden.cases.find((row) => row.name === name)!;
    const flat = Float32Array.from(logits.flat());
    const classes = classNames(logits[0]!.length);
    const result = evaluateClassification({ logits: flat, labels, classes, activation });
    expectMeasures(result.metrics, metrics);
    for (const [measure, [low, high]] of Object.entries(result.intervals)) {
      const value = (result.metrics as unknown as Record<string, number>)[measure]!; // every interval is of a measure
      expect([measure, low <= value && value <= high]).toEqual([measure, true]);
    }
    const samples = classifiedSamples(flat, labels, { numClasses: classes.length, activation });
    expectMeasures(measureClassified(samples, Uint16Array.from(drawn.counts)), drawn.metrics);
  });

  test("covers every activation of classes", () => {
    const all = Object.keys(ACTIVATIONS).filter((name) => name !== "identity");
    expect(new Set(golden.cases.map((row) => row.activation))).toEqual(new Set(all));
  });

  test("covers classes without labels, without predictions, and without both", () => {
    const kinds = golden.cases.flatMap(({ confusion }) =>
      confusion.map((row, i) => `${row.some(Boolean) ? "labels" : "-"} ${confusion.some((r) => r[i]) ? "found" : "-"}`),
    );
    expect(new Set(kinds)).toEqual(new Set(["labels found", "labels -", "- found", "- -"]));
  });
});

describe("evaluateClassification", () => {
  const classes = ["cat", "dog"];

  test("reads labels from typed arrays as from lists", () => {
    const logits = Float32Array.of(1, 0, 0, 1);
    const both = [[0, 0], Int32Array.of(0, 0)].map((labels) =>
      evaluateClassification({ logits, labels, classes, activation: "softmax" }),
    );
    expect(both[0]).toEqual(both[1]);
  });

  test("computes huge losses without overflow", () => {
    const logits = Float32Array.of(3e38, -3e38);
    const loss = (activation: ClassActivation) =>
      evaluateClassification({ logits, labels: [1], classes, activation }).metrics.loss;
    expect(loss("softmax")).toBeCloseTo(2 * logits[0]!, -32);
    expect(loss("sigmoid")).toBeCloseTo(logits[0]!, -32);
  });

  test("computes tiny losses without cancellation", () => {
    const logits = Float32Array.of(40, -40);
    const { loss } = evaluateClassification({ logits, labels: [0], classes, activation: "sigmoid" }).metrics;
    expect(loss / Math.exp(-40)).toBeCloseTo(1, 12);
  });

  test("survives JSON, whatever is missing", () => {
    const result = evaluateClassification({
      logits: Float32Array.of(1, 0, 0),
      labels: [2],
      classes: classNames(3),
      activation: "softmax",
    });
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    expect(result.metrics).toMatchObject({ accuracy: 0, balancedAccuracy: 0, macroF1: 0 });
  });

  test("says how sure it is that all are right from how many there are", () => {
    const of = (count: number) =>
      evaluateClassification({
        logits: Float32Array.from({ length: 2 * count }, (_, i) => Number(i % 2 === Math.floor(i / 2) % 2)),
        labels: Array.from({ length: count }, (_, i) => i % 2),
        classes,
        activation: "softmax",
      }).intervals;
    for (const name of ["accuracy", "balancedAccuracy", "macroF1", "kappa", "rocAuc"] as const) {
      expect([name, of(10)[name]![0] < 0.73, of(100)[name]![0] > 0.95]).toEqual([name, true, true]);
      expect(of(100)[name]![1]).toBe(1);
    }
  });

  test("has a reliability diagram of its predictions, and as many guesses as make sense", () => {
    const { reliability, metrics, topK } = evaluateClassification({
      logits: Float32Array.of(3, 0, 0, 1),
      labels: [0, 0],
      classes,
      activation: "softmax",
    });
    expect(reliability.map(({ count }) => count)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    const gaps = reliability.map(({ count, accuracy, confidence }) => count * Math.abs(accuracy - confidence));
    expect(metrics.calibrationError).toBeCloseTo(gaps.reduce((a, b) => a + b) / 2, 12);
    expect([topK, metrics.topKAccuracy]).toEqual([1, 0.5]);
    const many = evaluateClassification({
      logits: Float32Array.of(6, 5, 4, 3, 2, 1),
      labels: [4],
      classes: classNames(6),
      activation: "softmax",
    });
    expect([many.topK, many.metrics.topKAccuracy, many.metrics.accuracy]).toEqual([5, 1, 0]);
  });

  test("refuses an empty evaluation", () => {
    const call = () =>
      evaluateClassification({ logits: new Float32Array(0), labels: [], classes, activation: "softmax" });
    expect(call).toThrow(
      expect.objectContaining({
        code: "BAD_DATA",
        message: expect.stringContaining("requires at least one sample, got 0."),
      }),
    );
  });

  test("refuses logits that do not match the labels and shows both shapes", () => {
    const call = () =>
      evaluateClassification({ logits: new Float32Array(6), labels: [0, 1], classes, activation: "softmax" });
    expect(call).toThrow(
      expect.objectContaining({
        code: "SHAPE_MISMATCH",
        message: "evaluateClassification requires logits [n, 2] and labels [n], got [3, 2] and [2].",
      }),
    );
  });

  test("refuses a label that is no class", () => {
    const call = () =>
      evaluateClassification({ logits: new Float32Array(4), labels: [0, 2], classes, activation: "softmax" });
    expect(call).toThrow(new RangeError("label of sample 1 must be a class index in [0, 2), got 2."));
  });

  test("refuses logits that are not finite and counts the samples", () => {
    const logits = Float32Array.of(Number.NaN, 0, 0, 0);
    const call = () => evaluateClassification({ logits, labels: [0, 1], classes, activation: "sigmoid" });
    expect(call).toThrow(
      expect.objectContaining({
        code: "BAD_MODEL",
        message: expect.stringContaining("1 of 2 samples, first for sample 0"),
      }),
    );
  });
});
