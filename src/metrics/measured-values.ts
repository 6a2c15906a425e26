/** What each image adds to the measures of one predicted number, so that they can be taken of the images or of any draw. */
import type { SampleCounts } from "./bootstrap.ts";

/** One target of a regression. */
export interface ValueSamples {
  readonly predicted: Float64Array;
  readonly wanted: Float64Array;
  /** Predicted minus wanted. */
  readonly errors: Float64Array;
  /** Wanted minus its mean over all samples. */
  readonly centered: Float64Array;
  /** Indices by absolute error, by predicted and by wanted value, each ascending. */
  readonly byError: Uint32Array;
  readonly byPredicted: Uint32Array;
  readonly byWanted: Uint32Array;
}

/** Measures of any draw; NaN where the draw leaves one undefined. */
export type ValueMeasure = "mae" | "rmse" | "r2" | "spearman" | "medianError";

/** What rounding leaves of a sum of squares that should be 0, as a share of its parts. */
const ROUNDING = 1e-12;

/** Prepares one target for measuring. @param predicted [n]. @param wanted [n]. */
export function valueSamples(predicted: Float64Array, wanted: Float64Array): ValueSamples {
  const mean = wanted.reduce((sum, value) => sum + value, 0) / wanted.length;
  const errors = predicted.map((value, i) => value - wanted[i]!);
  return {
    predicted,
    wanted,
    errors,
    centered: wanted.map((value) => value - mean),
    byError: ascending(errors.map(Math.abs)),
    byPredicted: ascending(predicted),
    byWanted: ascending(wanted),
  };
}

/** The measures of a draw of the samples. */
export function measureValues(samples: ValueSamples, counts: SampleCounts): Readonly<Record<ValueMeasure, number>> {
  const { errors, centered } = samples;
  let [total, absolute, squared, sum, squares] = [0, 0, 0, 0, 0];
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    total += count;
    absolute += count * Math.abs(errors[i]!);
    squared += count * errors[i]! ** 2;
    sum += count * centered[i]!;
    squares += count * centered[i]! ** 2;
  }
  const spread = squares - sum ** 2 / total;
  return {
    mae: absolute / total,
    rmse: Math.sqrt(squared / total),
    r2: spread > ROUNDING * squares ? 1 - squared / spread : Number.NaN,
    spearman: spearman(samples, counts, total),
    medianError: medianError(samples, counts, total),
  };
}

/** The correlation of ranks, equal values having the mean of theirs (Spearman 1904); NaN where either does not vary. */
function spearman(
  { predicted, wanted, byPredicted, byWanted }: ValueSamples,
  counts: SampleCounts,
  total: number,
): number {
  const x = ranks(predicted, byPredicted, counts);
  const y = ranks(wanted, byWanted, counts);
  const mean = (total + 1) / 2;
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    xx += count * (x[i]! - mean) ** 2;
    yy += count * (y[i]! - mean) ** 2;
    xy += count * (x[i]! - mean) * (y[i]! - mean);
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : Number.NaN;
}

/** The rank of each sample of a draw, from 1. */
function ranks(values: Float64Array, order: Uint32Array, counts: SampleCounts): Float64Array {
  const out = new Float64Array(values.length);
  let before = 0;
  for (let start = 0; start < order.length; ) {
    let end = start;
    let same = 0;
    for (; end < order.length && values[order[end]!] === values[order[start]!]; end++) same += counts[order[end]!]!;
    for (let i = start; i < end; i++) out[order[i]!] = before + (same + 1) / 2;
    before += same;
    start = end;
  }
  return out;
}

/** The middle absolute error, or the mean of the two in the middle. */
function medianError({ errors, byError }: ValueSamples, counts: SampleCounts, total: number): number {
  let [before, lower] = [0, Number.NaN];
  for (const i of byError) {
    before += counts[i]!;
    const error = Math.abs(errors[i]!);
    if (Number.isNaN(lower) && before >= Math.ceil(total / 2)) lower = error;
    if (before >= Math.floor(total / 2) + 1) return (lower + error) / 2;
  }
  return lower;
}

function ascending(values: Float64Array): Uint32Array {
  return Uint32Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
}
