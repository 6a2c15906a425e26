/** Measures a model that gives numbers: how far they are off, and how much of what varies they explain. */
import { RootstockError } from "../errors.ts";
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
export function evaluateRegression({
  predictions,
  values,
  targets,
  trainingMean,
}: RegressionResults): RegressionEvaluation {
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
  const perTarget = targets.map((target, j): TargetMetrics => {
    const column = (matrix: Float32Array) => Float64Array.from({ length: count }, (_, i) => matrix[i * width + j]!);
    const wanted = column(values);
    const { mae, rmse } = errors(column(predictions), wanted);
    const mean = wanted.reduce((sum, value) => sum + value, 0) / count;
    const spread = errors(new Float64Array(count).fill(mean), wanted).rmse;
    const constant = trainingMean && new Float64Array(count).fill(trainingMean[j]!);
    return {
      target,
      mae,
      rmse,
      r2: wanted.every((value) => value === wanted[0]) ? Number(rmse === 0) : 1 - (rmse / spread) ** 2,
      ...(constant ? { baseline: errors(constant, wanted) } : {}),
    };
  });
  return { task: "regression", count, metrics: meanOf(perTarget), perTarget };
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
  return { mae: mean((t) => t.mae), rmse: mean((t) => t.rmse), r2: mean((t) => t.r2), ...baseline };
}
