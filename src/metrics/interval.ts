/** How far a measured share can be from the true one, given how many samples it was measured on. */

/** The ends of an interval, both included. */
export type Interval = readonly [low: number, high: number];

/** Two-sided standard normal quantiles by confidence level. */
const QUANTILES = { 0.9: 1.6448536269514722, 0.95: 1.959963984540054, 0.99: 2.5758293035489004 } as const;

/** Options of {@link wilsonInterval}. */
export interface WilsonIntervalOptions {
  /** Share of intervals that contain the true share, in the long run: 0.9, 0.95 or 0.99. @default 0.95 */
  readonly confidence?: keyof typeof QUANTILES | undefined;
}

/**
 * Returns the Wilson score interval of a share (Wilson 1927), within [0, 1].
 *
 * (p + z^2 / 2n ± z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n), with p = successes / trials and n = trials.
 * The low end is exactly 0 without successes and the high end exactly 1 without failures. No trials tell nothing: [0, 1].
 * @throws RangeError if the counts are not whole numbers with 0 <= successes <= trials, or on another confidence.
 */
export function wilsonInterval(
  successes: number,
  trials: number,
  { confidence = 0.95 }: WilsonIntervalOptions = {},
): Interval {
  if (!Number.isSafeInteger(successes) || !Number.isSafeInteger(trials) || successes < 0 || successes > trials) {
    throw new RangeError(
      `wilsonInterval requires whole numbers with 0 <= successes <= trials, got ${successes} of ${trials}.`,
    );
  }
  const z = QUANTILES[confidence];
  if (z === undefined) {
    throw new RangeError(`wilsonInterval: confidence must be 0.9, 0.95 or 0.99, got ${confidence}.`);
  }
  const share = successes / trials;
  const z2 = (z * z) / trials;
  const center = share + z2 / 2;
  const half = Math.sqrt(z2 * (share * (1 - share) + z2 / 4));
  // The ends are set, not computed: rounding would miss them, and without trials both are 0 / 0.
  const low = successes === 0 ? 0 : (center - half) / (1 + z2);
  const high = successes === trials ? 1 : (center + half) / (1 + z2);
  return [low, high];
}
