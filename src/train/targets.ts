/** From labelled samples to the numbers that a loss compares outputs with. */
import type { Dataset, Sample } from "../data/sample.ts";
import { RootstockError } from "../errors.ts";
import type { Targets } from "../losses/targets.ts";

/** What the targets of samples mean. */
export type TargetKind = Pick<Dataset, "task" | "classes">;

/**
 * The targets of samples, with their weights where any sample has one: the class index [n, 1], a one for each class that is
 * there [n, classes], or the values [n, classes].
 * @throws RootstockError BAD_DATA naming the sample, if its target is none of the task or its weight is not from 1e-30 to 1e30.
 */
export function targetsOf({ task, classes }: TargetKind, samples: readonly Sample[]): Targets {
  const width = task === "single-label" ? 1 : classes.length;
  const values = new Float32Array(samples.length * width);
  for (const [i, sample] of samples.entries())
    WRITE[task](values.subarray(i * width, (i + 1) * width), sample, classes.length);
  const plain = { task, values, width };
  if (samples.every(({ weight = 1 }) => weight === 1)) return plain;
  return { ...plain, weights: Float32Array.from(samples, weightOf) };
}

/** Writes the target of one sample into its row. */
const WRITE: Readonly<Record<Targets["task"], (row: Float32Array, sample: Sample, numClasses: number) => void>> = {
  "single-label": (row, { target, path }, numClasses) => {
    const [label] = target;
    if (target.length !== 1 || !isIndex(label, numClasses)) throw badTarget(path, target, oneIndex(numClasses));
    row[0] = label!;
  },
  "multi-label": (row, { target, path }, numClasses) => {
    for (const index of target) {
      if (!isIndex(index, numClasses)) throw badTarget(path, target, `class indices from 0 to ${numClasses - 1}`);
      row[index] = 1;
    }
  },
  regression: (row, { target, path }, numTargets) => {
    row.set(target.slice(0, numTargets));
    if (target.length !== numTargets || !row.every(Number.isFinite))
      throw badTarget(path, target, `${numTargets} finite number${numTargets === 1 ? "" : "s"}`);
  },
};

function isIndex(index: number | undefined, numClasses: number): boolean {
  return Number.isInteger(index) && index! >= 0 && index! < numClasses;
}

const oneIndex = (numClasses: number): string => `one class index from 0 to ${numClasses - 1}`;

function badTarget(path: string, target: readonly number[], wanted: string): RootstockError {
  return new RootstockError(
    "BAD_DATA",
    `the target of ${path} requires ${wanted}, got [${target.slice(0, 5).join(", ")}].`,
  );
}

/** The smallest weight, and one part of the largest. */
const LEAST_WEIGHT = 1e-30;

function weightOf({ path, weight = 1 }: Sample): number {
  if (weight >= LEAST_WEIGHT && weight <= 1 / LEAST_WEIGHT) return weight; // their sums and shares stay float32 numbers
  throw new RootstockError(
    "BAD_DATA",
    `the weight of ${path} requires a number from ${LEAST_WEIGHT} to ${1 / LEAST_WEIGHT}, got ${weight}.`,
  );
}
