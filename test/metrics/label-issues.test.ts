import { expect, test } from "vitest";
import { findLabelIssues } from "../../src/metrics/label-issues.ts";

/** Rows of probabilities of two classes, by that of the second. */
const two = (second: readonly number[]) => Float64Array.from(second.flatMap((p) => [1 - p, p]));

test("a sample that is confidently of another class is an issue, the surest first", () => {
  const second = [0.1, 0.1, 0.2, 0.1, 0.95, 0.9, 0.9, 0.8, 0.9, 0.01];
  const labels = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
  const { issues, joint, thresholds } = findLabelIssues({ probabilities: two(second), labels, numClasses: 2 });
  expect(issues.map(({ index, label, suggested }) => [index, label, suggested])).toEqual([
    [9, 1, 0],
    [4, 0, 1],
  ]);
  expect(issues[0]!.margin).toBeCloseTo(0.98, 10);
  expect(issues[1]!.confidence).toBeCloseTo(0.05, 10);
  expect(thresholds[0]).toBeCloseTo((0.9 + 0.9 + 0.8 + 0.9 + 0.05) / 5, 10);
  expect(joint[0]![1]).toBe(1);
  expect(joint[1]![0]).toBe(1);
});

test("thresholds by class: a class of which the model is less sure needs less to be suggested", () => {
  // Samples of class 1 get 0.5 at most, so 0.7 for a sample labelled 0 is much; of class 0 it would be usual.
  const second = [0.02, 0.02, 0.02, 0.02, 0.8, 0.5, 0.5, 0.4, 0.5, 0.5];
  const labels = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
  const { issues } = findLabelIssues({ probabilities: two(second), labels, numClasses: 2 });
  expect(issues.map(({ index }) => index)).toEqual([4]);
});

test("the margin decides how much of a lead is needed", () => {
  const second = [0.1, 0.1, 0.1, 0.1, 0.65, 0.6, 0.6, 0.6, 0.6, 0.6];
  const data = { probabilities: two(second), labels: [0, 0, 0, 0, 0, 1, 1, 1, 1, 1], numClasses: 2 };
  expect(findLabelIssues(data).issues).toEqual([]);
  expect(findLabelIssues(data, { margin: 0.2 }).issues.map(({ index }) => index)).toEqual([4]);
});

test("classes with fewer than five samples are neither judged nor suggested", () => {
  const second = [0.1, 0.1, 0.1, 0.1, 0.99, 0.01, 0.9];
  const data = { probabilities: two(second), labels: [0, 0, 0, 0, 0, 1, 1], numClasses: 2 };
  expect(findLabelIssues(data).issues).toEqual([]);
});

test("no samples have no issues", () => {
  expect(findLabelIssues({ probabilities: new Float32Array(0), labels: [], numClasses: 3 }).issues).toEqual([]);
});

test("what does not fit is refused", () => {
  const probabilities = two([0.5]);
  expect(() => findLabelIssues({ probabilities, labels: [0, 1], numClasses: 2 })).toThrow(
    "findLabelIssues requires probabilities [n, 2] and labels [n], got 2 numbers and [2].",
  );
  expect(() => findLabelIssues({ probabilities, labels: [2], numClasses: 2 })).toThrow(RangeError);
  expect(() => findLabelIssues({ probabilities, labels: [0], numClasses: 2 }, { margin: 2 })).toThrow(RangeError);
  expect(() => findLabelIssues({ probabilities, labels: [0], numClasses: 0 })).toThrow(RangeError);
});
