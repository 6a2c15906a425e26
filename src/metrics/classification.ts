/** Measures a classifier: loss, accuracy with its interval, and what each class contributes. */
import { RootstockError } from "../errors.ts";
import { confusionMatrix } from "./confusion-matrix.ts";
import { wilsonInterval } from "./interval.ts";
import { argmaxRows, type ClassActivation, checkLogits } from "./probabilities.ts";

/** Numbers that describe a classifier as a whole; all finite. */
export interface ClassificationMetrics {
  /** Mean loss: softmax cross-entropy, or binary cross-entropy averaged over samples and classes. */
  readonly loss: number;
  /** Share of samples whose most probable class is the label, in [0, 1]. */
  readonly accuracy: number;
  /** 95 % Wilson interval of the accuracy. */
  readonly accuracyInterval: readonly [low: number, high: number];
  /** Mean recall over the classes that occur among the labels, in [0, 1]; scikit-learn's balanced_accuracy_score. */
  readonly balancedAccuracy: number;
  /** Mean F1 over the classes that occur among labels or predictions; scikit-learn's f1_score(average="macro"). */
  readonly macroF1: number;
}

/** Numbers that describe one class. A ratio without cases (0 / 0) is 0. */
export interface ClassMetrics {
  readonly label: string;
  /** Share of the predictions of this class that are right, in [0, 1]; 0 if it was never predicted. */
  readonly precision: number;
  /** Share of the samples of this class that were found, in [0, 1]; 0 if it has no samples. */
  readonly recall: number;
  /** Harmonic mean of precision and recall, in [0, 1]. */
  readonly f1: number;
  /** Number of samples with this label. */
  readonly support: number;
}

/** Everything measured in one pass over a dataset; JSON-safe. */
export interface ClassificationEvaluation {
  readonly task: "single-label";
  readonly metrics: ClassificationMetrics;
  /** One entry per class, in class order. */
  readonly perClass: readonly ClassMetrics[];
  /** Counts; rows are true classes, columns predicted ones. */
  readonly confusion: readonly (readonly number[])[];
}

/** What {@link evaluateClassification} measures. */
export interface ClassificationResults {
  /** Raw outputs of the model, [n, k] row-major. */
  readonly logits: Float32Array;
  /** True class indices, [n], each in [0, k). */
  readonly labels: ArrayLike<number>;
  /** Class names, [k]. */
  readonly classes: readonly string[];
  /** How the model turns logits into probabilities; decides the loss. */
  readonly activation: ClassActivation;
}

/**
 * Measures predictions against labels. The prediction is the largest logit; a tie goes to the lowest index.
 *
 * The loss is computed from logits in float64: softmax by log-sum-exp, sigmoid against one-hot targets.
 * @throws RootstockError BAD_DATA without samples, SHAPE_MISMATCH if logits are not [n, k], BAD_MODEL if a logit is
 * not finite. @throws RangeError if a label is not a class index, or there is no class.
 */
export function evaluateClassification({
  logits,
  labels,
  classes,
  activation,
}: ClassificationResults): ClassificationEvaluation {
  const numClasses = classes.length;
  const numSamples = checkLogits(logits, numClasses);
  if (numSamples !== labels.length) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `evaluateClassification requires logits [n, ${numClasses}] and labels [n], ` +
        `got [${numSamples}, ${numClasses}] and [${labels.length}].`,
    );
  }
  if (numSamples === 0) {
    throw new RootstockError("BAD_DATA", "an evaluation requires at least one sample, got 0. Use a larger split.");
  }
  const confusion = confusionMatrix(labels, argmaxRows(logits, numClasses), numClasses); // checks the labels
  const predicted = classes.map((_, column) => confusion.reduce((sum, row) => sum + row[column]!, 0));
  const perClass = classes.map((label, i): ClassMetrics => {
    const found = confusion[i]![i]!;
    const support = confusion[i]!.reduce((sum, count) => sum + count, 0);
    return {
      label,
      precision: ratio(found, predicted[i]!),
      recall: ratio(found, support),
      f1: ratio(2 * found, support + predicted[i]!),
      support,
    };
  });
  const correct = confusion.reduce((sum, row, i) => sum + row[i]!, 0);
  return {
    task: "single-label",
    metrics: {
      loss: LOSSES[activation](logits, labels, numClasses) / numSamples,
      accuracy: correct / numSamples,
      accuracyInterval: wilsonInterval(correct, numSamples),
      balancedAccuracy: mean(perClass.filter((c) => c.support > 0).map((c) => c.recall)),
      macroF1: mean(perClass.filter((c, i) => c.support > 0 || predicted[i]! > 0).map((c) => c.f1)),
    },
    perClass,
    confusion,
  };
}

/** Sum over samples of each activation's loss. */
const LOSSES: Readonly<
  Record<ClassActivation, (logits: Float32Array, labels: ArrayLike<number>, numClasses: number) => number>
> = {
  softmax: (logits, labels, numClasses) => {
    let total = 0;
    for (let i = 0; i < labels.length; i++) {
      const row = logits.subarray(i * numClasses, (i + 1) * numClasses);
      let max = Number.NEGATIVE_INFINITY;
      for (let j = 0; j < numClasses; j++) max = Math.max(max, row[j]!);
      let sum = 0;
      for (let j = 0; j < numClasses; j++) sum += Math.exp(row[j]! - max);
      total += max - row[labels[i]!]! + Math.log(sum);
    }
    return total;
  },
  sigmoid: (logits, labels, numClasses) => {
    let total = 0;
    for (let i = 0; i < labels.length; i++) {
      for (let j = 0; j < numClasses; j++) {
        const x = logits[i * numClasses + j]!;
        total += Math.max(x, 0) - (j === labels[i] ? x : 0) + Math.log1p(Math.exp(-Math.abs(x)));
      }
    }
    return total / numClasses;
  },
};

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
