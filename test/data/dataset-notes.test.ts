import { expect, test } from "vitest";
import { duplicateNotes, float32Steps, lookalikeNotes, splitNotes } from "../../src/data/dataset-notes.ts";
import type { Sample, Split } from "../../src/data/sample.ts";

test("duplicateNotes names at most three files of one content", () => {
  const samples = Array.from({ length: 100_000 }, (_, i): Sample => {
    return { file: `${i}`, path: `${i % 7}/${i}`, target: [i % 7], split: "train", sha256: "same", bytes: 1 };
  });
  expect(duplicateNotes(["a", "b", "c", "d", "e", "f", "g"], samples)).toEqual([
    "1 picture in more than one class: 0/0 = 1/1 = 2/2 = 99997 more (a, b, c, d, e and 2 more).",
  ]);
});

test("duplicateNotes truncates long lists", () => {
  const samples = Array.from({ length: 20 }, (_, i): Sample => {
    return { file: `${i}`, path: `a/${i}`, target: [0], split: "train", sha256: `${i >> 1}`, bytes: 1 };
  });
  expect(duplicateNotes(["a"], samples)).toEqual([
    "10 pictures more than once in one class: a/0 = a/1, a/2 = a/3, a/4 = a/5, a/6 = a/7, a/8 = a/9 and 5 more.",
  ]);
});

const sample = (target: readonly number[], split: Split, sha256 = ""): Sample => {
  return { file: "", path: `${target.join("-")}.png`, target, split, sha256, bytes: 1 };
};

test("duplicateNotes speaks of labels and values where there are no single classes", () => {
  const pair = [sample([0, 1], "train", "x"), sample([], "train", "x")];
  expect(duplicateNotes(["a", "b"], pair, "multi-label")).toEqual([
    "1 picture more than once with different labels: 0-1.png = .png (a+b, none).",
  ]);
  expect(duplicateNotes(["t"], [sample([0.5], "train", "x"), sample([2], "test", "x")], "regression")).toEqual([
    "1 picture more than once with different values: 0.5.png = 2.png (0.5, 2).",
    "1 picture in more than one split: 0.5.png = 2.png (train, test).",
  ]);
});

test("splitNotes names classes without images of a split, by label in multi-label data", () => {
  const classes = ["a", "b", "c"];
  const samples = [sample([0, 1], "train"), sample([2], "train"), sample([0, 2], "validation"), sample([], "test")];
  expect(splitNotes({ task: "multi-label", classes, samples, drawn: false })).toEqual([
    "No validation images of b.",
    "No test images of a, b, c.",
  ]);
  expect(splitNotes({ task: "regression", classes: ["t"], samples: [sample([5], "train")], drawn: true })).toEqual([
    "No validation images at all: no two images may be held apart.",
  ]);
});

test("lookalikeNotes compares case, spaces and marks of copies", () => {
  expect(lookalikeNotes(["A", "a", "b", "b copy 2"], "copies of one label")).toEqual([
    'The classes "A" and "a" differ in upper and lower case or spaces only.',
    'The classes "b" and "b copy 2" look like copies of one label.',
  ]);
});

test("float32Steps counts what single precision tells apart", () => {
  expect(float32Steps(1e7, 1e7 + 1)).toBe(1);
  expect(float32Steps(1, 2)).toBe(2 ** 22); // as wide as at the larger bound
  expect(float32Steps(-1e6, -1e6 + 0.01)).toBeLessThan(1);
  expect(float32Steps(0, 2 ** -149)).toBe(1);
});
