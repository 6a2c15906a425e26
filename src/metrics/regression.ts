/** Measures a model that gives numbers: how far they are off, and how much of what varies they explain. */
import { RootstockError } from "../errors.ts";
import { bootstrap, everyOnce, percentileInterval, replicatesFor, type SampleCounts } from "./bootstrap.ts";
import type { Interval } from "./interval.ts";
import { measureValues, type ValueMeasure, type ValueSamples, valueSamples } from "./measured-values.ts";
import { MEASURES } from "./measures.ts";
import { checkLogits } from "./probabilities.ts";

/** What always answering with the training mean would get. */
export interface Baseline {
  readonly mae: number;
  readonly rmse: number;
}

/** Numbers that describe a regression; all finite. With several targets each is the plain mean over them. */
export interface RegressionMetrics {
  /** Mean absolute error, in the target's unit. */
  readonly mae: number;
  /** Root of the mean squared error, in the target's unit. */
  readonly rmse: number;
  /**
   * Coefficient of determination, at most 1: 1 - (sum of squared errors) / (sum of squared distances from the mean of the
   * measured samples). Where these are all the same it is 1 for predictions without an error, else 0, as scikit-learn's
   * r2_score.
   */
  readonly r2: number;
  /** Spearman's rank correlation of predicted and true values, in [-1, 1]; 0 where either does not vary. */
  readonly spearman: number;
  /** Median absolute error, in the target's unit: what half of the images stay below. */
  readonly medianError: number;
  /** The same errors of the mean of the training targets, where that is known: what a useful model must beat. */
  readonly baseline?: Baseline | undefined;
}

/** {@link RegressionMetrics} of one target. */
export interface TargetMetrics extends RegressionMetrics {
  readonly target: string;
}

/** Everything measured in one pass over a dataset; JSON-safe. */
export interface RegressionEvaluation {
  readonly task: "regression";
  /** Number of samples. */
  readonly count: number;
  readonly metrics: RegressionMetrics;
  /** 95 % intervals of the measures: the middle of the measures of random draws of the images; see `bootstrap`. */
  readonly intervals: Readonly<Record<ValueMeasure, Interval>>;
  /** One entry per target, in their order. */
  readonly perTarget: readonly TargetMetrics[];
}

/** What {@link evaluateRegression} measures. */
export interface RegressionResults {
  /** Predicted values, [n, k] row-major. */
  readonly predictions: Float32Array;
  /** True values, [n, k] row-major. */
  readonly values: Float32Array;
  /** Names of the targets, [k]. */
  readonly targets: readonly string[];
  /** Mean of each target over the training images, [k], if it is known: the baseline. */
  readonly trainingMean?: ArrayLike<number> | undefined;
}

/**
 * Measures predicted numbers against true ones, in float64.
 * @throws RootstockError BAD_DATA without samples, SHAPE_MISMATCH if predictions and values are not both [n, k], BAD_MODEL
 * if a prediction is not finite. @throws RangeError if there is no target, or a true value is not finite.
 */
export function evaluateRegression(results: RegressionResults): RegressionEvaluation {
  const columns = preparedRegression(results);
  const perTarget = measureTargets(columns, results);
  const metrics = meanOf(perTarget);
  const count = columns[0]!.wanted.length; // at least one target, as checked
  return { task: "regression", count, metrics, intervals: intervalsOf(columns, metrics), perTarget };
}

/** The measures without their intervals: what training shows after each epoch. @throws As {@link evaluateRegression}. */
export function summarizeRegression(results: RegressionResults): RegressionMetrics {
  return meanOf(measureTargets(preparedRegression(results), results));
}

function measureTargets(
  columns: readonly ValueSamples[],
  { targets, trainingMean }: RegressionResults,
): readonly TargetMetrics[] {
  return columns.map((samples, j): TargetMetrics => {
    const { wanted, predicted, centered } = samples;
    const count = wanted.length;
    const { mae, rmse } = errors(predicted, wanted);
    const spread = errors(centered, new Float64Array(count)).rmse;
    const constant = trainingMean && new Float64Array(count).fill(trainingMean[j]!);
    const { spearman, medianError } = measureValues(samples, everyOnce(count));
    return {
      target: targets[j]!,
      mae,
      rmse,
      r2: wanted.every((value) => value === wanted[0]) ? Number(rmse === 0) : 1 - (rmse / spread) ** 2,
      spearman: Number.isNaN(spearman) ? 0 : spearman,
      medianError,
      ...(constant ? { baseline: errors(constant, wanted) } : {}),
    };
  });
}

/** Prepares each target for measuring any draw of the images. @throws As {@link evaluateRegression}. */
export function preparedRegression({ predictions, values, targets }: RegressionResults): ValueSamples[] {
  const width = targets.length;
  const count = checkLogits(predictions, width);
  if (values.length !== predictions.length) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `evaluateRegression requires predictions and values [n, ${width}], got ${predictions.length} and ${values.length} elements.`,
    );
  }
  if (count === 0) {
    throw new RootstockError("BAD_DATA", "an evaluation requires at least one sample, got 0. Use a larger split.");
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new RangeError(`a regression target must be a finite number, got ${values[bad]}.`);
  const column = (matrix: Float32Array, j: number) =>
    Float64Array.from({ length: count }, (_, i) => matrix[i * width + j]!);
  return targets.map((_, j) => valueSamples(column(predictions, j), column(values, j)));
}

/** The plain mean over targets of each measure of a draw, over those for which it is defined. */
export function meanValues(
  columns: readonly ValueSamples[],
  counts: SampleCounts,
): Readonly<Record<ValueMeasure, number>> {
  const each = columns.map((samples) => measureValues(samples, counts));
  const mean = (name: ValueMeasure): number => {
    const known = each.map((measures) => measures[name]).filter((value) => !Number.isNaN(value));
    return known.reduce((sum, value) => sum + value, 0) / known.length; // NaN of none
  };
  return {
    mae: mean("mae"),
    rmse: mean("rmse"),
    r2: mean("r2"),
    spearman: mean("spearman"),
    medianError: mean("medianError"),
  };
}

function intervalsOf(columns: readonly ValueSamples[], metrics: RegressionMetrics): RegressionEvaluation["intervals"] {
  const count = columns[0]!.wanted.length; // at least one target, as checked
  const replicates = replicatesFor(8 * count * columns.length);
  const draws = bootstrap(count, (counts) => meanValues(columns, counts), { replicates });
  const of = (name: ValueMeasure): Interval =>
    percentileInterval(draws.get(name) ?? new Float64Array(), {
      value: metrics[name],
      count,
      ...MEASURES[name].interval,
    });
  return { mae: of("mae"), rmse: of("rmse"), r2: of("r2"), spearman: of("spearman"), medianError: of("medianError") };
}

function errors(predicted: Float64Array, wanted: Float64Array): Baseline {
  let absolute = 0;
  let squared = 0;
  for (const [i, value] of predicted.entries()) {
    absolute += Math.abs(value - wanted[i]!);
    squared += (value - wanted[i]!) ** 2;
  }
  return { mae: absolute / wanted.length, rmse: Math.sqrt(squared / wanted.length) };
}

function meanOf(perTarget: readonly TargetMetrics[]): RegressionMetrics {
  const mean = (of: (target: TargetMetrics) => number): number =>
    perTarget.reduce((sum, target) => sum + of(target), 0) / perTarget.length;
  const known = perTarget.every(({ baseline }) => baseline !== undefined);
  const baseline = known
    ? { baseline: { mae: mean((t) => t.baseline!.mae), rmse: mean((t) => t.baseline!.rmse) } } // known above
    : {};
  return {
    mae: mean((t) => t.mae),
    rmse: mean((t) => t.rmse),
    r2: mean((t) => t.r2),
    spearman: mean((t) => t.spearman),
    medianError: mean((t) => t.medianError),
    ...baseline,
  };
}
