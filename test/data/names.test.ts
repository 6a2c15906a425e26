import { expect, test } from "vitest";
import { byCodeUnits, isHidden, splitNamed } from "../../src/data/names.ts";

test("system and hidden names", () => {
  for (const name of [
    ".DS_Store",
    "._a.jpg",
    "Thumbs.db",
    "THUMBS.DB",
    "desktop.ini",
    "__MACOSX",
    ".ipynb_checkpoints",
  ]) {
    expect(isHidden(name)).toBe(true);
  }
  for (const name of ["a.jpg", "_b.jpg", "thumbs.jpg", "desktop"]) expect(isHidden(name)).toBe(false);
});

test("split names in any case, and no others", () => {
  expect(["train", "Train", "VAL", "valid", "Validation", "test"].map(splitNamed)).toEqual([
    "train",
    "train",
    "validation",
    "validation",
    "validation",
    "test",
  ]);
  expect(["training", "trains", "constructor", "__proto__"].map(splitNamed)).toEqual(Array(4).fill(undefined));
});

test("order is by code units, not by language", () => {
  expect(["ä", "z", "Z", "a", "10", "9"].sort(byCodeUnits)).toEqual(["10", "9", "Z", "a", "z", "ä"]);
});
