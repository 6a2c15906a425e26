/** From the raw outputs of a classifier (logits) to probabilities and predictions, row by row. */
import { RootstockError } from "../errors.ts";

/** The activations that turn a model's raw outputs into what it says, by name. */
export const ACTIVATIONS = {
  softmax: softmaxRows,
  sigmoid: sigmoidRows,
  identity: identityRows,
} as const satisfies Record<string, (logits: Float32Array, numClasses: number) => Float32Array>;

/**
 * How raw outputs become what a model says: probabilities of classes that exclude each other (softmax) or of independent
 * ones (sigmoid), or values as they are (identity).
 */
export type Activation = keyof typeof ACTIVATIONS;

/** An activation that gives probabilities. */
export type ClassActivation = Exclude<Activation, "identity">;

/** One class of a ranked prediction. */
export interface RankedClass {
  /** Class index, from 0. */
  readonly index: number;
  /** Probability of the class, in [0, 1]. */
  readonly probability: number;
}

/**
 * Throws unless `logits` are whole rows of finite numbers, and returns the number of rows.
 * @param logits [n, numClasses], row-major.
 * @throws RootstockError SHAPE_MISMATCH if the last row is incomplete, BAD_MODEL if a logit is NaN or infinite.
 * @throws RangeError if `numClasses` is not a positive whole number.
 */
export function checkLogits(logits: Float32Array, numClasses: number): number {
  if (!Number.isSafeInteger(numClasses) || numClasses < 1) {
    throw new RangeError(`numClasses must be a positive whole number, got ${numClasses}.`);
  }
  if (logits.length % numClasses !== 0) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `logits [n, ${numClasses}] require a multiple of ${numClasses} elements, got ${logits.length}.`,
    );
  }
  const bad = new Set<number>();
  for (let i = 0; i < logits.length; i++) {
    if (!Number.isFinite(logits[i]!)) bad.add(Math.floor(i / numClasses));
  }
  const rows = logits.length / numClasses;
  const [first] = bad;
  if (first !== undefined) {
    throw new RootstockError(
      "BAD_MODEL",
      `logits must be finite, got NaN or infinity for ${bad.size} of ${rows} samples, first for sample ${first}. ` +
        "If the model was being trained, it diverged: use a lower learning rate.",
    );
  }
  return rows;
}

/**
 * Returns the softmax of each row, shifted by the row's maximum so that it cannot overflow.
 * @param logits [n, numClasses], finite. @returns [n, numClasses], each row summing to 1.
 * @throws As {@link checkLogits}.
 */
export function softmaxRows(logits: Float32Array, numClasses: number): Float32Array {
  checkLogits(logits, numClasses);
  const out = new Float32Array(logits.length);
  const exponentials = new Float64Array(numClasses);
  for (let start = 0; start < logits.length; start += numClasses) {
    let max = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < numClasses; j++) max = Math.max(max, logits[start + j]!);
    let sum = 0;
    for (let j = 0; j < numClasses; j++) {
      const value = Math.exp(logits[start + j]! - max);
      exponentials[j] = value;
      sum += value;
    }
    for (let j = 0; j < numClasses; j++) out[start + j] = exponentials[j]! / sum;
  }
  return out;
}

/**
 * Returns the logistic function 1 / (1 + exp(-x)) of each logit.
 * @param logits [n, numClasses], finite. @returns [n, numClasses]; rows need not sum to 1.
 * @throws As {@link checkLogits}.
 */
export function sigmoidRows(logits: Float32Array, numClasses: number): Float32Array {
  checkLogits(logits, numClasses);
  return logits.map((x) => 1 / (1 + Math.exp(-x))); // exp overflows to infinity for very negative x, which gives 0
}

/**
 * Returns a copy of the outputs.
 * @param outputs [n, width], finite. @throws As {@link checkLogits}.
 */
export function identityRows(outputs: Float32Array, width: number): Float32Array {
  checkLogits(outputs, width);
  return outputs.slice();
}

/** Returns the index of the largest score of each row [n, numClasses]; a tie goes to the lowest index. */
export function argmaxRows(scores: Float32Array, numClasses: number): Int32Array {
  return Int32Array.from({ length: scores.length / numClasses }, (_, row) => {
    const start = row * numClasses;
    let best = 0;
    for (let j = 1; j < numClasses; j++) {
      if (scores[start + j]! > scores[start + best]!) best = j;
    }
    return best;
  });
}

/**
 * Returns the `k` most probable classes of one sample, most probable first; a tie goes to the lower index.
 * @param probabilities [numClasses]. @param k At least 1; more than there are classes returns all of them.
 * @throws RangeError if `k` is not a positive whole number.
 */
export function topK(probabilities: ArrayLike<number>, k: number): RankedClass[] {
  if (!Number.isSafeInteger(k) || k < 1) throw new RangeError(`topK: k must be a positive whole number, got ${k}.`);
  return Array.from(probabilities, (probability, index) => ({ index, probability }))
    .sort((a, b) => b.probability - a.probability) // stable: equal probabilities keep their order
    .slice(0, k);
}
