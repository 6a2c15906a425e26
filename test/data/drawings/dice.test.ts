import { expect, test } from "vitest";
import { between, chance, oneOf, times, whole } from "../../../src/data/drawings/dice.ts";
import { rng } from "../../../src/random.ts";

test("whole numbers reach both ends and nothing beyond", () => {
  const source = rng(1);
  const seen = new Set(times(500, () => whole(source, -2, 3)));
  expect([...seen].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2, 3]);
});

test("numbers fill their range evenly", () => {
  const source = rng(2);
  const values = times(4000, () => between(source, 10, 20));
  expect(Math.min(...values)).toBeGreaterThanOrEqual(10);
  expect(Math.max(...values)).toBeLessThan(20);
  expect(values.reduce((sum, value) => sum + value, 0) / 4000).toBeCloseTo(15, 0);
});

test("chances come about as often as they say, and choices take every item", () => {
  const source = rng(3);
  expect(times(4000, () => chance(source, 0.3)).filter(Boolean).length / 4000).toBeCloseTo(0.3, 1);
  expect(chance(source, 0)).toBe(false);
  expect(chance(source, 1)).toBe(true);
  expect(new Set(times(100, () => oneOf(source, ["a", "b", "c"]))).size).toBe(3);
});
