import { describe, expect, test } from "vitest";
import { rng } from "../../../src/random.ts";
import { beta, dirichlet, happens, spreadEnds, uniform, whole } from "../../../src/transforms/pixels/chance.ts";

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const variance = (values: readonly number[]) => mean(values.map((value) => (value - mean(values)) ** 2));

describe("chance", () => {
  test("0 and 1 are certain and draw nothing", () => {
    const never = { next: () => expect.unreachable(), normal: () => 0, fork: () => never };
    expect(happens(0, never)).toBe(false);
    expect(happens(1, never)).toBe(true);
  });

  test.each([-0.1, 1.1, Number.NaN])("%s is refused", (probability) => {
    expect(() => happens(probability, rng(1))).toThrow(/probability in \[0, 1\]/);
  });

  test("follows the probability", () => {
    const source = rng(1);
    expect(mean(Array.from({ length: 20_000 }, () => (happens(0.3, source) ? 1 : 0)))).toBeCloseTo(0.3, 1.7);
  });
});

test("whole and uniform numbers stay inside, and reach all", () => {
  const source = rng(2);
  expect(new Set(Array.from({ length: 200 }, () => whole(5, source)))).toEqual(new Set([0, 1, 2, 3, 4]));
  const values = Array.from({ length: 1000 }, () => uniform(-2, 3, source));
  expect(Math.min(...values)).toBeGreaterThanOrEqual(-2);
  expect(Math.max(...values)).toBeLessThan(3);
  expect(mean(values)).toBeCloseTo(0.5, 0.5);
});

test("spreads are around no change, and not below the least", () => {
  const limits = { name: "contrast", center: 1, least: 0, most: 10 };
  expect(spreadEnds(0.2, limits)).toEqual([0.8, 1.2]);
  expect(spreadEnds(3, limits)).toEqual([0, 4]);
  expect(spreadEnds([0.5, 2], limits)).toEqual([0.5, 2]);
  for (const wrong of [-0.1, 10, [2, 1], [-1, 1], [0, 11], [Number.NaN, 1]] as const) {
    expect(() => spreadEnds(wrong, limits)).toThrow(
      /contrast requires an amount from 0 to 9, or \[low, high\] inside \[0, 10\]/,
    );
  }
});

describe("beta", () => {
  test.each([
    [1, 1],
    [0.2, 0.2],
    [4, 4],
    [2, 0.5],
    [0.01, 0.01],
  ])("of %s and %s has the mean and variance it should", (a, b) => {
    const source = rng(`${a} ${b}`);
    const values = Array.from({ length: 20_000 }, () => beta(a, b, source));
    expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(Math.abs(mean(values) - a / (a + b))).toBeLessThan(0.015);
    expect(Math.abs(variance(values) - (a * b) / ((a + b) ** 2 * (a + b + 1)))).toBeLessThan(0.006);
  });

  test("of tiny and huge shapes is a number", () => {
    const source = rng(3);
    for (let i = 0; i < 200; i++) {
      expect([0, 1]).toContain(Math.round(beta(1e-6, 1e-6, source) * 1e9) / 1e9);
      expect(beta(1e6, 1e6, source)).toBeCloseTo(0.5, 2);
    }
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("of %s is refused", (alpha) => {
    expect(() => beta(alpha, alpha, rng(1))).toThrow(/alpha from 0.000001 to 1000000/);
  });
});

test("dirichlet numbers sum to one and have equal means", () => {
  for (const alpha of [1e-6, 0.3, 1, 20]) {
    const source = rng(alpha);
    const draws = Array.from({ length: 6000 }, () => dirichlet(alpha, 3, source));
    for (const draw of draws) expect(draw[0]! + draw[1]! + draw[2]!).toBeCloseTo(1, 12);
    for (const i of [0, 1, 2]) expect(Math.abs(mean(draws.map((draw) => draw[i]!)) - 1 / 3)).toBeLessThan(0.025);
  }
});
