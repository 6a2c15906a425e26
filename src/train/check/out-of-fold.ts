/** What a classifier says of each sample when it was trained on the others: k-fold, linear, in closed form. */
import { RootstockError } from "../../errors.ts";
import { principalComponents } from "../../features/shift/principal-components.ts";
import { measure, standardize } from "../../features/standardize.ts";
import { softmaxRows } from "../../metrics/probabilities.ts";
import { fitTemperature } from "../../metrics/temperature.ts";
import { rng, shuffle } from "../../random.ts";

/** Directions that classes are told apart in. */
const MOST_COMPONENTS = 128;
/** Penalties that are tried, as parts of the mean sum of squares of a direction. */
const PENALTIES = [0.01, 0.03, 0.1, 0.3, 1, 3];

/** Keeps the square root of rounding away from zero. */
const TINY = 1e-12;

export interface OutOfFoldData {
  /** [n, width] row-major. */
  readonly features: Float32Array;
  /** Class indices, [n]. */
  readonly labels: ArrayLike<number>;
  readonly numClasses: number;
  /** Rows with the same value, such as near-duplicates or pictures of one patient, are held out together, [n]. */
  readonly groups?: readonly (string | number)[] | undefined;
}

export interface OutOfFoldOptions {
  /** Parts that are held out in turn, at least 2. @default 5 */
  readonly folds?: number | undefined;
  /** Seed of the draw of the parts. @default 0 */
  readonly seed?: number | undefined;
}

/**
 * Returns the probabilities [n, numClasses] that linear classifiers give to rows they were not trained on. Each is ridge
 * regression to the classes on at most 128 principal components; one penalty and one temperature, chosen for the smallest
 * loss over all held-out rows, turn its scores into probabilities. Equal inputs give equal bits.
 * @throws RootstockError BAD_DATA if there are fewer groups of rows than folds; SHAPE_MISMATCH if lengths do not fit.
 * @throws RangeError if a label is no class index.
 */
export function outOfFold(data: OutOfFoldData, { folds = 5, seed = 0 }: OutOfFoldOptions = {}): Float32Array {
  const { features, labels, numClasses } = data;
  const count = labels.length;
  const width = checkedWidth(data);
  const fold = assignFolds(data, folds, seed);
  const { scores, components } = principalComponents(
    standardize(features, measure(features, width)),
    width,
    MOST_COMPONENTS,
  );
  const rows = withIntercept(scores, components, count);
  const size = components + 1;
  const parts = Array.from({ length: folds }, (_, k) =>
    momentsOf({ rows, size, labels, numClasses }, (i) => fold[i] === k),
  );
  const total = parts.reduce((a, b) => combine(a, b, 1));
  const scale = meanSquare(total.gram, components);
  let best: { readonly loss: number; readonly probabilities: Float32Array } | undefined;
  for (const penalty of PENALTIES) {
    const logits = new Float32Array(count * numClasses);
    for (const [k, part] of parts.entries()) {
      const weights = ridge(combine(total, part, -1), { size, columns: numClasses, penalty: penalty * scale });
      for (let i = 0; i < count; i++) if (fold[i] === k) score(rows, i, weights, logits, numClasses);
    }
    const temperature = fitTemperature({ logits, labels, numClasses, activation: "softmax" });
    const probabilities = softmaxRows(
      logits.map((value) => value / temperature),
      numClasses,
    );
    const loss = lossOf(probabilities, labels, numClasses);
    if (!best || loss < best.loss) best = { loss, probabilities };
  }
  return best!.probabilities; // there are penalties
}

/** Numbers per row. */
function checkedWidth({ features, labels, numClasses, groups }: OutOfFoldData): number {
  const count = labels.length;
  const width = features.length / Math.max(1, count);
  if (!Number.isInteger(width) || (groups && groups.length !== count))
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `outOfFold requires features [n, width], labels [n] and groups [n], got ${features.length} numbers, [${count}] and [${groups?.length ?? count}].`,
    );
  for (let i = 0; i < count; i++)
    if (!(Number.isInteger(labels[i]) && labels[i]! >= 0 && labels[i]! < numClasses))
      throw new RangeError(`label ${labels[i]} of row ${i} is not a class index in [0, ${numClasses}).`);
  return width;
}

/** The fold of each row: groups in random order, each into the fold that has the fewest rows of its first row's class. */
function assignFolds({ labels, numClasses, groups }: OutOfFoldData, folds: number, seed: number): Int32Array {
  if (!Number.isInteger(folds) || folds < 2)
    throw new RangeError(`folds must be a whole number of at least 2, got ${folds}.`);
  const members = new Map<string | number, number[]>();
  for (let i = 0; i < labels.length; i++) {
    const key = groups?.[i] ?? i;
    const rows = members.get(key);
    if (rows) rows.push(i);
    else members.set(key, [i]);
  }
  if (members.size < folds)
    throw new RootstockError(
      "BAD_DATA",
      `holding out ${folds} parts requires at least ${folds} images or groups, got ${members.size}. Use fewer folds, or more images.`,
    );
  const taken = Array.from({ length: folds }, () => ({ rows: 0, ofClass: new Int32Array(numClasses) }));
  const fold = new Int32Array(labels.length);
  for (const rows of shuffle([...members.values()], rng(seed).fork("folds"))) {
    const label = labels[rows[0]!]!;
    const order = taken
      .map((_, k) => k)
      .sort(
        (a, b) => taken[a]!.ofClass[label]! - taken[b]!.ofClass[label]! || taken[a]!.rows - taken[b]!.rows || a - b,
      );
    const chosen = taken[order[0]!]!;
    for (const row of rows) {
      fold[row] = order[0]!;
      chosen.rows++;
      chosen.ofClass[labels[row]!]!++;
    }
  }
  return fold;
}

/** Sums over rows: Z' Z [size, size] and Z' Y [size, numClasses]. */
interface Moments {
  readonly gram: Float64Array;
  readonly targets: Float64Array;
}

interface Design {
  /** [n, size] */
  readonly rows: Float64Array;
  readonly size: number;
  readonly labels: ArrayLike<number>;
  readonly numClasses: number;
}

function withIntercept(scores: Float64Array, components: number, count: number): Float64Array {
  const rows = new Float64Array(count * (components + 1)).fill(1);
  for (let i = 0; i < count; i++) rows.set(scores.subarray(i * components, (i + 1) * components), i * (components + 1));
  return rows;
}

function momentsOf({ rows, size, labels, numClasses }: Design, wanted: (row: number) => boolean): Moments {
  const gram = new Float64Array(size * size);
  const targets = new Float64Array(size * numClasses);
  for (let i = 0; i < labels.length; i++) {
    if (!wanted(i)) continue;
    const row = rows.subarray(i * size, (i + 1) * size);
    for (let j = 0; j < size; j++) {
      const value = row[j]!;
      for (let k = 0; k <= j; k++) gram[j * size + k]! += value * row[k]!;
      targets[j * numClasses + labels[i]!]! += value;
    }
  }
  return { gram, targets };
}

function combine(a: Moments, b: Moments, sign: 1 | -1): Moments {
  return {
    gram: a.gram.map((value, i) => value + sign * b.gram[i]!),
    targets: a.targets.map((value, i) => value + sign * b.targets[i]!),
  };
}

function meanSquare(gram: Float64Array, components: number): number {
  let sum = 0;
  for (let j = 0; j < components; j++) sum += gram[j * (components + 1) + j]!;
  return components > 0 && sum > 0 ? sum / components : 1;
}

/** Weights [size, columns] of (Z' Z + penalty) W = Z' Y; the last direction, the intercept, is not penalized. */
function ridge(
  { gram, targets }: Moments,
  { size, columns, penalty }: { readonly size: number; readonly columns: number; readonly penalty: number },
): Float64Array {
  const matrix = gram.slice();
  for (let j = 0; j < size - 1; j++) matrix[j * size + j]! += penalty;
  const lower = cholesky(matrix, size);
  const weights = targets.slice();
  for (let c = 0; c < columns; c++) solve(lower, size, weights, c);
  return weights;
}

/** L of A = L L', of the lower half of A [size, size]; in place. */
function cholesky(matrix: Float64Array, size: number): Float64Array {
  for (let j = 0; j < size; j++)
    for (let i = j; i < size; i++) {
      let value = matrix[i * size + j]!;
      for (let k = 0; k < j; k++) value -= matrix[i * size + k]! * matrix[j * size + k]!;
      matrix[i * size + j] = i === j ? Math.sqrt(Math.max(value, TINY)) : value / matrix[j * size + j]!;
    }
  return matrix;
}

/** Solves L L' x = b for one column of `values`, in place. */
function solve(lower: Float64Array, size: number, values: Float64Array, column: number): void {
  const columns = values.length / size;
  for (let i = 0; i < size; i++) {
    let value = values[i * columns + column]!;
    for (let k = 0; k < i; k++) value -= lower[i * size + k]! * values[k * columns + column]!;
    values[i * columns + column] = value / lower[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    let value = values[i * columns + column]!;
    for (let k = i + 1; k < size; k++) value -= lower[k * size + i]! * values[k * columns + column]!;
    values[i * columns + column] = value / lower[i * size + i]!;
  }
}

/** Writes the scores of a row into its place in the logits. */
function score(rows: Float64Array, row: number, weights: Float64Array, logits: Float32Array, numClasses: number): void {
  const size = weights.length / numClasses;
  for (let c = 0; c < numClasses; c++) {
    let sum = 0;
    for (let j = 0; j < size; j++) sum += rows[row * size + j]! * weights[j * numClasses + c]!;
    logits[row * numClasses + c] = sum;
  }
}

function lossOf(probabilities: Float32Array, labels: ArrayLike<number>, numClasses: number): number {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) sum -= Math.log(Math.max(probabilities[i * numClasses + labels[i]!]!, 1e-30));
  return sum;
}
