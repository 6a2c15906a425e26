import { expect, test } from "vitest";
import { checkChoice, checkKeys, didYouMean, shown } from "../../src/transforms/known-options.ts";

const known = { rotationRange: true, zoomRange: true, seed: true } as const;

test.each<[unknown, RegExp]>([
  [{ rotation_range: 1 }, /^make has no option "rotation_range"\. Did you mean rotationRange\?$/],
  [{ zoomrange: 1, seeed: 2 }, /no option "zoomrange", "seeed"\. Did you mean zoomRange or seed\?$/],
  [{ batch: 1 }, /no option "batch"\. It takes rotationRange, zoomRange, seed\.$/],
  [{ toString: 1 }, /no option "toString"/],
  ["strong", /^make requires an object of options, got "strong"\.$/],
  [[1], /got a list/],
  [null, /got null/],
  [undefined, /got undefined/],
])("the options %j are refused", (options, message) => {
  expect(() => checkKeys("make", options, known)).toThrow(expect.objectContaining({ code: "BAD_CONFIG" }));
  expect(() => checkKeys("make", options, known)).toThrow(message);
});

test("known options pass, whatever they hold", () => {
  checkKeys("make", {}, known);
  checkKeys("make", { seed: undefined, zoomRange: "x" }, known);
});

test.each<[unknown, RegExp]>([
  ["val", /^split requires one of train, validation, test, got "val"\. Did you mean "validation"\?$/],
  ["Train", /Did you mean "train"\?$/],
  ["nothing", /got "nothing"\.$/],
  [3, /got 3\.$/],
  [{}, /got an object\.$/],
  [() => 1, /got a function\.$/],
])("the choice %s is refused", (value, message) => {
  expect(() => checkChoice("split", value, ["train", "validation", "test"])).toThrow(message);
});

test("long and strange words are shortened and quoted", () => {
  expect(shown("x".repeat(1000))).toHaveLength(82);
  expect(shown("\u001b[31m")).toBe('"\\u001b[31m"');
  expect(didYouMean("x".repeat(1000), ["x"])).toBe("");
});
