/** Short words for random choices. */
import type { Rng } from "../../random.ts";

/** The two ends of an interval. */
export type Range = readonly [low: number, high: number];

/** Returns a number of [low, high). */
export function between(source: Rng, low: number, high: number): number {
  return low + (high - low) * source.next();
}

/** Returns a whole number from `low` to `high`, both included. */
export function whole(source: Rng, low: number, high: number): number {
  return low + Math.floor((high - low + 1) * source.next());
}

/** Returns true with this probability. */
export function chance(source: Rng, probability: number): boolean {
  return source.next() < probability;
}

/** Returns one of the items, which are not none. */
export function oneOf<T>(source: Rng, items: readonly T[]): T {
  return items[Math.floor(items.length * source.next())]!;
}

/** Returns what `make` returns for 0 to `count` - 1. */
export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
