import { describe, expect, test } from "vitest";
import { type LabelledImage, labelImages } from "../../../src/data/tables/table-samples.ts";

const image = (path: string, labels: readonly string[], split: "train" | "test" = "train"): LabelledImage => {
  const unknown = { group: undefined, weight: undefined };
  return { file: path, path, labels, values: [], split, sha256: path, bytes: 1, ...unknown };
};
const single = { task: "single-label", target: { kind: "label", column: "label" } } as const;
const multi = { task: "multi-label", target: { kind: "labels", column: "label", separator: undefined } } as const;
const train = { purpose: "train", skipped: [] } as const;

test("classes and samples are sorted by code units, and properties that are not there are left out", () => {
  const { classes, samples } = labelImages(
    "t",
    ["b", "ä", "B"].map((name) => image(name, [name])),
    single,
    train,
  );
  expect(classes).toEqual(["B", "b", "ä"]);
  expect(samples.map(({ path, target }) => [path, target])).toEqual([
    ["B", [0]],
    ["b", [1]],
    ["ä", [2]],
  ]);
  expect(Object.keys(samples[0]!)).toEqual(["file", "path", "target", "split", "sha256", "bytes"]);
});

test("labels of classes that were not asked for are left out, the images of several classes stay", () => {
  const images = [image("1", ["a", "b"]), image("2", ["b"]), image("3", ["c", "a"])];
  const { samples, notes } = labelImages("t", images, multi, { ...train, classes: ["c", "a"] });
  expect(samples.map(({ target }) => target)).toEqual([[1], [], [0, 1]]);
  expect(notes).toEqual(["Left out 1 class: b.", "1 image with none of the classes."]);
});

describe("is refused", () => {
  test("a class without training images, except to evaluate", () => {
    const images = [image("1", ["a"]), image("2", ["b"]), image("3", ["c"], "test")];
    expect(() => labelImages("t", images, single, train)).toThrow(/"c" has none.*"a", "b"/);
    expect(labelImages("t", images, multi, train).classes).toEqual(["a", "b", "c"]);
    for (const task of [single, multi]) {
      expect(labelImages("t", images, task, { ...train, purpose: "evaluate" }).classes).toEqual(["a", "b", "c"]);
    }
  });

  test("too few classes, no image at all", () => {
    expect(() => labelImages("t", [image("1", ["a"])], single, train)).toThrow(
      /two classes with training images, found only one, a/,
    );
    const lost = [{ file: "2", reason: "has no label (line 3 of t)" }];
    expect(() => labelImages("t", [image("1", ["a"])], single, { ...train, skipped: lost })).toThrow(
      /only one, a\. 1 other cannot be used: 2 has no label \(line 3 of t\)\.$/,
    );
    expect(() => labelImages("t", [image("1", [])], multi, train)).toThrow(
      /one class with training images, found none/,
    );
    const skipped = ["1", "2", "3", "4"].map((file) => ({ file, reason: "is empty (0 bytes)" }));
    expect(() => labelImages("t", [], single, { ...train, skipped })).toThrow(
      /t has no image that can be used: 1 is empty \(0 bytes\); 3 more like it\.$/,
    );
  });
});
