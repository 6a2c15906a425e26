/** Whether two splits have the classes in the same shares. */
import { type Rng, rng, shuffle } from "../../random.ts";

/** What is compared: the class and the set, 0 or 1, of each sample. */
export interface ClassMix {
  readonly labels: ArrayLike<number>;
  readonly domain: ArrayLike<number>;
  readonly numClasses: number;
}

export interface ClassMixOptions {
  /** Random assignments that the null distribution is made of. @default 499 */
  readonly permutations?: number | undefined;
  /** Seed of the assignments. @default 0 */
  readonly seed?: number | undefined;
}

export interface ClassMixResult {
  /** Total variation distance: the part of one set that would need other classes to be like the other, in [0, 1]. */
  readonly distance: number;
  /** Share of random assignments of samples to sets that give as large a distance, in (0, 1]. */
  readonly pValue: number;
  /** Shares of the classes in either set, [numClasses] each. */
  readonly shares: readonly [readonly number[], readonly number[]];
}

/** Compares the shares of classes by a permutation test. Returns undefined if a set is empty. */
export function compareClassMix(
  { labels, domain, numClasses }: ClassMix,
  { permutations = 499, seed = 0 }: ClassMixOptions = {},
): ClassMixResult | undefined {
  const sets = Uint8Array.from(domain, (set) => (set === 1 ? 1 : 0));
  const second = sets.reduce((sum, set) => sum + set, 0);
  if (second === 0 || second === sets.length) return undefined;
  const shares = sharesOf(labels, sets, numClasses);
  const distance = distanceOf(shares);
  const random: Rng = rng(seed).fork("class mix");
  let asLarge = 0;
  for (let i = 0; i < permutations; i++)
    if (distanceOf(sharesOf(labels, shuffle(sets, random), numClasses)) >= distance - 1e-12) asLarge++;
  return { distance, pValue: (1 + asLarge) / (1 + permutations), shares };
}

function sharesOf(labels: ArrayLike<number>, sets: Uint8Array, numClasses: number): [number[], number[]] {
  const counts: [number[], number[]] = [new Array(numClasses).fill(0), new Array(numClasses).fill(0)];
  const total = [0, 0];
  for (const [i, set] of sets.entries()) {
    counts[set === 1 ? 1 : 0][labels[i]!]!++;
    total[set]!++;
  }
  return [counts[0].map((count) => count / total[0]!), counts[1].map((count) => count / total[1]!)];
}

function distanceOf([a, b]: readonly [readonly number[], readonly number[]]): number {
  return a.reduce((sum, share, j) => sum + Math.abs(share - b[j]!), 0) / 2;
}
