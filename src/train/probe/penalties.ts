/** Which penalties a probe tries, from strong to weak, and which one is best. */
import { RootstockError } from "../../errors.ts";

/** What a penalty gave. */
export interface Tried {
  readonly penalty: number;
  readonly validationLoss: number;
}

/** Exponents of ten of the first and the last penalty of the path: where weights are about 0, and where they hardly matter. */
const STRONGEST = 2;
const WEAKEST = -5;

/** Steps of the path in decades; around the best penalty half of it. */
const STEP = 0.5;

/** Penalties in a row without a smaller validation loss after which the path ends. */
const PATIENCE = 2;

/**
 * Fits along the path 10^2, 10^1.5, … 10^-5 until two in a row are no better than the best, then a quarter of a decade on
 * either side of the best; or exactly the given penalties, from strong to weak.
 * @param fit fits one penalty. @returns all that was fitted, in this order.
 */
export async function searchPenalties(
  fit: (penalty: number) => Promise<Tried>,
  penalties?: readonly number[],
): Promise<Tried[]> {
  const fits: Tried[] = [];
  if (penalties) {
    for (const penalty of checked(penalties)) fits.push(await fit(penalty));
    return fits;
  }
  for (let exponent = STRONGEST; exponent >= WEAKEST && !passed(fits); exponent -= STEP)
    fits.push(await fit(10 ** exponent));
  const best = bestOf(fits);
  for (const side of [1, -1]) fits.push(await fit(10 ** (Math.log10(best.penalty) + (side * STEP) / 2)));
  return fits;
}

/** The one with the smallest validation loss; of equal ones that of the strongest penalty. */
export function bestOf(fits: readonly Tried[]): Tried {
  return fits.reduce((best, fit) => {
    const difference = fit.validationLoss - best.validationLoss;
    return difference < 0 || (difference === 0 && fit.penalty > best.penalty) ? fit : best;
  });
}

function passed(fits: readonly Tried[]): boolean {
  if (fits.length === 0) return false;
  const best = bestOf(fits).validationLoss;
  const last = fits.findLastIndex(({ validationLoss }) => validationLoss === best);
  return fits.length - 1 - last >= PATIENCE;
}

function checked(penalties: readonly number[]): number[] {
  const wrong = penalties.find((penalty) => !(penalty > 0 && Number.isFinite(penalty)));
  if (penalties.length === 0 || wrong !== undefined) {
    throw new RootstockError(
      "BAD_CONFIG",
      `penalties require finite numbers above 0, got ${penalties.length === 0 ? "none" : wrong}. Leave them out to have them chosen.`,
    );
  }
  return penalties.toSorted((a, b) => b - a);
}

/** Points that were found, and the one that they suggest for a new penalty. */
export interface PointPath {
  add(penalty: number, point: Float64Array): void;
  /** On the line in log penalty through the nearest two points; the nearest if it is the only one. */
  predict(penalty: number): Float64Array | undefined;
}

/** Points that are kept: the best one and its neighbours are among the last ones. */
const KEPT = 5;

/** Remembers where fits ended. Weights change steadily along the path, so a line through two of them is near the next. */
export function pointPath(): PointPath {
  const points: { readonly exponent: number; readonly point: Float64Array }[] = [];
  return {
    add(penalty, point) {
      points.push({ exponent: Math.log10(penalty), point });
      if (points.length > KEPT) points.shift();
    },
    predict(penalty) {
      const exponent = Math.log10(penalty);
      const distance = (of: { exponent: number }): number => Math.abs(of.exponent - exponent);
      const [near, other] = points.toSorted((a, b) => distance(a) - distance(b));
      if (!near || !other || near.exponent === other.exponent) return near?.point;
      const share = (exponent - near.exponent) / (other.exponent - near.exponent);
      return near.point.map((value, i) => value + share * (other.point[i]! - value));
    },
  };
}
