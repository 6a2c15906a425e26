/** Finds samples whose label is likely to be wrong, from probabilities of models that did not see them. */
import { RootstockError } from "../errors.ts";

/** A class with fewer samples is neither judged nor suggested: what is known of it is noise. */
const FEWEST_SAMPLES = 5;
/** A probability that is sure for any class: where a model is surer on average, half of its errors would be left out. */
const SURE = 0.9;

/** Probabilities beside the labels that they are compared with. */
export interface LabelledProbabilities {
  /** [n, numClasses] row-major, each row summing to 1, each from a model that was not trained on the sample. */
  readonly probabilities: Float32Array | Float64Array;
  /** Class indices, [n]. */
  readonly labels: ArrayLike<number>;
  readonly numClasses: number;
}

export interface LabelIssueOptions {
  /**
   * How much more probable the suggested class must be than the given one, in [0, 1]. Less finds more errors, and more
   * that are none. @default 0.5
   */
  readonly margin?: number | undefined;
}

/** A sample whose label is likely to be wrong. */
export interface LabelIssue {
  /** Row of the sample. */
  readonly index: number;
  /** Its label. */
  readonly label: number;
  /** The class that it looks like. */
  readonly suggested: number;
  /** Probability of its label, in [0, 1]. */
  readonly confidence: number;
  /** Probability of the suggested class minus that of the label, in (0, 1]. */
  readonly margin: number;
}

/** What is found. */
export interface LabelIssues {
  /** The largest margin first. */
  readonly issues: readonly LabelIssue[];
  /**
   * Counts [numClasses][numClasses] of samples with a label (row) that are confidently of a class (column): the
   * confident joint. Off its diagonal are the errors that it estimates.
   */
  readonly joint: readonly (readonly number[])[];
  /** Mean probability of each class among the samples with that label, at most 0.9: from it on, one is confident. */
  readonly thresholds: readonly number[];
}

/**
 * Finds likely label errors by confident learning (Northcutt, Jiang, Chuang 2021, arXiv:1911.00068). A sample counts for
 * the class with the largest probability among those whose probability reaches the mean over the samples labelled so;
 * that mean, at most 0.9, makes up for classes of which a model is less sure. A sample that counts for another class than its label
 * is an issue if that class also leads by `margin`; issues are ranked by it. Classes with fewer than 5 samples are left out.
 * @throws RootstockError SHAPE_MISMATCH if the lengths do not fit. @throws RangeError if a label is no class index, or
 * the margin is outside [0, 1].
 */
export function findLabelIssues(
  { probabilities, labels, numClasses }: LabelledProbabilities,
  { margin = 0.5 }: LabelIssueOptions = {},
): LabelIssues {
  check(probabilities, labels, numClasses, margin);
  const at = (row: number, column: number): number => probabilities[row * numClasses + column]!;
  const counts = new Array<number>(numClasses).fill(0);
  const sums = new Array<number>(numClasses).fill(0);
  for (let i = 0; i < labels.length; i++) {
    counts[labels[i]!]!++;
    sums[labels[i]!]! += at(i, labels[i]!);
  }
  const thresholds = sums.map((sum, j) => (counts[j]! > 0 ? Math.min(SURE, sum / counts[j]!) : 0));
  const known = counts.map((count) => count >= FEWEST_SAMPLES);
  const joint = counts.map(() => new Array<number>(numClasses).fill(0));
  const issues: LabelIssue[] = [];
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index]!;
    if (!known[label]) continue;
    let counted = -1;
    for (let j = 0; j < numClasses; j++)
      if (known[j] && at(index, j) >= thresholds[j]! && (counted < 0 || at(index, j) > at(index, counted))) counted = j;
    if (counted < 0) continue;
    joint[label]![counted]!++;
    const lead = at(index, counted) - at(index, label);
    if (counted !== label && lead > 0 && lead >= margin)
      issues.push({ index, label, suggested: counted, confidence: at(index, label), margin: lead });
  }
  issues.sort((a, b) => b.margin - a.margin || a.index - b.index);
  return { issues, joint, thresholds };
}

function check(
  probabilities: Float32Array | Float64Array,
  labels: ArrayLike<number>,
  numClasses: number,
  margin: number,
): void {
  if (!(margin >= 0 && margin <= 1)) throw new RangeError(`margin must be in [0, 1], got ${margin}.`);
  if (!Number.isSafeInteger(numClasses) || numClasses < 1)
    throw new RangeError(`numClasses must be a positive whole number, got ${numClasses}.`);
  if (probabilities.length !== labels.length * numClasses)
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `findLabelIssues requires probabilities [n, ${numClasses}] and labels [n], got ${probabilities.length} numbers and [${labels.length}].`,
    );
  for (let i = 0; i < labels.length; i++)
    if (!(Number.isInteger(labels[i]) && labels[i]! >= 0 && labels[i]! < numClasses))
      throw new RangeError(`label ${labels[i]} of sample ${i} is not a class index in [0, ${numClasses}).`);
}
