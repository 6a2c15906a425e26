/** Measures a classifier of independent classes, any number of which an image may show. */
import { RootstockError } from "../errors.ts";
import { averagePrecision } from "./average-precision.ts";
import { checkLogits } from "./probabilities.ts";

/** Numbers that describe a multi-label classifier as a whole; all finite. A class is predicted from probability 0.5 on. */
export interface MultiLabelMetrics {
  /** Mean binary cross-entropy over samples and classes. */
  readonly loss: number;
  /** Share of samples whose every class is right, in [0, 1]; scikit-learn's accuracy_score of indicators. */
  readonly exactMatch: number;
  /** F1 of all decisions together, in [0, 1]; scikit-learn's f1_score(average="micro"). */
  readonly microF1: number;
  /** Mean F1 over the classes that occur among targets or predictions; scikit-learn's f1_score(average="macro") of them. */
  readonly macroF1: number;
  /** Mean over the classes with a positive sample of the average precision; it needs no threshold. */
  readonly meanAveragePrecision: number;
}

/** Numbers that describe one of several independent classes. A ratio without cases (0 / 0) is 0. */
export interface LabelMetrics {
  readonly label: string;
  /** Share of the predictions of this class that are right, in [0, 1]. */
  readonly precision: number;
  /** Share of the samples with this class that were found, in [0, 1]. */
  readonly recall: number;
  /** Harmonic mean of precision and recall, in [0, 1]. */
  readonly f1: number;
  /** Area under the steps of precision over recall, in [0, 1]; 0 without positive samples. */
  readonly averagePrecision: number;
  /** Number of samples with this class. */
  readonly support: number;
}

/** Everything measured in one pass over a dataset; JSON-safe. */
export interface MultiLabelEvaluation {
  readonly task: "multi-label";
  /** Number of samples. */
  readonly count: number;
  readonly metrics: MultiLabelMetrics;
  /** One entry per class, in class order. */
  readonly perClass: readonly LabelMetrics[];
}

/** What {@link evaluateMultiLabel} measures. */
export interface MultiLabelResults {
  /** Raw outputs of the model, [n, k] row-major. */
  readonly logits: Float32Array;
  /** [n, k] row-major, each in [0, 1]. For the loss they count as they are, for everything else as positive from 0.5 on. */
  readonly targets: Float32Array;
  /** Class names, [k]. */
  readonly classes: readonly string[];
}

/**
 * Measures predictions of independent classes. A class is predicted where its probability is above 0.5, its logit above 0.
 *
 * The loss is computed from logits in float64.
 * @throws RootstockError BAD_DATA without samples, SHAPE_MISMATCH if logits and targets are not both [n, k], BAD_MODEL if
 * a logit is not finite. @throws RangeError if there is no class, or a target is outside [0, 1].
 */
export function evaluateMultiLabel({ logits, targets, classes }: MultiLabelResults): MultiLabelEvaluation {
  const width = classes.length;
  const count = checkLogits(logits, width);
  if (targets.length !== logits.length) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `evaluateMultiLabel requires logits and targets [n, ${width}], got ${logits.length} and ${targets.length} elements.`,
    );
  }
  if (count === 0) {
    throw new RootstockError("BAD_DATA", "an evaluation requires at least one sample, got 0. Use a larger split.");
  }
  const bad = targets.findIndex((value) => !(value >= 0 && value <= 1));
  if (bad >= 0) throw new RangeError(`a multi-label target must be in [0, 1], got ${targets[bad]}.`);
  const columns = classes.map((label, j) => ({ label, ...countColumn(logits, targets, { j, width }) }));
  const perClass = columns.map(
    ({ label, right, predicted, support, scores, positive }): LabelMetrics => ({
      label,
      precision: ratio(right, predicted),
      recall: ratio(right, support),
      f1: ratio(2 * right, support + predicted),
      averagePrecision: averagePrecision(scores, positive),
      support,
    }),
  );
  const sum = (of: (column: (typeof columns)[number]) => number): number =>
    columns.reduce((total, column) => total + of(column), 0);
  return {
    task: "multi-label",
    count,
    metrics: {
      loss: binaryCrossEntropy(logits, targets) / logits.length,
      exactMatch: exactRows(logits, targets, width) / count,
      microF1: ratio(
        2 * sum(({ right }) => right),
        sum(({ support, predicted }) => support + predicted),
      ),
      macroF1: mean(perClass.filter((c, j) => c.support > 0 || columns[j]!.predicted > 0).map(({ f1 }) => f1)),
      meanAveragePrecision: mean(perClass.filter(({ support }) => support > 0).map((c) => c.averagePrecision)),
    },
    perClass,
  };
}

/** Decisions of one class. */
function countColumn(
  logits: Float32Array,
  targets: Float32Array,
  { j, width }: { readonly j: number; readonly width: number },
) {
  const count = logits.length / width;
  const scores = Float32Array.from({ length: count }, (_, i) => logits[i * width + j]!);
  const positive = Array.from({ length: count }, (_, i) => isPositive(targets[i * width + j]!));
  const predicted = scores.reduce((sum, score) => sum + Number(isPredicted(score)), 0);
  const support = positive.reduce((sum, is) => sum + Number(is), 0);
  const right = positive.reduce((sum, is, i) => sum + Number(is && isPredicted(scores[i]!)), 0);
  return { scores, positive, predicted, support, right };
}

const isPredicted = (logit: number): boolean => logit > 0;
const isPositive = (target: number): boolean => target >= 0.5;

/** The number of rows in which every decision is right. */
function exactRows(logits: Float32Array, targets: Float32Array, width: number): number {
  let exact = 0;
  for (let start = 0; start < logits.length; start += width) {
    const row = logits.subarray(start, start + width);
    if (row.every((logit, j) => isPredicted(logit) === isPositive(targets[start + j]!))) exact++;
  }
  return exact;
}

/** The sum over all elements. */
function binaryCrossEntropy(logits: Float32Array, targets: Float32Array): number {
  let total = 0;
  for (const [i, x] of logits.entries()) total += Math.max(x, 0) - x * targets[i]! + Math.log1p(Math.exp(-Math.abs(x)));
  return total;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** 0 of nothing. */
function mean(values: readonly number[]): number {
  return ratio(
    values.reduce((sum, value) => sum + value, 0),
    values.length,
  );
}
