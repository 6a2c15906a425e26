/**
 * Fewer features than the rows have, without a loss: n rows lie in a space of at most n dimensions, and the penalty does
 * not change when that space is turned. Fitting in it is exact, and as much cheaper as there are fewer rows than features.
 */
import { FeatureMatrix, type FeatureMatrixOptions } from "./feature-matrix.ts";

/** Part of the longest row's squared length up to which what is left of a row is rounding. */
const ROUNDING = 1e-13;

/** Rows in coordinates of their own: `features` [n, rank] has the inner products of the rows that were turned. */
export interface Rotation extends AsyncDisposable {
  readonly features: FeatureMatrix;
  readonly rank: number;
  /** Weights [k, width] for the rows as they were, of the same length, from those [k, rank] for the turned ones. */
  weights(turned: Float64Array): Promise<Float64Array>;
}

/** Turns the rows of X [n, width]: X = L Q with orthonormal rows in Q, where L L' is the Cholesky factorization of X X'. */
export async function rotate(
  features: FeatureMatrix,
  options: Pick<FeatureMatrixOptions, "columns" | "threads">,
): Promise<Rotation> {
  const count = features.rows;
  const { factor, pivots } = factorize(await features.gram(), count);
  const rank = Math.max(1, pivots.length);
  const turned = await FeatureMatrix.create(factor, { ...options, width: rank });
  return {
    features: turned,
    rank,
    weights: (weights) => features.transposedTimes(combination(weights, { factor, pivots, count })),
    [Symbol.asyncDispose]: () => turned[Symbol.asyncDispose](),
  };
}

interface Factorization {
  /** L [n, rank] row-major: lower triangular in the order of the pivots. */
  readonly factor: Float64Array;
  /** The rows that span all others. */
  readonly pivots: readonly number[];
}

/** Cholesky factorization with pivots of a matrix [n, n] that may be singular (Higham 2002, section 10.3). */
function factorize(gram: Float64Array, count: number): Factorization {
  const rows = new Float64Array(count * count); // L with room for every pivot
  const left = Float64Array.from({ length: count }, (_, i) => gram[i * count + i]!);
  const least = ROUNDING * count * left.reduce((most, value) => Math.max(most, value), 0);
  const pivots: number[] = [];
  while (pivots.length < count) {
    const rank = pivots.length;
    const pivot = left.reduce((best, value, i) => (value > left[best]! ? i : best), 0);
    if (!(left[pivot]! > least)) break;
    const root = Math.sqrt(left[pivot]!);
    for (let i = 0; i < count; i++) {
      if (left[i] === -1) continue; // a pivot before: its row has ended
      let rest = gram[i * count + pivot]!;
      for (let j = 0; j < rank; j++) rest -= rows[i * count + j]! * rows[pivot * count + j]!;
      const entry = i === pivot ? root : rest / root;
      rows[i * count + rank] = entry;
      left[i] = Math.max(0, left[i]! - entry * entry);
    }
    left[pivot] = -1;
    pivots.push(pivot);
  }
  const rank = Math.max(1, pivots.length);
  const factor = new Float64Array(count * rank);
  for (let i = 0; i < count; i++) factor.set(rows.subarray(i * count, i * count + rank), i * rank);
  return { factor, pivots };
}

/** How much of each row there is in weights [k, rank]: A' [n, k], with A' 0 but for pivots, from A L = V there. */
function combination(
  weights: Float64Array,
  { factor, pivots, count }: Factorization & { readonly count: number },
): Float64Array {
  const rank = Math.max(1, pivots.length);
  const k = weights.length / rank;
  const shares = new Float64Array(count * k);
  for (let c = 0; c < k; c++) {
    const rest = weights.slice(c * rank, (c + 1) * rank);
    for (let j = pivots.length - 1; j >= 0; j--) {
      const row = pivots[j]! * rank;
      const share = rest[j]! / factor[row + j]!;
      for (let i = 0; i < j; i++) rest[i]! -= share * factor[row + i]!;
      shares[pivots[j]! * k + c] = share;
    }
  }
  return shares;
}
