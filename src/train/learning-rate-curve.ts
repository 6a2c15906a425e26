/** What a curve of losses over rising learning rates shows: where the loss falls fastest, where it turns, or nothing. */

/** One step of a search. */
export interface CurvePoint {
  /** Rate of the step's update. */
  readonly learningRate: number;
  /** Loss of the step's batch, before that update. */
  readonly loss: number;
  /** The loss without most of the noise between batches. */
  readonly smoothed: number;
}

export interface CurveVerdict {
  /**
   * - falls: the loss falls and rises again; both rates are there
   * - still-falls: the loss falls up to the end of the search; only `steepest` is there
   * - rises: the loss never falls before it rises
   * - flat: the loss changes by less than 1 %
   * - noisy: the batches differ more than the rates change them
   */
  readonly kind: "falls" | "still-falls" | "rises" | "flat" | "noisy";
  /** Rate at which the loss falls fastest over the logarithm of the rate. */
  readonly steepest: number | undefined;
  /** A tenth of the rate at which the loss is smallest. */
  readonly tenthOfMinimum: number | undefined;
  /** Loss at the start and at its minimum, both smoothed. */
  readonly start: number;
  readonly lowest: number;
  /** Standard deviation of one batch's loss around the curve. */
  readonly noise: number;
}

/**
 * The losses, each averaged with its neighbors on both sides with weights that fall by `decay` per step: an exponential
 * average without its delay. Each is divided by the weights that it has, so that the ends are not pulled to zero.
 */
export function smooth(losses: readonly number[], decay: number): number[] {
  const sums = (values: readonly number[]): number[] => {
    let sum = 0;
    return values.map((value) => {
      sum = value + decay * sum;
      return sum;
    });
  };
  const both = (values: readonly number[]): number[] => {
    const back = sums(values.toReversed()).toReversed();
    return sums(values).map((sum, i) => sum + back[i]! - values[i]!);
  };
  const weights = both(losses.map(() => 1));
  return both(losses).map((sum, i) => sum / weights[i]!);
}

/** Share of the loss below which a change is none. */
const FLAT = 0.01;
/** Standard deviations that a fall has to be larger than. */
const CERTAINTY = 5;
/** Share of the points at the start that are not looked at for a slope: they have neighbors on one side alone. */
const EDGE = 0.05;

/**
 * Judges a curve of at least one point, in the order of rising rates. With fewer than 3 it never falls.
 * @param decay of the smoothing. @param exploded whether the search ended because the loss grew out of bounds.
 */
export function judge(curve: readonly CurvePoint[], decay: number, exploded: boolean): CurveVerdict {
  const values = curve.map(({ smoothed }) => smoothed);
  const [start, lowest] = [values[0]!, Math.min(...values)];
  const at = values.indexOf(lowest);
  const noise = noiseOf(curve.map(({ loss }) => loss));
  // The variance of a weighted mean of independent losses: at an end, and in the middle, of the curve.
  const end = (1 - decay) / (1 + decay);
  const middle = ((1 - decay) * (1 + decay ** 2)) / (1 + decay) ** 3;
  const certain = CERTAINTY * noise * Math.sqrt(end + middle);
  const flat = FLAT * Math.abs(start);
  const fall = start - lowest;
  const rise = values.at(-1)! - lowest;
  const none = { steepest: undefined, tenthOfMinimum: undefined, start, lowest, noise };
  if (curve.length < 3 || fall <= Math.max(flat, certain)) {
    if (exploded || rise > Math.max(flat, certain)) return { kind: "rises", ...none };
    return { kind: Math.max(fall, rise) <= flat && certain <= flat ? "flat" : "noisy", ...none };
  }
  const steepest = curve[steepestOf(curve, at)]!.learningRate;
  const turned = exploded || rise > Math.max(FLAT * fall, certain);
  if (!turned) return { ...none, kind: "still-falls", steepest };
  return { ...none, kind: "falls", steepest, tenthOfMinimum: curve[at]!.learningRate / 10 };
}

/**
 * The standard deviation of losses around a curve that bends slowly, from how each differs from the mean of its two
 * neighbors; by the median, which a few large ones do not move.
 */
function noiseOf(losses: readonly number[]): number {
  const apart = losses
    .slice(1, -1)
    .map((loss, i) => Math.abs(loss - (losses[i]! + losses[i + 2]!) / 2))
    .toSorted((a, b) => a - b);
  const median = apart[Math.floor(apart.length / 2)] ?? 0;
  return (1.4826 * median) / Math.sqrt(1.5); // the median of a normal distribution; the variance of such a difference
}

/** The point up to `last` at which the smoothed loss falls fastest over the logarithm of the rate. */
function steepestOf(curve: readonly CurvePoint[], last: number): number {
  const first = Math.min(Math.ceil(EDGE * curve.length), Math.max(0, last - 1));
  let best = { index: last, slope: 0 };
  for (let i = Math.max(1, first); i < Math.max(last, 2); i++) {
    const [a, b] = [curve[i - 1]!, curve[i + 1]!];
    const slope = (b.smoothed - a.smoothed) / Math.log(b.learningRate / a.learningRate);
    if (slope < best.slope) best = { index: i, slope };
  }
  return best.index;
}
