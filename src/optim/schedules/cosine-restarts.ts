/** Half a cosine again and again, each longer than the one before. */
import { checkRange } from "../check-range.ts";
import { checkEpochSpan, type EpochSpan, type Schedule, warmUp } from "./span.ts";

/** Options of {@link cosineRestarts}. */
export interface CosineRestartsOptions extends EpochSpan {
  /** Epochs of the first cycle, at least one step. @default a third of the run */
  readonly firstCycle?: number | undefined;
  /** How many times longer each cycle is than the one before, at least 1. @default 2 */
  readonly factor?: number | undefined;
  /** Learning rate at the end of a cycle, at least 0. @default 0 */
  readonly final?: number | undefined;
}

/**
 * SGDR (Loshchilov and Hutter 2017, arXiv:1608.03983): in every cycle half a cosine from `peak` towards `final`, as
 * torch.optim.lr_scheduler.CosineAnnealingWarmRestarts stepped once per update, with T_0 in steps. By default a run is one
 * cycle and a second of twice its length.
 * @throws RangeError if an option is out of its range.
 */
export function cosineRestarts(options: CosineRestartsOptions): Schedule {
  const { peak, totalSteps, stepsPerEpoch, warmupSteps = 0 } = options;
  const { firstCycle = Math.max(1, totalSteps / 3) / stepsPerEpoch, factor = 2, final = 0 } = options;
  checkEpochSpan("cosine-restarts", options);
  checkRange("cosine-restarts: firstCycle", firstCycle, "(0, infinity)");
  checkRange("cosine-restarts: factor", factor, "[1, infinity)");
  checkRange("cosine-restarts: final", final, "[0, infinity)");
  const first = Math.max(1, firstCycle * stepsPerEpoch);
  const decay: Schedule = (step) => {
    let [passed, length] = [step - 1, first];
    if (factor === 1) passed %= length;
    for (; passed >= length; length *= factor) passed -= length;
    return final + (peak - final) * 0.5 * (1 + Math.cos((Math.PI * passed) / length));
  };
  return warmUp(decay, warmupSteps);
}
