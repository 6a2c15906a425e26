import { describe, expect, test } from "vitest";
import { classCounts, classFindings, labelFindings, targetFindings } from "../../../src/data/check/class-findings.ts";
import type { Dataset, Sample, Split, Task } from "../../../src/data/sample.ts";

function sample(target: readonly number[], split: Split, i: number): Sample {
  return { file: `/d/${i}.jpg`, path: `${i}.jpg`, target, split, sha256: String(i).padStart(64, "0"), bytes: 1 };
}

function dataset(task: Task, classes: readonly string[], samples: readonly Sample[]): Dataset {
  return { root: "/d", task, classes, samples, skipped: [], notes: [], splitSource: "folders" };
}

/** Single-label data with so many images of each class in each split. */
function counted(counts: Readonly<Record<string, Partial<Record<Split, number>>>>): Dataset {
  const classes = Object.keys(counts);
  const samples: Sample[] = [];
  for (const [label, name] of classes.entries())
    for (const [split, count] of Object.entries(counts[name]!))
      for (let i = 0; i < count; i++) samples.push(sample([label], split as Split, samples.length));
  return dataset("single-label", classes, samples);
}

const kinds = (data: Dataset): readonly string[] =>
  classFindings(data, []).map(({ kind, severity }) => `${severity} ${kind}`);

describe("classFindings", () => {
  test("finds nothing in balanced data", () => {
    expect(kinds(counted({ a: { train: 20, validation: 5 }, b: { train: 30, validation: 5 } }))).toEqual([]);
  });

  test("finds one class only, and none", () => {
    expect(kinds(counted({ a: { train: 20 } }))).toEqual(["error one-class"]);
    expect(kinds(counted({}))).toEqual(["error one-class"]);
  });

  test("finds classes that miss from a split, worse from train", () => {
    const data = counted({ a: { train: 20, test: 3 }, b: { train: 20 }, c: { test: 4 }, d: { train: 20, test: 1 } });
    const findings = classFindings(data, []);
    expect(findings.map(({ kind, severity }) => `${severity} ${kind}`)).toEqual([
      "error untrained-class",
      "warning missing-from-split",
    ]);
    expect(findings[0]!.message).toBe("1 class without train images: c.");
    expect(findings[1]!.message).toBe("1 class without test images: b.");
    expect(findings[1]!.advice).toContain("mix up the labels");
  });

  test("a class of several that training never shows is a warning", () => {
    const sample = (split: Split, target: readonly number[], i: number) => ({
      ...{ file: `/d/${i}`, path: `${i}`, target, split, sha256: `${i}`, bytes: 1 },
    });
    const data = dataset("multi-label", ["a", "b"], [sample("train", [0], 0), sample("test", [1], 1)]);
    expect(kinds(data)).toContain("warning untrained-class");
  });

  test("says nothing of numbering where the last class misses", () => {
    const data = counted({ a: { train: 20, test: 3 }, b: { train: 20 } });
    expect(classFindings(data, [])[0]!.advice).not.toContain("mix up");
  });

  test.each([
    ["Cat", "cat"],
    ["cat", "cat "],
    ["hot_dog", "hot dog"],
    ["dog", "dog (2)"],
    ["dog", "dog - copy"],
    ["ﬁr", "fir"],
  ])("finds %j and %j alike, and an error across splits", (a, b) => {
    expect(kinds(counted({ [a]: { train: 20 }, [b]: { train: 20 } }))).toEqual(["warning class-names-alike"]);
    expect(kinds(counted({ [a]: { train: 20 }, [b]: { test: 20 }, z: { train: 20, test: 20 } }))).toContain(
      "error class-names-differ",
    );
  });

  test.each([
    ["dog", "dogs"],
    ["2", "22"],
    ["a (1)", "b (1)"],
  ])("does not take %j for %j", (a, b) => {
    expect(kinds(counted({ [a]: { train: 20 }, [b]: { train: 20 } }))).toEqual([]);
  });

  test("finds imbalance from 3 on, and warns from 20 on", () => {
    expect(kinds(counted({ a: { train: 60 }, b: { train: 20 } }))).toEqual([]);
    expect(kinds(counted({ a: { train: 61 }, b: { train: 20 } }))).toEqual(["info imbalance"]);
    expect(kinds(counted({ a: { train: 401 }, b: { train: 20 } }))).toEqual(["warning imbalance"]);
  });

  test("finds classes of one image and of few", () => {
    expect(kinds(counted({ a: { train: 12 }, b: { train: 1 }, c: { train: 9 } }))).toEqual([
      "warning one-image-class",
      "info few-images",
      "info imbalance",
    ]);
  });

  test("counts the labels of each split", () => {
    const data = dataset(
      "multi-label",
      ["x", "y"],
      [sample([0, 1], "train", 0), sample([1], "test", 1), sample([], "test", 2)],
    );
    expect(classCounts(data)).toEqual([
      { name: "x", train: 1, validation: 0, test: 0 },
      { name: "y", train: 1, validation: 0, test: 1 },
    ]);
  });
});

test("labelFindings finds labels that are always there, and images without", () => {
  const samples = [sample([0, 2], "train", 0), sample([0], "train", 1), sample([0, 2], "train", 2)];
  const found = labelFindings(dataset("multi-label", ["on", "off", "some"], samples));
  expect(found.map(({ message }) => message)).toEqual(["Every image has on."]);
  const without = labelFindings(
    dataset(
      "multi-label",
      ["on", "some"],
      [...samples.map((s) => ({ ...s, target: [1] })), sample([], "train", 9), sample([0], "train", 8)],
    ),
  );
  expect(without).toMatchObject([{ kind: "unlabelled", files: [{ path: "9.jpg" }] }]);
});

describe("targetFindings", () => {
  const values = (list: readonly number[]): Dataset =>
    dataset(
      "regression",
      ["y"],
      list.map((value, i) => sample([value], "train", i)),
    );

  test("finds a constant", () => {
    expect(targetFindings(values([3, 3, 3]))).toMatchObject([{ kind: "constant-target", severity: "error" }]);
  });

  test("finds the code for a missing value, by file", () => {
    const list = Array.from({ length: 200 }, (_, i) => Math.sin(i));
    list[77] = -999;
    expect(targetFindings(values(list))).toMatchObject([
      { kind: "outlying-target", files: [{ path: "77.jpg", detail: "-999" }] },
    ]);
  });

  test("finds values that a model cannot tell apart", () => {
    expect(targetFindings(values([1e6, 1e6 + 0.01]))).toMatchObject([{ kind: "constant-target", severity: "error" }]);
    expect(targetFindings(values([1e7, 1e7 + 1]))).toMatchObject([
      { kind: "constant-target", severity: "warning", message: expect.stringContaining("only 1 step of single") },
    ]);
    expect(targetFindings(values([1e7, 1e7 + 100]))).toEqual([]);
  });

  test("takes a long tail for what it is", () => {
    expect(targetFindings(values(Array.from({ length: 300 }, (_, i) => Math.exp(i / 40))))).toEqual([]);
  });
});
