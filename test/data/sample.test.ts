import { expect, test } from "vitest";
import { bySplit, type Dataset, labelsOf, manifest } from "../../src/data/sample.ts";

const sample = {
  file: "/home/me/p/a/1.png",
  path: "a/1.png",
  target: [0],
  split: "train",
  sha256: "00",
  bytes: 9,
} as const;
const data: Dataset = {
  root: "/home/me/p",
  task: "single-label",
  classes: ["a", "b"],
  samples: [
    sample,
    { ...sample, path: "b/1.png", target: [1] },
    { ...sample, path: "b/2.png", target: [1], split: "test" },
  ],
  skipped: [],
  notes: [],
  splitSource: { seed: 1, fraction: 0.2 },
};

test("bySplit and labelsOf", () => {
  expect([...labelsOf(bySplit(data, "train"))]).toEqual([0, 1]);
  expect(bySplit(data, "validation")).toEqual([]);
});

test("the manifest survives JSON and holds no absolute path", () => {
  const record = manifest(data);
  expect(JSON.parse(JSON.stringify(record))).toEqual(record);
  expect(JSON.stringify(record)).not.toContain("/home");
  expect(record.samples[2]).toEqual({ path: "b/2.png", target: [1], split: "test", sha256: "00" });
});
