/** One rise to the peak and one fall far below the start. */
import { checkRange } from "../check-range.ts";
import { checkSpan, type Schedule, type ScheduleSpan, warmUp } from "./span.ts";

/** Options of {@link oneCycle}. */
export interface OneCycleOptions extends ScheduleSpan {
  /** Share of the steps in which the rate rises, in [0, 1]. @default 0.3 */
  readonly warmupShare?: number | undefined;
  /** How many times lower than the peak the rate starts, at least 1. @default 25 */
  readonly divFactor?: number | undefined;
  /** How many times lower than it started the rate ends, at least 1. @default 1e4 */
  readonly finalDivFactor?: number | undefined;
}

/**
 * The 1cycle policy (Smith and Topin 2017, arXiv:1708.07120) as torch.optim.lr_scheduler.OneCycleLR with cosines in two
 * phases: from peak / divFactor to `peak`, then to peak / divFactor / finalDivFactor in the last step. Momentum stays as
 * it is. The rise is the warm-up: `warmupSteps` scale it once more and are best left out.
 * @throws RangeError if an option is out of its range.
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  const { peak, totalSteps, warmupSteps = 0, warmupShare = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options;
  checkSpan("one-cycle", options);
  checkRange("one-cycle: warmupShare", warmupShare, "[0, 1]");
  checkRange("one-cycle: divFactor", divFactor, "[1, infinity)");
  checkRange("one-cycle: finalDivFactor", finalDivFactor, "[1, infinity)");
  const start = peak / divFactor;
  const top = warmupShare * totalSteps - 1; // counted from 0, as PyTorch does, like `last` and `at`
  const last = totalSteps - 1;
  const cycle: Schedule = (step) => {
    const at = Math.min(step - 1, last);
    if (at <= top) return top === 0 ? peak : between(start, peak, at / top);
    return between(peak, start / finalDivFactor, (at - top) / (last - top));
  };
  return warmUp(cycle, warmupSteps);
}

/** Half a cosine from one rate to another, at a share of the way. */
function between(from: number, to: number, share: number): number {
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
}
