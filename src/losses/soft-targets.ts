/** Targets that are distributions: what mixed samples, annotators who disagree and teachers say. */
import { RootstockError } from "../errors.ts";
import { countTargets, type Targets } from "./targets.ts";

/**
 * Returns single-label targets as probabilities [n, numClasses]: class indices with a single one in each row, and what is
 * soft already as it is. Their weights stay.
 * @throws RootstockError SHAPE_MISMATCH if a row has neither 1 nor numClasses numbers, BAD_DATA if an index has no class.
 */
export function softTargets(targets: Targets, numClasses: number): Targets {
  const { values, width } = targets;
  if (width !== 1 && width === numClasses) return targets;
  if (width !== 1) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `soft targets require rows of 1 class index or ${numClasses} probabilities, got ${width} numbers.`,
    );
  }
  const rows = new Float32Array(values.length * numClasses);
  for (const [i, label] of values.entries()) {
    if (!(Number.isInteger(label) && label >= 0 && label < numClasses)) {
      throw new RootstockError(
        "BAD_DATA",
        `row ${i} requires a class index from 0 to ${numClasses - 1}, got ${label}.`,
      );
    }
    rows[i * numClasses + label] = 1;
  }
  return { ...targets, values: rows, width: numClasses };
}

/**
 * Returns what a teacher says as targets: its probabilities at temperature 1, from logits [n, numClasses].
 * @throws RootstockError SHAPE_MISMATCH if the logits are no whole rows.
 */
export function teacherTargets(logits: Float32Array, numClasses: number): Targets {
  if (!(numClasses >= 2 && logits.length % numClasses === 0)) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `a teacher's logits require rows of at least 2 classes, got ${logits.length} numbers for ${numClasses} classes.`,
    );
  }
  const values = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += numClasses) {
    const row = logits.subarray(start, start + numClasses);
    const max = row.reduce((a, b) => Math.max(a, b));
    const shares = Array.from(row, (value) => Math.exp(value - max));
    const sum = shares.reduce((total, share) => total + share, 0);
    for (const [i, share] of shares.entries()) values[start + i] = share / sum;
  }
  return { task: "single-label", values, width: numClasses };
}

/**
 * Returns probabilities [n, numClasses] at a temperature T, as a new array: p^(1/T) over its sum, which is the softmax of
 * logits / T where p is the softmax of the logits. They are normalized at temperature 1 too.
 */
export function atTemperature(targets: Targets, temperature: number): Float32Array {
  const { values, width } = targets;
  const warm = new Float32Array(values.length);
  for (let row = 0; row < countTargets(targets); row++) {
    const shares = Array.from(values.subarray(row * width, (row + 1) * width), (p) => p ** (1 / temperature));
    const sum = shares.reduce((total, share) => total + share, 0);
    for (const [i, share] of shares.entries()) warm[row * width + i] = share / sum;
  }
  return warm;
}
