import { expect, test } from "vitest";
import { findLabelIssues } from "../../../src/metrics/label-issues.ts";
import { argmaxRows } from "../../../src/metrics/probabilities.ts";
import { rng } from "../../../src/random.ts";
import { outOfFold } from "../../../src/train/check/out-of-fold.ts";
import { clusters, WIDTH } from "../made.ts";

const plain = (count: number, options?: Parameters<typeof clusters>[1]) => ({
  features: clusters(count, options).features,
  labels: Int32Array.from({ length: count }, (_, i) => i % 3), // as `clusters` has them
});

test("gives each row probabilities of classifiers that did not see it", () => {
  const { features, labels } = plain(150, { spread: 0.5 });
  const probabilities = outOfFold({ features, labels, numClasses: 3 });
  expect(probabilities).toHaveLength(450);
  for (let i = 0; i < 150; i++)
    expect(probabilities.subarray(3 * i, 3 * i + 3).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  const right = argmaxRows(probabilities, 3).filter((label, i) => label === labels[i]).length;
  expect(right).toBeGreaterThan(140);
});

test("labels without any relation to the features are not learned by heart", () => {
  const random = rng(3);
  const features = Float32Array.from({ length: 120 * 200 }, () => random.normal());
  const labels = Int32Array.from({ length: 120 }, (_, i) => i % 2);
  const probabilities = outOfFold({ features, labels, numClasses: 2 });
  const right = argmaxRows(probabilities, 2).filter((label, i) => label === labels[i]).length;
  expect(right).toBeGreaterThan(35);
  expect(right).toBeLessThan(85);
});

test("rows of one group are held out together", () => {
  // Each picture four times, with a label of its own at random: only its copies could tell it.
  const random = rng(4);
  const rows = Array.from({ length: 50 }, () => Array.from({ length: 40 }, () => random.normal()));
  const label = rows.map(() => Math.floor(2 * random.next()));
  const groups = Array.from({ length: 200 }, (_, i) => i % 50);
  const features = Float32Array.from(groups.flatMap((g) => rows[g]!));
  const labels = groups.map((g) => label[g]!);
  const right = (given?: number[]) =>
    argmaxRows(outOfFold({ features, labels, numClasses: 2, groups: given }), 2).filter((c, i) => c === labels[i])
      .length;
  expect(right()).toBeGreaterThan(160);
  expect(right(groups)).toBeLessThan(140);
});

test("planted label errors are found", () => {
  const { features, labels } = plain(300, { spread: 0.4 });
  const planted = new Set([5, 50, 99, 120, 200, 280, 31, 77]);
  const given = labels.map((label, i) => (planted.has(i) ? (label + 1) % 3 : label));
  const probabilities = outOfFold({ features, labels: given, numClasses: 3 });
  const { issues } = findLabelIssues({ probabilities, labels: given, numClasses: 3 });
  const found = issues.filter(({ index }) => planted.has(index));
  expect(found.length).toBeGreaterThanOrEqual(6); // some are less sure than the mean of their class
  expect(found.every(({ index, suggested }) => suggested === labels[index])).toBe(true);
  expect(issues.length - found.length).toBeLessThanOrEqual(1);
});

test("equal inputs give equal bits, and another seed other folds", () => {
  const { features, labels } = plain(60, { spread: 1 });
  const once = outOfFold({ features, labels, numClasses: 3 }, { seed: 1 });
  expect(outOfFold({ features, labels, numClasses: 3 }, { seed: 1 })).toEqual(once);
  expect(outOfFold({ features, labels, numClasses: 3 }, { seed: 2 })).not.toEqual(once);
});

test("a class of one image and constant features give numbers", () => {
  const labels = Int32Array.from({ length: 30 }, (_, i) => (i === 0 ? 2 : i % 2));
  const { features } = plain(30);
  expect(outOfFold({ features, labels, numClasses: 3 }).every(Number.isFinite)).toBe(true);
  const constant = outOfFold({ features: new Float32Array(30 * WIDTH).fill(2), labels, numClasses: 3 });
  expect(constant.every(Number.isFinite)).toBe(true);
});

test("what cannot be used is refused", () => {
  const { features, labels } = plain(9);
  expect(() => outOfFold({ features, labels, numClasses: 3, groups: new Array(9).fill("a") })).toThrow(
    "holding out 5 parts requires at least 5 images or groups, got 1.",
  );
  expect(() => outOfFold({ features: features.subarray(1), labels, numClasses: 3 })).toThrow("outOfFold requires");
  expect(() => outOfFold({ features, labels, numClasses: 2 })).toThrow("label 2 of row 2");
  expect(() => outOfFold({ features, labels, numClasses: 3 }, { folds: 1 })).toThrow("at least 2");
});
