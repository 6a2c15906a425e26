/** Measures as scikit-learn, SciPy and statsmodels give them. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";

type Metrics = Readonly<Record<string, number | null>>;

interface Golden {
  readonly classifiers: readonly {
    readonly name: string;
    readonly metrics: Metrics;
    readonly drawn: { readonly counts: readonly number[]; readonly metrics: Metrics };
  }[];
  readonly labelled: readonly {
    readonly name: string;
    readonly logits: readonly (readonly number[])[];
    readonly targets: readonly (readonly number[])[];
    readonly thresholds: readonly number[];
    readonly metrics: Metrics;
  }[];
  readonly regression: readonly {
    readonly name: string;
    readonly predictions: readonly number[];
    readonly values: readonly number[];
    readonly metrics: Metrics;
  }[];
  readonly intervals: Readonly<Record<"scores" | "labels" | "answers", readonly number[]>> &
    Readonly<Record<"loss" | "rocAuc" | "kappa" | "rmse" | "spearman", readonly [number, number]>>;
  readonly proportions: readonly Readonly<Record<"a" | "of" | "b" | "and" | "low" | "high", number>>[];
  readonly mcnemar: readonly Readonly<Record<"onlyA" | "onlyB" | "pValue", number>>[];
}

// The file is made by make-measures.py beside it, in this form.
export const GOLDEN = JSON.parse(
  readFileSync(new URL("../golden/metrics/measures.json", import.meta.url), "utf8"),
) as Golden;

/** Compares every measure of the record; null is one that is not defined. Probabilities are rounded to float32. */
export function expectMeasures(actual: object, expected: Metrics, precision = 1e-7): void {
  for (const [name, value] of Object.entries(expected)) {
    const got = (actual as Readonly<Record<string, number | undefined>>)[name];
    if (value === null) expect([name, got ?? Number.NaN]).toEqual([name, Number.NaN]);
    else expect(Math.abs(got! - value), `${name}: ${got} instead of ${value}`).toBeLessThanOrEqual(precision);
  }
}

/** Compares intervals from two sets of random draws: each end within a tenth of the width. */
export function expectInterval(actual: readonly [number, number], expected: readonly [number, number]): void {
  const width = expected[1] - expected[0];
  for (const end of [0, 1] as const)
    expect(Math.abs(actual[end] - expected[end]), `${actual} instead of ${expected}`).toBeLessThan(0.1 * width);
}
