import { describe, expect, test } from "vitest";
import { bootstrap, middle95, percentileInterval, replicatesFor } from "../../src/metrics/bootstrap.ts";
import { evaluateMultiLabel } from "../../src/metrics/multi-label.ts";
import { evaluateRegression } from "../../src/metrics/regression.ts";
import { rng } from "../../src/random.ts";
import { expectInterval, GOLDEN } from "./golden.ts";

const meanOf = (values: readonly number[]) => (counts: Uint16Array) => ({
  mean: counts.reduce((sum, count, i) => sum + count * values[i]!, 0) / values.length,
});

describe("random draws", () => {
  test("hold as many samples as there are, the same in every call", () => {
    const totals = bootstrap(30, (counts) => ({ total: counts.reduce((a, b) => a + b) }), { replicates: 50 });
    expect(new Set(totals.get("total"))).toEqual(new Set([30]));
    const values = Array.from({ length: 30 }, (_, i) => i);
    expect(bootstrap(30, meanOf(values))).toEqual(bootstrap(30, meanOf(values)));
  });

  test("spread as the standard error of a mean says", () => {
    const random = rng(1);
    const values = Array.from({ length: 400 }, () => random.normal());
    const [low, high] = middle95(bootstrap(400, meanOf(values)).get("mean")!, 0);
    expect(high - low).toBeGreaterThan((2 * 1.96 * 0.9) / 20);
    expect(high - low).toBeLessThan((2 * 1.96 * 1.1) / 20);
  });

  test("leave out what they leave undefined", () => {
    const draws = bootstrap(2, (counts) => ({ rest: counts[0] === 0 ? Number.NaN : 1 }), { replicates: 200 });
    expect(draws.get("rest")!.length).toBeGreaterThan(120);
    expect(draws.get("rest")!.length).toBeLessThan(180);
  });

  test("are fewer where each is expensive", () => {
    expect([replicatesFor(1), replicatesFor(2e6), replicatesFor(4e6), replicatesFor(1e12)]).toEqual([
      1000, 1000, 500, 200,
    ]);
  });

  test("agree with SciPy's percentile bootstrap", () => {
    const { scores, labels, answers, ...intervals } = GOLDEN.intervals;
    const one = { logits: Float32Array.from(scores), targets: Float32Array.from(labels), classes: ["x"] };
    const found = evaluateMultiLabel(one).intervals;
    expectInterval(found.loss, intervals.loss);
    expectInterval(found.rocAuc!, intervals.rocAuc);
    const numbers = evaluateRegression({
      predictions: Float32Array.from(scores),
      values: Float32Array.from(answers),
      targets: ["y"],
    }).intervals;
    expectInterval(numbers.rmse, intervals.rmse);
    expectInterval(numbers.spearman, intervals.spearman);
  });
});

describe("an interval", () => {
  test("takes quantiles as NumPy does, and always contains the value", () => {
    const values = Float64Array.from({ length: 41 }, (_, i) => i);
    expect(middle95(values, 7)).toEqual([1, 39]);
    expect(percentileInterval(values, { value: 40, count: 9 })).toEqual([1, 40]);
    expect(middle95(new Float64Array(), 7)).toEqual([7, 7]);
  });

  test("of a measure that draws make worse is moved to its value, not below 0", () => {
    const values = Float64Array.from({ length: 41 }, (_, i) => i);
    expect(percentileInterval(values, { value: 25, count: 9, centered: true })).toEqual([6, 44]);
    expect(percentileInterval(values, { value: 10, count: 9, centered: true })).toEqual([0, 29]);
  });

  test("of a share that no draw can change is Wilson's", () => {
    const same = (value: number) => new Float64Array(10).fill(value);
    const [low, high] = percentileInterval(same(1), { value: 1, count: 20, share: true });
    expect([low > 0.83 && low < 0.84, high]).toEqual([true, 1]);
    expect(percentileInterval(same(0), { value: 0, count: 20, share: true })[1]).toBeCloseTo(1 - low, 12);
    expect(percentileInterval(same(1), { value: 1, count: 20 })).toEqual([1, 1]);
  });
});
