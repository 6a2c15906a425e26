import { describe, expect, test } from "vitest";
import { type Comparable, compareEvaluations } from "../../src/metrics/compare.ts";
import { type EvaluationResults, evaluateResults } from "../../src/metrics/evaluation.ts";
import { wilsonInterval } from "../../src/metrics/interval.ts";
import { isMeasure, MEASURES } from "../../src/metrics/measures.ts";
import { rng } from "../../src/random.ts";
import { GOLDEN } from "./golden.ts";

/** A classifier of two classes that is right on the images before `right`, and on those of `also`. */
function classifier(count: number, right: number, also: readonly number[] = []): EvaluationResults {
  const labels = Array.from({ length: count }, (_, i) => i % 2);
  const random = rng(right);
  const logits = Float32Array.from({ length: 2 * count }, (_, at) => {
    const i = Math.floor(at / 2);
    const correct = i < right || also.includes(i);
    return (at % 2 === labels[i]) === correct ? 1 + random.next() : 0;
  });
  return { task: "single-label", logits, labels, classes: ["a", "b"], activation: "softmax" };
}

const accuracyOf = (successes: number, trials: number): Comparable => ({
  task: "single-label",
  metrics: { accuracy: successes / trials, accuracyInterval: [0, 1] },
  intervals: { accuracy: wilsonInterval(successes, trials) },
});

describe("by their intervals", () => {
  test.each(GOLDEN.proportions)("shares $a/$of and $b/$and differ as Newcombe says", (row) => {
    const { differences, warning, paired } = compareEvaluations(accuracyOf(row.a, row.of), accuracyOf(row.b, row.and));
    expect(differences).toHaveLength(1);
    const [{ interval, differs, difference }] = differences as [(typeof differences)[number]];
    expect(difference).toBeCloseTo(row.b / row.and - row.a / row.of, 12);
    expect(interval[0]).toBeCloseTo(row.low, 8);
    expect(interval[1]).toBeCloseTo(row.high, 8);
    expect(differs).toBe(row.low > 0 || row.high < 0);
    expect([paired, warning === undefined]).toEqual([false, differs]);
  });

  test("measures without an interval, and what is no measure, are left out", () => {
    const old = { task: "single-label", metrics: { accuracy: 0.5, accuracyInterval: [0, 1], constructor: 1 } } as const;
    expect(compareEvaluations(old, accuracyOf(1, 2))).toEqual({ paired: false, differences: [] });
    const odd = { ...old, intervals: { accuracy: ["0", 1] } };
    expect(compareEvaluations(odd, odd).differences).toEqual([]);
  });

  test("a smaller loss is better", () => {
    const run = (loss: number): Comparable => ({
      task: "single-label",
      metrics: { loss },
      intervals: { loss: [loss - 0.01, loss + 0.01] },
    });
    expect(compareEvaluations(run(0.5), run(0.4)).differences[0]).toMatchObject({ differs: true, better: "b" });
    expect(compareEvaluations(run(0.4), run(0.5)).differences[0]).toMatchObject({ differs: true, better: "a" });
  });

  test("the warning says in words what is known", () => {
    expect(compareEvaluations(accuracyOf(141, 150), accuracyOf(142, 150)).warning).toMatch(
      /^The accuracy of the two runs \(94\.0 % and 94\.7 %\) differs by 0\.7 points, less than chance explains \(95 % interval of the difference: -\d\.\d to \d\.\d points\)\./,
    );
  });
});

describe("on the same images", () => {
  test("a small difference that is always in one direction is found, which intervals alone do not see", () => {
    const [a, b] = [classifier(200, 170), classifier(200, 180)];
    const [first, second] = [a, b].map(evaluateResults);
    expect(compareEvaluations(first!, second!).differences[0]).toBeDefined();
    const byIntervals = compareEvaluations(first!, second!).differences.find(({ measure }) => measure === "accuracy")!;
    expect(byIntervals.differs).toBe(false);
    const { differences, paired, warning } = compareEvaluations(first!, second!, { a, b });
    const accuracy = differences.find(({ measure }) => measure === "accuracy")!;
    expect(accuracy).toMatchObject({ differs: true, better: "b" });
    expect(accuracy.pValue).toBeCloseTo(2 * 0.5 ** 10, 12);
    expect(accuracy.interval[0]).toBeGreaterThan(0.01);
    expect([paired, warning]).toEqual([true, undefined]);
  });

  test("runs that are right on other images in equal number do not differ", () => {
    const [a, b] = [classifier(100, 90), classifier(100, 80, [90, 91, 92, 93, 94, 95, 96, 97, 98, 99])];
    const { differences, warning } = compareEvaluations(evaluateResults(a), evaluateResults(b), { a, b });
    expect(differences.find(({ measure }) => measure === "accuracy")).toMatchObject({ differs: false, pValue: 1 });
    expect(warning).toContain("less than chance explains");
  });

  test("a run equals itself, in every measure of every task", () => {
    const random = rng(1);
    const values = Float32Array.from({ length: 60 }, () => random.normal());
    const noisy = values.map((value) => value + random.normal());
    const targets = values.map((value) => Number(value > 0));
    const all: EvaluationResults[] = [
      classifier(30, 20),
      { task: "multi-label", logits: noisy, targets, classes: ["a", "b"] },
      { task: "regression", predictions: noisy, values, targets: ["x", "y"] },
    ];
    const seen = all.flatMap((results) => {
      const evaluation = evaluateResults(results);
      const { differences } = compareEvaluations(evaluation, evaluation, { a: results, b: results });
      for (const row of differences) expect(row).toMatchObject({ difference: 0, interval: [0, 0], differs: false });
      for (const name of Object.keys(evaluation.metrics).filter(isMeasure))
        expect([name, name in evaluation.intervals]).toEqual([name, true]);
      return differences.map(({ measure }) => measure);
    });
    expect(new Set(seen)).toEqual(new Set(Object.keys(MEASURES)));
  });

  test("refuses other images and other tasks", () => {
    const [a, b] = [classifier(30, 20), classifier(32, 20)];
    const [first, second] = [a, b].map(evaluateResults);
    expect(() => compareEvaluations(first!, second!, { a, b })).toThrow(/same images/);
    expect(() => compareEvaluations(first!, { ...second!, task: "regression" } as Comparable)).toThrow(/one task/);
  });
});
