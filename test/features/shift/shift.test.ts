import { expect, test } from "vitest";
import { type TwoSamples, twoSampleTest } from "../../../src/features/shift/shift.ts";
import { rng } from "../../../src/random.ts";

const WIDTH = 24;

interface Made {
  readonly count: number;
  readonly seed: number;
  /** Move of set 1 in a quarter of the features, in deviations. */
  readonly shift?: number;
  /** Chance of a row of set 1, by stratum; the strata are far apart. */
  readonly shares?: readonly number[];
}

function made({ count, seed, shift = 0, shares = [0.4] }: Made): TwoSamples {
  const random = rng(`shift ${seed}`);
  const strata = Array.from({ length: count }, (_, i) => i % shares.length);
  const domain = strata.map((stratum) => Number(random.next() < shares[stratum]!));
  const features = Float32Array.from({ length: count * WIDTH }, (_, i) => {
    const [row, column] = [Math.floor(i / WIDTH), i % WIDTH];
    const move = domain[row] === 1 && column < WIDTH / 4 ? shift : 0;
    return 20 * Number(strata[row] === column) + random.normal() + move;
  });
  return { features, domain, strata };
}

const runs = (times: number, make: (seed: number) => Made) =>
  Array.from({ length: times }, (_, seed) => twoSampleTest(made(make(seed)), { permutations: 99, seed })!);

test("equal sets give small p-values as rarely as p says", () => {
  const results = runs(300, (seed) => ({ count: 60, seed }));
  for (const level of [0.05, 0.1, 0.5]) {
    const share = results.filter(({ pValue }) => pValue <= level).length / results.length;
    expect(Math.abs(share - level)).toBeLessThan(3.5 * Math.sqrt((level * (1 - level)) / results.length));
  }
  const mean = results.reduce((sum, { auc }) => sum + auc, 0) / results.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.02); // the bias of leaving one out is taken away
});

test("a known shift is found, the more surely the more rows there are", () => {
  const found = (count: number): number =>
    runs(20, (seed) => ({ count, seed, shift: 1 })).filter(({ pValue, auc }) => pValue <= 0.01 && auc > 0.6).length;
  expect(found(400)).toBe(20);
  expect(found(120)).toBeGreaterThanOrEqual(16);
  expect(found(400)).toBeGreaterThanOrEqual(found(60));
});

test("other shares of the classes in the sets are no shift", () => {
  const results = runs(100, (seed) => ({ count: 120, seed, shares: [0.1, 0.5, 0.9] }));
  expect(results.filter(({ pValue }) => pValue <= 0.05).length).toBeLessThanOrEqual(12);
  // The same rows compared without regard to the class differ beyond doubt.
  const { features, domain } = made({ count: 240, seed: 1, shares: [0.1, 0.9] });
  const blind = twoSampleTest({ features, domain, strata: new Int32Array(240) })!;
  expect(blind.auc).toBeGreaterThan(0.8);
  expect(blind.pValue).toBe(0.002);
});

test("a shift within classes is found beside other shares of them", () => {
  const result = twoSampleTest(made({ count: 400, seed: 3, shift: 1, shares: [0.2, 0.5, 0.8] }))!;
  expect(result.pValue).toBeLessThanOrEqual(0.002);
  expect(result.auc).toBeGreaterThan(0.7);
});

test("rows of the second set get higher scores; what has no counterpart gets none", () => {
  const data = made({ count: 200, seed: 4, shift: 1.5, shares: [0.3, 0.3, 0] });
  const { scores, compared } = twoSampleTest(data)!;
  const of = (wanted: (row: number) => boolean) => [...scores].filter((_, row) => wanted(row));
  expect(of((row) => data.strata[row] === 2).every(Number.isNaN)).toBe(true);
  expect(compared[0] + compared[1]).toBe(of((row) => data.strata[row] !== 2).length);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(mean(of((row) => data.strata[row] !== 2 && data.domain[row] === 1))).toBeGreaterThan(
    mean(of((row) => data.strata[row] !== 2 && data.domain[row] === 0)),
  );
});

test("equal data and seeds give equal results", () => {
  const data = made({ count: 100, seed: 5, shift: 0.3 });
  expect(twoSampleTest(data, { seed: 2 })).toEqual(twoSampleTest(data, { seed: 2 }));
});

test("few rows tell nothing, and constant or huge features do no harm", () => {
  expect(twoSampleTest(made({ count: 20, seed: 1 }))).toBeUndefined();
  expect(twoSampleTest({ features: new Float32Array(0), domain: [], strata: [] })).toBeUndefined();
  const { domain, strata } = made({ count: 100, seed: 1 });
  const constant = twoSampleTest({ features: new Float32Array(100 * 8).fill(3), domain, strata })!;
  expect([constant.auc, constant.pValue]).toEqual([0.5, 1]);
  const huge = twoSampleTest({ features: new Float32Array(100).map((_, i) => 1e30 * (i % 7)), domain, strata })!;
  expect(huge.auc).toBeGreaterThanOrEqual(0);
});

test("lengths that do not fit are refused", () => {
  expect(() => twoSampleTest({ features: new Float32Array(10), domain: [0, 1, 0], strata: [0, 0, 0] })).toThrow(
    "twoSampleTest requires features [n, width], domain [n] and strata [n], got 10 numbers, [3] and [3].",
  );
});
