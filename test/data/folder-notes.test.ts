import { expect, test } from "vitest";
import { classesOf, duplicateNotes, expectation } from "../../src/data/folder-notes.ts";
import type { Sample } from "../../src/data/sample.ts";

const none = { purpose: "train", strays: 0, skipped: [], aside: undefined } as const;
const train = (className: string): { className: string; split: "train" } => ({ className, split: "train" });

test("classesOf sorts by code units", () => {
  expect(classesOf("p", [train("b"), train("a"), train("B"), train("b")], none)).toEqual(["B", "a", "b"]);
});

test("classesOf names the classes that cannot be learned, and where they are", () => {
  const usable = [train("a"), train("b"), { className: "c", split: "test" } as const];
  expect(() => classesOf("p", usable, none)).toThrow(/"c" has images in val or test only/);
  expect(() => classesOf("p", usable, { ...none, aside: "held" })).toThrow(/"c" has images in held or test only/);
});

test("classesOf explains an empty result with at most three of the files that failed", () => {
  const skipped = ["1", "2", "3", "4", "5"].map((file) => ({ file, reason: "is empty (0 bytes)" }));
  expect(() => classesOf("p", [], { ...none, skipped })).toThrow(
    /found none\. Files that cannot be used: 1 is empty .* and 2 more\./,
  );
});

test("classesOf asks for one class only to evaluate, with images of any split", () => {
  const evaluate = { ...none, purpose: "evaluate" } as const;
  expect(classesOf("p", [{ className: "c", split: "test" }, train("b")], evaluate)).toEqual(["b", "c"]);
  expect(classesOf("p", [{ className: "c", split: "test" }], evaluate)).toEqual(["c"]);
  expect(() => classesOf("p", [], evaluate)).toThrow("p requires a class folder with images, found none.");
});

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

test("expectation shows paths below the folder in question", () => {
  expect(expectation("photos")).toContain("photos/cat/1.jpg");
});
