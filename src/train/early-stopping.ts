/** Ends a run that no longer improves. The best epoch is restored by `fit` in any case. */
import { RootstockError } from "../errors.ts";
import type { Callback, Monitor } from "./callback.ts";

export interface EarlyStoppingOptions {
  readonly monitor: Monitor;
  /** Epochs without improvement after which to stop, at least 1. @default 5 */
  readonly patience?: number | undefined;
  /** Smallest change that counts as an improvement. @default 0 */
  readonly minDelta?: number | undefined;
}

/**
 * Stops the fit after `patience` epochs in which the monitored measure did not improve by more than `minDelta`.
 * @throws RangeError if `patience` is not a positive whole number, or `minDelta` is negative.
 */
export function earlyStopping({ monitor, patience = 5, minDelta = 0 }: EarlyStoppingOptions): Callback {
  if (!Number.isSafeInteger(patience) || patience < 1)
    throw new RangeError(`patience requires a whole number from 1, got ${patience}.`);
  if (!(minDelta >= 0)) throw new RangeError(`minDelta requires a number from 0, got ${minDelta}.`);
  let best: number | undefined;
  let since = 0;
  return {
    name: "early-stopping",
    onEpochEnd: ({ validation }, run) => {
      const value = validation[monitor.measure];
      if (value === undefined) {
        const names = Object.keys(validation).join(", ");
        throw new RootstockError("BAD_CONFIG", `early stopping monitors "${monitor.measure}"; there is only ${names}.`);
      }
      if (best === undefined || (monitor.mode === "min" ? value < best - minDelta : value > best + minDelta)) {
        best = value;
        since = 0;
      } else if (++since >= patience) {
        run.stop(`${monitor.measure} did not improve for ${patience} epochs`);
      }
    },
  };
}
