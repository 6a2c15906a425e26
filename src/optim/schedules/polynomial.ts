/** A power of what is left of the run; linear where the power is 1. */
import { checkRange } from "../check-range.ts";
import { checkSpan, progressAt, type Schedule, type ScheduleSpan, warmUp } from "./span.ts";

/** Options of {@link polynomial}. */
export interface PolynomialOptions extends ScheduleSpan {
  /** Exponent, above 0: 1 is a straight line, more falls fast first. @default 1 */
  readonly power?: number | undefined;
  /** Learning rate after the last step, at least 0. @default 0 */
  readonly final?: number | undefined;
}

/**
 * Linear warm-up to `peak`, then final + (peak - final) (1 - progress)^power. As with `cosine` the end of the curve is one
 * step beyond the last: of the n steps behind the warm-up, step k has the rate of torch.optim.lr_scheduler.PolynomialLR
 * with total_iters = n + 1 after k of its steps.
 * @throws RangeError if an option is out of its range.
 */
export function polynomial(options: PolynomialOptions): Schedule {
  const { peak, warmupSteps = 0, power = 1, final = 0 } = options;
  checkSpan("polynomial", options);
  checkRange("polynomial: power", power, "(0, infinity)");
  checkRange("polynomial: final", final, "[0, infinity)");
  const decay: Schedule = (step) => final + (peak - final) * (1 - progressAt(step, options)) ** power;
  return warmUp(decay, warmupSteps);
}
