import { expect, test } from "vitest";
import type { Dataset, Sample } from "../../../src/data/sample.ts";
import { rng } from "../../../src/random.ts";
import { checkLabels } from "../../../src/train/check/check-labels.ts";
import { clusters } from "../made.ts";

const sample = (label: number, i: number): Sample => ({
  file: `data/${i}.png`,
  path: `${i}.png`,
  target: [label],
  split: "train",
  sha256: String(i),
  bytes: 1,
});

/** Images whose features lie in three clusters, with these labels. */
function made(labels: readonly number[], changes: Partial<Dataset> = {}) {
  const samples = labels.map(sample);
  const data: Dataset = {
    root: "data",
    task: "single-label",
    classes: ["ant", "bee", "cat"],
    samples,
    skipped: [],
    notes: [],
    splitSource: "folders",
    ...changes,
  };
  const { features } = clusters(labels.length, { spread: 0.4 });
  return { set: { features, samples, failed: [], fromCache: 0 }, data, groups: [...samples.keys()], seed: 0 };
}

const labels = Array.from({ length: 120 }, (_, i) => i % 3);

test("clean labels are no finding; a wrong one is named with what it looks like", () => {
  expect(checkLabels(made(labels)).findings).toEqual([]);
  const { findings } = checkLabels(made(labels.map((label, i) => (i === 30 ? 1 : label))));
  expect(findings).toHaveLength(1);
  expect(findings[0]!.message).toMatch(/^1 image looks like another class/);
  expect(findings[0]!.files).toHaveLength(1);
  expect(findings[0]!.files[0]).toMatchObject({ path: "30.png", file: "data/30.png" });
  expect(findings[0]!.files[0]!.detail).toMatch(/^labelled bee, looks like ant \(margin 0\.\d\d\)$/);
});

test("features that say nothing of the classes are no judge", () => {
  const random = rng(5);
  const { findings, untold } = checkLabels(made(labels.map(() => Math.floor(3 * random.next()))));
  expect(findings).toEqual([]);
  expect(untold.join()).toMatch(/Label errors cannot be told: .* at least 40 %/);
});

test("other tasks, one class and few images are left alone", () => {
  expect(checkLabels(made(labels, { task: "multi-label" })).untold.join()).toContain("one label for each image");
  expect(checkLabels(made(labels, { classes: ["ant"] })).untold.join()).toContain("at least two classes");
  expect(checkLabels(made(labels.slice(0, 19))).untold.join()).toContain("fewer than 20");
});
