import { expect, test } from "vitest";
import { isBetter } from "../../src/train/kept-epoch.ts";

const min = { measure: "loss", mode: "min" } as const;
const max = { measure: "accuracy", mode: "max" } as const;

test.each([
  [1, 2, true, false],
  [2, 1, false, true],
  [1, 1, false, false], // a tie keeps the earlier one
  [Number.NEGATIVE_INFINITY, 0, true, false],
  [Number.NaN, 1, false, false],
  [1, Number.NaN, true, true], // what is no number is worse than any
  [Number.NaN, Number.NaN, false, false],
])("%d against %d is better: as least %s, as most %s", (value, than, asLeast, asMost) => {
  expect([isBetter(value, than, min), isBetter(value, than, max)]).toEqual([asLeast, asMost]);
});
