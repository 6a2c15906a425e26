/** How far apart two measured numbers are, and whether chance alone explains it. */
import type { Interval, Measure } from "./measures.ts";

/** The difference of one measure between two runs. */
export interface Difference {
  readonly measure: string;
  /** The first minus the second. */
  readonly value: number;
  /** 95 % interval of the difference. */
  readonly interval: Interval;
  /** Whether the interval leaves out 0: the runs are told apart. */
  readonly clear: boolean;
}

/**
 * Returns the difference of two measures with its 95 % interval, or undefined where one of them has no interval.
 *
 * From the intervals [l, u] of each, as if measured independently: d - sqrt((a - l_a)^2 + (u_b - b)^2) to
 * d + sqrt((u_a - a)^2 + (b - l_b)^2), with d = a - b. For shares with Wilson intervals that is method 10 of Newcombe 1998
 * (Statistics in Medicine 17, 873-890); for any measure Zou and Donner 2008 (Statistics in Medicine 27, 1693-1702).
 * Runs that are measured on the same images err on the same ones, so the true interval tends to be narrower.
 */
export function differenceOf(a: Measure, b: Measure): Difference | undefined {
  if (!a.interval || !b.interval) return undefined;
  const value = a.value - b.value;
  const low = value - Math.hypot(below(a.value, a.interval), above(b.value, b.interval));
  const high = value + Math.hypot(above(a.value, a.interval), below(b.value, b.interval));
  return { measure: a.name, value, interval: [low, high], clear: low > 0 || high < 0 };
}

/** How far the interval reaches down; bootstrap intervals may leave out the number itself. */
function below(value: number, [low]: Interval): number {
  return Math.max(0, value - low);
}

function above(value: number, [, high]: Interval): number {
  return Math.max(0, high - value);
}
