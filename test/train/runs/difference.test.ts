import { expect, test } from "vitest";
import { wilsonInterval } from "../../../src/metrics/interval.ts";
import { rng } from "../../../src/random.ts";
import { differenceOf } from "../../../src/train/runs/difference.ts";
import type { Measure } from "../../../src/train/runs/measures.ts";

const share = (successes: number, trials: number): Measure => ({
  name: "accuracy",
  value: successes / trials,
  interval: wilsonInterval(successes, trials),
});

/** Newcombe 1998, table II, method 10. */
test.each([
  [56, 70, 48, 80, 0.0524, 0.3339],
  [9, 10, 3, 10, 0.1705, 0.809],
  [10, 10, 0, 20, 0.6791, 1],
  [0, 10, 0, 10, -0.2775, 0.2775],
])("%i of %i and %i of %i as published", (a, m, b, n, low, high) => {
  const { interval } = differenceOf(share(a, m), share(b, n))!;
  expect(interval[0]).toBeCloseTo(low, 4);
  expect(interval[1]).toBeCloseTo(high, 4);
});

test("is clear exactly where the interval leaves out 0, either way round", () => {
  const [good, bad, near] = [share(95, 100), share(60, 100), share(93, 100)];
  expect(differenceOf(good, bad)).toMatchObject({ clear: true, value: expect.closeTo(0.35, 12) });
  expect(differenceOf(bad, good)).toMatchObject({ clear: true, value: expect.closeTo(-0.35, 12) });
  expect(differenceOf(good, near)).toMatchObject({ measure: "accuracy", clear: false });
  expect(differenceOf(good, good)).toMatchObject({ value: 0, clear: false });
});

test("two runs of one true accuracy are told apart by chance in about one of twenty", () => {
  const random = rng(1);
  const draw = (): Measure =>
    share(Array.from({ length: 150 }, () => random.next()).filter((x) => x < 0.85).length, 150);
  const told = Array.from({ length: 2000 }, () => differenceOf(draw(), draw())!.clear).filter(Boolean).length;
  expect(told / 2000).toBeGreaterThan(0.02);
  expect(told / 2000).toBeLessThan(0.07);
});

test("without an interval nothing is known, and an interval beside its number does no harm", () => {
  const alone: Measure = { name: "loss", value: 0.2 };
  expect(differenceOf(alone, share(1, 2))).toBeUndefined();
  expect(differenceOf(share(1, 2), alone)).toBeUndefined();
  const beside: Measure = { name: "f1", value: 0.5, interval: [0.6, 0.7] };
  expect(differenceOf(beside, { name: "f1", value: 0.4, interval: [0.4, 0.4] })?.interval).toEqual([
    expect.closeTo(0.1, 12),
    expect.closeTo(0.3, 12),
  ]);
});
