/** Samples that belong together: equal content, one group, or near-duplicates that the caller found. */

import { DisjointSets } from "../disjoint-sets.ts";

/** What decides whether samples belong together. */
export interface Groupable {
  readonly sha256: string;
  readonly group?: string | undefined;
}

/**
 * Returns the number of each sample's unit: samples of one unit go into one split.
 *
 * Samples with equal content are in one unit, so are those of one group, and so are those of each list in `together`.
 * These relations chain: two groups that share a picture are one unit. Units are numbered from 0 by first appearance.
 * @param together Lists of indices into `samples`, such as clusters of near-duplicates.
 * @throws RangeError if an index is not one of `samples`.
 */
export function unitsOf(samples: readonly Groupable[], together: readonly (readonly number[])[] = []): Int32Array {
  const sets = new DisjointSets(samples.length);
  for (const keyOf of [({ sha256 }: Groupable) => sha256, ({ group }: Groupable) => group]) {
    const first = new Map<string, number>();
    for (const [i, sample] of samples.entries()) {
      const key = keyOf(sample);
      if (key === undefined) continue;
      const earlier = first.get(key);
      if (earlier === undefined) first.set(key, i);
      else sets.join(earlier, i);
    }
  }
  for (const cluster of together) {
    for (const i of cluster) {
      if (!Number.isInteger(i) || i < 0 || i >= samples.length)
        throw new RangeError(`together requires indices below ${samples.length}, got ${i}.`);
      sets.join(cluster[0]!, i);
    }
  }
  const numbers = new Map<number, number>();
  return Int32Array.from(samples, (_, i) => {
    const root = sets.root(i);
    const known = numbers.get(root) ?? numbers.size;
    numbers.set(root, known);
    return known;
  });
}
