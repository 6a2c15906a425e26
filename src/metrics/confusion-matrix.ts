/** Counts of true against predicted classes: what most classification metrics are computed from. */
import { RootstockError } from "../errors.ts";

/**
 * Counts samples by true and predicted class.
 * @param labels [n] true class indices. @param predictions [n] predicted class indices.
 * @returns [numClasses, numClasses] counts; rows are true classes, columns predicted ones.
 * @throws RootstockError SHAPE_MISMATCH if the lengths differ.
 * @throws RangeError if an index is not a whole number in [0, numClasses).
 */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
  numClasses: number,
): number[][] {
  if (labels.length !== predictions.length) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `confusionMatrix requires one prediction per label, got ${predictions.length} for ${labels.length} labels.`,
    );
  }
  const counts = Array.from({ length: numClasses }, () => new Array<number>(numClasses).fill(0));
  for (let i = 0; i < labels.length; i++) {
    const row = counts[checkIndex("label", i, labels[i]!, numClasses)]!;
    row[checkIndex("prediction", i, predictions[i]!, numClasses)]! += 1;
  }
  return counts;
}

/** Returns the index. @throws RangeError naming the sample, if it is no class index. */
export function checkIndex(what: string, sample: number, index: number, numClasses: number): number {
  if (Number.isInteger(index) && index >= 0 && index < numClasses) return index;
  throw new RangeError(`${what} of sample ${sample} must be a class index in [0, ${numClasses}), got ${index}.`);
}
