import { expect, test } from "vitest";
import { nearest } from "../../src/graph/nearest.ts";

test("near names are those with a typing mistake or the rest missing", () => {
  const names = ["train", "predict", "inspect"];
  expect([nearest("trian", names), nearest("pred", names), nearest("inspekt", names), nearest("fly", names)]).toEqual([
    ["train"],
    ["predict"],
    ["inspect"],
    [],
  ]);
});

test("a word that nobody types is like nothing", () => {
  expect(nearest("a".repeat(10_000), ["a".repeat(10_001)])).toEqual([]);
});
