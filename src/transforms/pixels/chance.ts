/** What pixel transforms draw: chances, uniform numbers, and the Beta and Dirichlet variates that mixing needs. */
import { RootstockError } from "../../errors.ts";
import type { Rng } from "../../random.ts";

/** How far a quantity may move: `amount` to both sides of "no change", or the two ends themselves. */
export type Spread = number | readonly [low: number, high: number];

/**
 * Says whether something of that probability happens. 0 and 1 draw nothing.
 * @throws RootstockError BAD_CONFIG if `probability` is outside [0, 1].
 */
export function happens(probability: number, rng: Rng): boolean {
  if (!(probability >= 0 && probability <= 1)) {
    throw new RootstockError("BAD_CONFIG", `a transform requires a probability in [0, 1], got ${probability}.`);
  }
  return probability === 1 || (probability > 0 && rng.next() < probability);
}

/** Returns a number in [low, high), or `low` where both are equal. */
export function uniform(low: number, high: number, rng: Rng): number {
  return low + (high - low) * rng.next();
}

/** Returns a whole number in [0, count). */
export function whole(count: number, rng: Rng): number {
  return Math.floor(rng.next() * count);
}

/** Where a spread lies around "no change", and what it may not leave. */
export interface SpreadLimits {
  /** Of the transform or option, for the message. */
  readonly name: string;
  /** The value that changes nothing. */
  readonly center: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Returns the two ends of a spread: [center - amount, center + amount], the low end not below `least`.
 * @throws RootstockError BAD_CONFIG if the ends are out of order or outside [least, most].
 */
export function spreadEnds(spread: Spread, { name, center, least, most }: SpreadLimits): readonly [number, number] {
  const [low, high] =
    typeof spread === "number"
      ? [spread >= 0 ? Math.max(center - spread, least) : Number.NaN, center + spread]
      : spread;
  if (low >= least && low <= high && high <= most) return [low, high];
  const said = typeof spread === "number" ? String(spread) : `[${spread.join(", ")}]`;
  throw new RootstockError(
    "BAD_CONFIG",
    `${name} requires an amount from 0 to ${most - center}, or [low, high] inside [${least}, ${most}], got ${said}.`,
  );
}

/** Returns a number in [0, 1] of the distribution Beta(a, b), with a and b above 0. */
export function beta(a: number, b: number, rng: Rng): number {
  const first = logGamma(a, rng);
  const second = logGamma(b, rng);
  return 1 / (1 + Math.exp(second - first));
}

/** Returns `count` numbers of the symmetric Dirichlet distribution: at least 0, with sum 1. `alpha` is above 0. */
export function dirichlet(alpha: number, count: number, rng: Rng): readonly number[] {
  const logs = Array.from({ length: count }, () => logGamma(alpha, rng));
  const most = Math.max(...logs);
  const shares = logs.map((value) => Math.exp(value - most));
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

/**
 * The logarithm of a Gamma(shape, 1) variate (Marsaglia and Tsang 2000, doi:10.1145/358407.358414). Shapes below 1 are
 * boosted by U^(1 / shape), which for small shapes is below the smallest number there is: hence logarithms.
 */
function logGamma(shape: number, rng: Rng): number {
  if (!(shape >= SMALLEST_SHAPE && shape <= LARGEST_SHAPE)) {
    throw new RootstockError(
      "BAD_CONFIG",
      `mixing requires an alpha from ${SMALLEST_SHAPE} to ${LARGEST_SHAPE}, got ${shape}.`,
    );
  }
  if (shape < 1) return logGamma(shape + 1, rng) + Math.log(1 - rng.next()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = rng.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - rng.next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}

const SMALLEST_SHAPE = 1e-6;
const LARGEST_SHAPE = 1e6;
