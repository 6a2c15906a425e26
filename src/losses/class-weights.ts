/** How much each class counts: weights from counts, and what they do to the rows of a batch. */
import { RootstockError } from "../errors.ts";
import { countTargets, type Targets } from "./targets.ts";

/** Least and largest weight of a class: products with the weights of rows stay float32 numbers. */
const LEAST = 1e-6;
const MOST = 1e6;

/**
 * Returns how many rows each class has, [numClasses]: soft and several labels count by their numbers.
 * @throws RootstockError BAD_CONFIG for a regression.
 */
export function classCounts(targets: Targets, numClasses: number): number[] {
  const { task, values, width } = targets;
  if (task === "regression") {
    throw new RootstockError("BAD_CONFIG", "class weights require data with classes, got a regression.");
  }
  const counts = new Array<number>(numClasses).fill(0);
  if (width === 1 && task === "single-label") for (const label of values) counts[label]! += 1;
  else for (const [i, value] of values.entries()) counts[i % width]! += value;
  return counts;
}

/**
 * Returns n / (k count) for the k classes that have rows, n in all, as scikit-learn's "balanced": every class counts as much
 * as any other. A class without rows gets 1.
 */
export function balancedWeights(counts: readonly number[]): number[] {
  const present = counts.filter((count) => count > 0).length;
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (count > 0 ? within(total / (present * count)) : 1));
}

/**
 * Returns the weight (1 - beta) / (1 - beta^count) of each class, with mean 1 (Cui et al. 2019, arXiv:1901.05555): of rows
 * that are like each other, further ones say less and less. Equal weights for beta 0, nearly balanced ones for beta
 * near 1; the paper tries 0.9 to 0.9999. A class without rows gets 1.
 * @throws RangeError if `beta` is outside [0, 1).
 */
export function effectiveNumberWeights(counts: readonly number[], beta: number): number[] {
  if (!(beta >= 0 && beta < 1)) throw new RangeError(`beta requires a number in [0, 1), got ${beta}.`);
  const effective = counts.map((count) => Math.expm1(count * Math.log(beta)) / (beta - 1)); // (1 - beta^count) / (1 - beta)
  const present = effective.filter((_, i) => counts[i]! > 0);
  const mean = present.reduce((sum, number) => sum + 1 / number, 0) / present.length;
  return effective.map((number, i) => (counts[i]! > 0 ? within(1 / (number * mean)) : 1));
}

/**
 * Returns how much an answer "yes" counts for each class so that both answers weigh the same: rows without it per row with
 * it, as PyTorch's documentation of pos_weight. 1 for a class that all rows or none have.
 * @param positives rows that have each class. @param rows the number of all rows.
 */
export function balancedPositiveWeights(positives: readonly number[], rows: number): number[] {
  return positives.map((count) => (count > 0 && count < rows ? within((rows - count) / count) : 1));
}

/**
 * Returns targets whose rows also weigh what their class does; as they are without class weights.
 *
 * A weighted mean over such rows is PyTorch's cross_entropy with `weight`: the sum of weight times loss divided by the sum
 * of the weights of the targets.
 * @param targets class indices [n, 1], with weights of their own or without. @param classWeights a loss's `rowWeights`.
 * @throws RootstockError SHAPE_MISMATCH if the targets are no class indices.
 */
export function weightTargets(targets: Targets, classWeights: readonly number[] | undefined): Targets {
  if (classWeights === undefined) return targets;
  const { task, values, width, weights } = targets;
  if (task !== "single-label" || width !== 1) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `class weights of rows require one class index each, got ${task} targets of ${width} numbers. Use a soft loss.`,
    );
  }
  const weigh = (_: unknown, i: number): number => (weights?.[i] ?? 1) * classWeights[values[i]!]!;
  return { ...targets, weights: Float32Array.from({ length: countTargets(targets) }, weigh) };
}

/**
 * Throws unless `weights` is a list of numbers from 1e-6 to 1e6.
 * @param name Of the option, for the message. @throws RangeError
 */
export function checkWeights(name: string, weights: readonly number[] | undefined): void {
  if (weights === undefined) return;
  const wrong = Array.isArray(weights) ? weights.find((weight) => !(weight >= LEAST && weight <= MOST)) : weights;
  if (Array.isArray(weights) && weights.length > 0 && wrong === undefined) return;
  const got = Array.isArray(weights) && weights.length === 0 ? "none" : String(wrong);
  throw new RangeError(`${name} requires a number from ${LEAST} to ${MOST} for each class, got ${got}.`);
}

/** Throws unless there is one weight for each class. @throws RangeError */
export function checkWeightCount(name: string, weights: readonly number[] | undefined, numClasses: number): void {
  if (weights === undefined || weights.length === numClasses) return;
  throw new RangeError(`${name} requires ${numClasses} numbers, one for each class, got ${weights.length}.`);
}

const within = (weight: number): number => Math.min(MOST, Math.max(LEAST, weight));
