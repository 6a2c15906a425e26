import { expect, test } from "vitest";
import type { Dataset, Sample, Split } from "../../../src/data/sample.ts";
import { rng } from "../../../src/random.ts";
import { checkSplitShift } from "../../../src/train/check/check-split-shift.ts";

const WIDTH = 12;

interface Made {
  readonly shift?: number;
  /** Share of the second class, or mean of the target, in validation; 0.5 in training. */
  readonly share?: number;
  readonly copies?: number;
  readonly task?: Dataset["task"];
}

/** 120 training and 60 validation images; `copies` of each, in one group. */
function made({ shift = 0, share = 0.5, copies = 1, task = "single-label" }: Made, seed = 0) {
  const random = rng(`split shift ${seed}`);
  const samples: Sample[] = [];
  const rows: number[][] = [];
  const groups: number[] = [];
  for (let i = 0; i < 180; i++) {
    const split: Split = i < 120 ? "train" : "validation";
    const label = Number(random.next() < (split === "train" ? 0.5 : share));
    const value = task === "regression" ? label + random.next() : label;
    const row = Array.from(
      { length: WIDTH },
      (_, j) => random.normal() + 4 * value * Number(j === 0) + (i < 120 ? 0 : shift),
    );
    for (let copy = 0; copy < copies; copy++) {
      const path = `${i}-${copy}.png`;
      const target = task === "multi-label" ? (label ? [0, 1] : [0]) : [value];
      samples.push({ file: path, path, target, split, sha256: path, bytes: 1 });
      rows.push(row.map((feature) => feature + 0.01 * random.normal()));
      groups.push(i);
    }
  }
  const data: Dataset = {
    root: "data",
    task,
    classes: ["ant", "bee"],
    samples,
    skipped: [],
    notes: [],
    splitSource: "folders",
  };
  return { set: { features: Float32Array.from(rows.flat()), samples, failed: [], fromCache: 0 }, data, groups, seed };
}

const kinds = (options: Made, seed = 0): string[] =>
  checkSplitShift(made(options, seed)).findings.map(({ kind }) => kind);

test("equal splits are no finding, a shift is one and names images of the split", () => {
  for (let seed = 0; seed < 10; seed++) expect(kinds({}, seed)).toEqual([]);
  const { findings, measured } = checkSplitShift(made({ shift: 0.7 }));
  expect(findings.map(({ kind }) => kind)).toEqual(["distribution-shift"]);
  expect(findings[0]!.message).toContain("Images of validation differ from training images of the same class");
  expect(findings[0]!.files).toHaveLength(10);
  expect(Number(findings[0]!.files[0]!.path.split("-")[0])).toBeGreaterThanOrEqual(120);
  expect(measured.find(({ name }) => name.includes("AUC"))!.value).toBeGreaterThan(0.7);
});

test("other shares of the classes are said as that, and are no shift", () => {
  for (let seed = 0; seed < 5; seed++) expect(kinds({ share: 0.9 }, seed)).toEqual(["class-mix"]);
  expect(checkSplitShift(made({ share: 0.9 })).findings[0]!.message).toMatch(/ant \d+ % and \d+ %/);
});

test("copies of a picture in one group do not make chance look certain", () => {
  for (let seed = 0; seed < 10; seed++) expect(kinds({ copies: 4 }, seed)).not.toContain("distribution-shift");
});

test("sets of labels and values are compared within what they are", () => {
  for (let seed = 0; seed < 5; seed++) expect(kinds({ task: "multi-label", share: 0.9 }, seed)).toEqual([]);
  for (let seed = 0; seed < 5; seed++) expect(kinds({ task: "regression" }, seed)).toEqual([]);
  expect(kinds({ task: "multi-label", shift: 0.7 })).toEqual(["distribution-shift"]);
  expect(kinds({ task: "regression", shift: 0.7 })).toEqual(["distribution-shift"]);
});

test("few images of a split cannot be told", () => {
  const { set, data, groups, seed } = made({});
  const few = { ...set, samples: set.samples.slice(0, 125), features: set.features.slice(0, 125 * WIDTH) };
  const { findings, untold } = checkSplitShift({ set: few, data, groups: groups.slice(0, 125), seed });
  expect(findings).toEqual([]);
  expect(untold.join()).toContain("Whether validation images are like training images cannot be told: at least 10");
});
