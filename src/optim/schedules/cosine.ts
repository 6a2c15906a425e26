/** Half a cosine from the peak to the end. */
import { checkRange } from "../check-range.ts";
import { checkSpan, progressAt, type Schedule, type ScheduleSpan, warmUp } from "./span.ts";

/** Options of {@link cosine}. */
export interface CosineOptions extends ScheduleSpan {
  /** Learning rate after the last step, at least 0. @default 0 */
  readonly final?: number | undefined;
}

/**
 * Linear warm-up to `peak`, then half a cosine towards `final` (SGDR without restarts, arXiv:1608.03983). The end of the
 * curve is one step beyond the last, so that every step moves, even if there is one alone: of the n steps behind the
 * warm-up, step k has the rate of torch.optim.lr_scheduler.CosineAnnealingLR with T_max = n + 1 after k of its steps.
 * @throws RangeError if `totalSteps` is not a positive whole number, `warmupSteps` is larger or negative, or a rate is
 * out of its range.
 */
export function cosine(options: CosineOptions): Schedule {
  const { peak, warmupSteps = 0, final = 0 } = options;
  checkSpan("cosine", options);
  checkRange("cosine: final", final, "[0, infinity)");
  const decay: Schedule = (step) =>
    step <= warmupSteps ? peak : final + (peak - final) * 0.5 * (1 + Math.cos(Math.PI * progressAt(step, options)));
  return warmUp(decay, warmupSteps);
}
