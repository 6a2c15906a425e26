import { expect, test } from "vitest";
import { classesOf, expectation } from "../../src/data/folder-notes.ts";

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

test("expectation shows paths below the folder in question", () => {
  expect(expectation("photos")).toContain("photos/cat/1.jpg");
});
