/** Whether two sets of images differ in a network's feature space: a classifier two-sample test with an honest null. */
import { RootstockError } from "../../errors.ts";
import { type Rng, rng, shuffle } from "../../random.ts";
import { measure, standardize } from "../standardize.ts";
import { principalComponents } from "./principal-components.ts";

/** Fewer rows than this in either set can show nothing but the largest differences. */
const FEWEST_ROWS = 10;
/** The most rows that are looked at. */
const MOST_ROWS = 5000;
/** The most directions in which sets may differ. */
const MOST_COMPONENTS = 64;
/** Rows for each direction: with fewer the classifier sees noise. */
const ROWS_PER_COMPONENT = 4;
/** Penalty of the classifier, as part of the mean variance of the directions. */
const RIDGE = 0.1;

/** What is compared. */
export interface TwoSamples {
  /** [n, width] row-major. */
  readonly features: Float32Array;
  /** Which set a row belongs to, [n]: 0 or 1. */
  readonly domain: ArrayLike<number>;
  /** Rows are compared with those of the same stratum only, such as the class, [n]. */
  readonly strata: ArrayLike<number>;
}

export interface TwoSampleOptions {
  /** Random assignments that the null distribution is made of; the smallest p-value is 1 / (permutations + 1). @default 499 */
  readonly permutations?: number | undefined;
  /** Seed of the assignments. @default 0 */
  readonly seed?: number | undefined;
}

/** What the comparison gives. */
export interface TwoSampleResult {
  /**
   * How well a linear classifier tells the sets apart on rows it has not seen: the chance that a row of set 1 gets a
   * higher score than one of set 0 in the same stratum. 0.5 for equal sets, 1 for sets apart.
   */
  readonly auc: number;
  /** Share of assignments of rows to sets that give as large a value, in (0, 1]. */
  readonly pValue: number;
  /** Rows of either set that were compared: those in a stratum that has rows of both. */
  readonly compared: readonly [number, number];
  /** The classifier's score for each row of the input, [n]; higher is more like set 1. NaN for rows not compared. */
  readonly scores: Float64Array;
}

/**
 * Tests whether two sets have the same distribution within each stratum (classifier two-sample test: Lopez-Paz and
 * Oquab 2017, arXiv:1610.06545). Features are centered within strata, scaled, and reduced to at most 64 principal
 * components, none of which reads the sets. The classifier is ridge regression on them; its scores are leave-one-out, in
 * closed form. The p-value comes from permutations of the sets within strata, so it holds for any distribution and
 * number of rows, and different shares of the strata change nothing. Leave-one-out has a small bias of its own: the mean
 * of the permutations is moved to 0.5. Of more than 5000 rows a random choice is compared.
 * @returns undefined if either set has fewer than 10 rows that can be compared.
 * @throws RootstockError SHAPE_MISMATCH if the lengths do not fit.
 */
export function twoSampleTest(
  { features, domain, strata }: TwoSamples,
  { permutations = 499, seed = 0 }: TwoSampleOptions = {},
): TwoSampleResult | undefined {
  const count = domain.length;
  const width = features.length / Math.max(count, 1);
  if (strata.length !== count || !Number.isInteger(width)) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `twoSampleTest requires features [n, width], domain [n] and strata [n], got ${features.length} numbers, [${count}] and [${strata.length}].`,
    );
  }
  const random = rng(seed).fork("shift");
  const groups = comparable(domain, strata, random.fork("rows"));
  const rows = groups.flat();
  const second = rows.filter((row) => domain[row] === 1).length;
  const compared = [rows.length - second, second] as const;
  if (Math.min(...compared) < FEWEST_ROWS) return undefined;
  const sizes = groups.map(({ length }) => length);
  const classifier = prepare(centered(features, width, groups), width, rows.length);
  const sets = Float64Array.from(rows, (row) => domain[row]!);
  const own = classifier(centeredSets(sets, sizes));
  const observed = stratifiedAuc(own, sets, sizes);
  let total = 0;
  let asLarge = 0;
  const order = random.fork("permutations");
  for (let i = 0; i < permutations; i++) {
    shuffleWithin(sets, sizes, order);
    const value = stratifiedAuc(classifier(centeredSets(sets, sizes)), sets, sizes);
    total += value;
    if (value >= observed - 1e-12) asLarge++;
  }
  const scores = new Float64Array(count).fill(Number.NaN);
  for (const [i, row] of rows.entries()) scores[row] = own[i]!;
  return {
    auc: Math.min(1, Math.max(0, permutations > 0 ? 0.5 + observed - total / permutations : observed)),
    pValue: (1 + asLarge) / (1 + permutations),
    compared,
    scores,
  };
}

/** Rows by stratum, of the strata that have rows of both sets; of many rows a share of each set in each stratum. */
function comparable(domain: ArrayLike<number>, strata: ArrayLike<number>, random: Rng): number[][] {
  const sets = new Map<number, [number[], number[]]>();
  for (let row = 0; row < domain.length; row++) {
    const pair = sets.get(strata[row]!) ?? [[], []];
    sets.set(strata[row]!, pair);
    pair[domain[row] === 1 ? 1 : 0].push(row);
  }
  const pairs = [...sets.values()].filter(([a, b]) => a.length > 0 && b.length > 0);
  const total = [0, 1].map((set) => pairs.reduce((sum, pair) => sum + pair[set]!.length, 0));
  const smaller = Math.min(...total);
  const most = [0, 1].map((set) => Math.min(total[set]!, Math.max(MOST_ROWS / 2, MOST_ROWS - smaller)));
  return pairs.map((pair) =>
    pair.flatMap((rows, set) =>
      shuffle([...rows], random).slice(0, Math.ceil((rows.length * most[set]!) / total[set]!)),
    ),
  );
}

/** Standardized rows in the order of the groups, with the mean zero in each of them. */
function centered(features: Float32Array, width: number, groups: readonly (readonly number[])[]): Float32Array {
  const out = new Float32Array(groups.flat().length * width);
  let start = 0;
  for (const group of groups) {
    const mean = new Float64Array(width);
    for (const row of group) for (let j = 0; j < width; j++) mean[j]! += features[row * width + j]! / group.length;
    for (const row of group) {
      for (let j = 0; j < width; j++) out[start + j] = features[row * width + j]! - mean[j]!;
      start += width;
    }
  }
  return standardize(out, measure(out, width));
}

/**
 * The leave-one-out scores of ridge regression as a function of the centered targets. Components are uncorrelated, so
 * that with s² their sums of squares, H = Z diag(1 / (s² + λ)) Z', and row i alone changes (y - H y)ᵢ by 1 / (1 - Hᵢᵢ).
 */
function prepare(rows: Float32Array, width: number, count: number): (targets: Float64Array) => Float64Array {
  const most = Math.min(MOST_COMPONENTS, Math.max(1, Math.floor(count / ROWS_PER_COMPONENT)));
  const { scores, components } = principalComponents(rows, width, most);
  const squares = new Float64Array(components);
  for (let i = 0; i < scores.length; i++) squares[i % components]! += scores[i]! ** 2;
  const penalty = (RIDGE * squares.reduce((sum, value) => sum + value, 0)) / Math.max(components, 1);
  const weights = squares.map((value) => 1 / (value + penalty));
  const leverage = new Float64Array(count);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < components; j++) leverage[i]! += scores[i * components + j]! ** 2 * weights[j]!;
  return (targets) => {
    const slope = new Float64Array(components);
    for (let i = 0; i < count; i++)
      for (let j = 0; j < components; j++) slope[j]! += scores[i * components + j]! * targets[i]!;
    for (let j = 0; j < components; j++) slope[j]! *= weights[j]!;
    return targets.map((target, i) => {
      let fitted = 0;
      for (let j = 0; j < components; j++) fitted += scores[i * components + j]! * slope[j]!;
      return target - (target - fitted) / Math.max(1 - leverage[i]!, 1e-9);
    });
  };
}

/** The sets as numbers whose mean is zero in each group. */
function centeredSets(sets: Float64Array, sizes: readonly number[]): Float64Array {
  const out = sets.slice();
  let start = 0;
  for (const size of sizes) {
    const part = out.subarray(start, start + size);
    const mean = part.reduce((sum, value) => sum + value, 0) / size;
    for (let i = 0; i < size; i++) part[i]! -= mean;
    start += size;
  }
  return out;
}

function shuffleWithin(sets: Float64Array, sizes: readonly number[], random: Rng): void {
  let start = 0;
  for (const size of sizes) {
    shuffle(sets.subarray(start, start + size), random);
    start += size;
  }
}

/** The share of pairs (a row of set 1, a row of set 0) within groups that the scores put in this order; ties are half. */
function stratifiedAuc(scores: Float64Array, sets: Float64Array, sizes: readonly number[]): number {
  let [right, pairs, start] = [0, 0, 0];
  for (const size of sizes) {
    const own = scores.subarray(start, start + size);
    const high = own.filter((_, i) => sets[start + i] === 1).sort();
    const low = own.filter((_, i) => sets[start + i] !== 1).sort();
    let [below, notAbove] = [0, 0];
    for (const score of high) {
      while (below < low.length && low[below]! < score) below++;
      notAbove = Math.max(notAbove, below);
      while (notAbove < low.length && low[notAbove]! <= score) notAbove++;
      right += (below + notAbove) / 2;
    }
    pairs += high.length * low.length;
    start += size;
  }
  return right / pairs;
}
