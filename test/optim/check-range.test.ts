import { expect, test } from "vitest";
import { checkRange, pair } from "../../src/optim/check-range.ts";

test.each([
  { range: "[0, 1)", inside: [0, 0.5, 1 - 2 ** -53], outside: [-1e-9, 1, 2] },
  { range: "[0, 1]", inside: [0, 0.5, 1], outside: [-1e-9, 1 + 2 ** -52] },
  { range: "(0, 1]", inside: [5e-324, 1], outside: [0, 1 + 2 ** -52] },
  { range: "[0, infinity)", inside: [0, 1e300], outside: [-1e-9] },
  { range: "[1, infinity)", inside: [1, 1e300], outside: [1 - 2 ** -53, 0] },
  { range: "(0, infinity)", inside: [5e-324, 1], outside: [0, -1] },
] as const)("accepts $range and nothing else", ({ range, inside, outside }) => {
  for (const value of inside) expect(() => checkRange("x", value, range)).not.toThrow();
  for (const value of [...outside, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => checkRange("x", value, range)).toThrow(new RangeError(`x must be in ${range}, got ${value}.`));
  }
});

test("refuses what is no number, as options from a file may be", () => {
  expect(() => checkRange("x", "0.5" as unknown as number, "[0, 1)")).toThrow("x must be in [0, 1), got 0.5.");
});

test("a pair is a list of two", () => {
  expect(pair("x", [1, 2])).toEqual([1, 2]);
  expect(() => pair("adam: betas", 0.9 as never)).toThrow("adam: betas must be a list of two numbers, got 0.9.");
  expect(() => pair("x", [1, 2, 3] as never)).toThrow("got 3.");
});
