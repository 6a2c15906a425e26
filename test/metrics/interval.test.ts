import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { wilsonInterval } from "../../src/metrics/interval.ts";
import { rng } from "../../src/random.ts";

interface Golden {
  readonly rows: readonly {
    readonly successes: number;
    readonly trials: number;
    readonly confidence: 0.9 | 0.95 | 0.99;
    readonly low: number;
    readonly high: number;
  }[];
}

// The file is made by make.py beside it, in this form.
const golden = JSON.parse(readFileSync(new URL("../golden/metrics/wilson.json", import.meta.url), "utf8")) as Golden;

describe("wilsonInterval", () => {
  test.each(golden.rows)("agrees with statsmodels on $successes of $trials at $confidence", (row) => {
    const [low, high] = wilsonInterval(row.successes, row.trials, { confidence: row.confidence });
    expect(Math.abs(low - row.low)).toBeLessThan(1e-12);
    expect(Math.abs(high - row.high)).toBeLessThan(1e-12);
  });

  test("is a 95 % interval by default", () => {
    expect(wilsonInterval(7, 20)).toEqual(wilsonInterval(7, 20, { confidence: 0.95 }));
  });

  test("knows nothing without trials", () => {
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  });

  test("ends exactly at 0 without successes and at 1 without failures", () => {
    for (const trials of [1, 3, 7, 153, 1_000_003]) {
      expect(wilsonInterval(0, trials)[0]).toBe(0);
      expect(wilsonInterval(trials, trials)[1]).toBe(1);
    }
  });

  test("lies in [0, 1], holds the share, mirrors with it, and is wider with more confidence", () => {
    for (let trials = 1; trials <= 60; trials++) {
      for (let successes = 0; successes <= trials; successes++) {
        const [low, high] = wilsonInterval(successes, trials);
        const [mirroredLow, mirroredHigh] = wilsonInterval(trials - successes, trials);
        const [outerLow, outerHigh] = wilsonInterval(successes, trials, { confidence: 0.99 });
        const share = successes / trials;
        expect(low >= 0 && low <= share && share <= high && high <= 1, `${successes} of ${trials}`).toBe(true);
        expect(mirroredLow).toBeCloseTo(1 - high, 12);
        expect(mirroredHigh).toBeCloseTo(1 - low, 12);
        expect(outerLow <= low && high <= outerHigh).toBe(true);
      }
    }
  });

  test("contains the true share in about 95 % of samples", () => {
    const source = rng("coverage");
    const [rounds, trials, share] = [2000, 80, 0.9];
    let covered = 0;
    for (let round = 0; round < rounds; round++) {
      let successes = 0;
      for (let i = 0; i < trials; i++) if (source.next() < share) successes++;
      const [low, high] = wilsonInterval(successes, trials);
      if (low <= share && share <= high) covered++;
    }
    expect(covered / rounds).toBeGreaterThan(0.93);
    expect(covered / rounds).toBeLessThan(0.975);
  });

  test.each([
    [-1, 5],
    [6, 5],
    [0.5, 5],
    [1, 5.5],
    [Number.NaN, 5],
    [1, Number.POSITIVE_INFINITY],
  ])("refuses %d of %d", (successes, trials) => {
    expect(() => wilsonInterval(successes, trials)).toThrow(
      new RangeError(
        `wilsonInterval requires whole numbers with 0 <= successes <= trials, got ${successes} of ${trials}.`,
      ),
    );
  });

  test("refuses another confidence and names the valid ones", () => {
    const confidence = 0.8 as 0.9; // what a caller without types can pass
    expect(() => wilsonInterval(1, 2, { confidence })).toThrow(
      new RangeError("wilsonInterval: confidence must be 0.9, 0.95 or 0.99, got 0.8."),
    );
  });
});
