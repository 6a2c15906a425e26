/** What the rows of a training set are compared with: numbers for every row, in the form that its task has. */

export interface Targets {
  /**
   * Single-label: the class index, or, soft, a probability for each class. Multi-label: a number in [0, 1] for each class, 1
   * where it is there. Regression: the value of each target.
   */
  readonly task: "single-label" | "multi-label" | "regression";
  /** [n, width] row-major. */
  readonly values: Float32Array;
  /** Numbers in a row: 1 for class indices, else one for each class or target. */
  readonly width: number;
  /** How much each row counts in training, [n], above 0; all the same where it is not given. */
  readonly weights?: Float32Array | undefined;
}

/** The number of rows. */
export function countTargets({ values, width }: Targets): number {
  return values.length / width;
}

/** The sum of the rows' weights: their number where they have none. */
export function totalWeight(targets: Targets): number {
  const { weights } = targets;
  return weights ? weights.reduce((sum, weight) => sum + weight, 0) : countTargets(targets);
}

/** The rows of these indices, in this order, as new arrays. */
export function selectTargets({ task, values, width, weights }: Targets, rows: ArrayLike<number>): Targets {
  const chosen = new Float32Array(rows.length * width);
  for (let to = 0; to < rows.length; to++) {
    const from = rows[to]! * width;
    chosen.set(values.subarray(from, from + width), to * width);
  }
  const selected = { task, values: chosen, width };
  return weights ? { ...selected, weights: Float32Array.from(rows, (row) => weights[row]!) } : selected;
}

/** Gives the targets of rows that show another view in each epoch, from 1; without an epoch, of their clean images. */
export type ShownTargets = (rows: Int32Array, epoch?: number) => Targets;

/** The targets of these rows as an epoch shows them. */
export function targetsShown(targets: Targets | ShownTargets, rows: Int32Array, epoch?: number): Targets {
  return typeof targets === "function" ? targets(rows, epoch) : selectTargets(targets, rows);
}

/** Targets of rows that belong to exactly one class each. @param labels class indices, [n], below 2^24. */
export function classTargets(labels: ArrayLike<number>): Targets {
  return { task: "single-label", values: Float32Array.from(labels), width: 1 };
}
