import { describe, expect, test } from "vitest";
import { rng } from "../../src/random.ts";
import { type CurveVerdict, judge, smooth } from "../../src/train/learning-rate-curve.ts";

const STEPS = 100;
const DECAY = 0.9;
const RATES = Array.from({ length: STEPS }, (_, i) => 10 ** (-6 + (6 * i) / (STEPS - 1))); // 1e-6 to 1

/** Judges losses that depend on the logarithm of the rate, with noise of a seed. */
function verdict(lossAt: (log: number) => number, { noise = 0, seed = 0, exploded = false } = {}): CurveVerdict {
  const random = rng(seed);
  const losses = RATES.map((rate) => lossAt(Math.log10(rate)) + noise * random.normal());
  const smoothed = smooth(losses, DECAY);
  const curve = losses.map((loss, i) => ({ learningRate: RATES[i]!, loss, smoothed: smoothed[i]! }));
  return judge(curve, DECAY, exploded);
}

/** Falls from 2 to 1, fastest at 1e-3; rises from 1e-1 on, if told so. */
const valley = (rise: number) => (log: number) =>
  2 - 1 / (1 + Math.exp(-4 * (log + 3))) + rise * Math.max(0, log + 1) ** 2;

describe("smoothing", () => {
  test("leaves a constant as it is, up to both ends", () => {
    for (const value of smooth(new Array<number>(30).fill(0.7), DECAY)) expect(value).toBeCloseTo(0.7, 12);
  });

  test("has no delay: what is symmetric stays so", () => {
    const smoothed = smooth(
      Array.from({ length: 41 }, (_, i) => (i === 20 ? 1 : 0)),
      0.5,
    );
    expect(smoothed.indexOf(Math.max(...smoothed))).toBe(20);
    for (let k = 1; k <= 20; k++) expect(smoothed[20 + k]).toBeCloseTo(smoothed[20 - k]!, 12);
    expect(smoothed[20]).toBeCloseTo(1 / 3, 6); // (1 - decay) / (1 + decay)
    expect(smoothed[21]! / smoothed[20]!).toBeCloseTo(0.5, 6);
  });

  test("divides by the weights that there are", () => {
    const [first] = smooth([1, 0, 0], 0.5);
    expect(first).toBeCloseTo(1 / 1.75, 12);
    expect(smooth([], 0.5)).toEqual([]);
  });
});

test("a valley gives both rates, near where they are", () => {
  const { kind, steepest, tenthOfMinimum, start, lowest } = verdict(valley(1));
  expect(kind).toBe("falls");
  expect(Math.abs(Math.log10(steepest!) + 3)).toBeLessThan(0.15);
  expect(Math.abs(Math.log10(10 * tenthOfMinimum!) + 1)).toBeLessThan(0.5);
  expect([start, lowest].map(Math.round)).toEqual([2, 1]);
});

test("a curve that falls to the end has no minimum, one that explodes there has", () => {
  const falls = (log: number) => 2 - 0.3 * (log + 6);
  expect(verdict(falls)).toMatchObject({ kind: "still-falls", tenthOfMinimum: undefined });
  expect(verdict(falls, { exploded: true }).kind).toBe("falls");
});

test("the noise of the batches is known, and rates are found in spite of it", () => {
  for (let seed = 0; seed < 50; seed++) {
    const { kind, steepest, tenthOfMinimum, noise } = verdict(valley(1), { noise: 0.15, seed });
    expect(kind).toBe("falls");
    expect(Math.abs(noise / 0.15 - 1)).toBeLessThan(0.6);
    expect(Math.abs(Math.log10(steepest!) + 3)).toBeLessThan(1);
    expect(Math.abs(Math.log10(10 * tenthOfMinimum!) + 1)).toBeLessThan(1.2);
  }
});

test("noise alone gives no rate", () => {
  const kinds = Array.from({ length: 1000 }, (_, seed) => verdict(() => 1, { noise: 0.2, seed }).kind);
  expect(kinds.filter((kind) => kind !== "noisy").length).toBeLessThan(5);
});

test("a small fall below much noise is noise, and below little noise a fall", () => {
  const small = (log: number) => valley(0)(log) / 20;
  expect(verdict(small, { noise: 0.1, seed: 1 })).toMatchObject({ kind: "noisy", steepest: undefined });
  expect(verdict(small, { noise: 0.001, seed: 1 }).kind).toBe("still-falls");
});

test("a loss that stays is flat, and one that only rises says so", () => {
  expect(verdict(() => 1).kind).toBe("flat");
  expect(verdict((log) => 1 - 0.001 * log).kind).toBe("flat");
  expect(verdict((log) => 1 + Math.max(0, log + 2) ** 2)).toMatchObject({ kind: "rises", steepest: undefined });
  expect(verdict(() => 1, { exploded: true }).kind).toBe("rises");
});

test("few points are judged too: with less than three, nothing falls", () => {
  const points = (losses: readonly number[]) =>
    losses.map((loss, i) => ({ learningRate: 10 ** i, loss, smoothed: loss }));
  expect(judge(points([2, 1, 0]), 0.5, false)).toMatchObject({ kind: "still-falls", steepest: 10 });
  expect(judge(points([2, 1]), 0.5, true).kind).toBe("rises");
  expect(judge(points([2]), 0.5, true).kind).toBe("rises");
});
