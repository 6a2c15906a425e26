/** Ends a phase that no longer improves. The best epoch is restored by `fit` in any case. */
import { z } from "zod";
import type { Callback, Monitor } from "../callback.ts";
import { checkOptions } from "./check-options.ts";
import { checkedMonitor, improves, monitored } from "./monitored.ts";
import { restored } from "./restored.ts";

export interface EarlyStoppingOptions {
  readonly monitor: Monitor;
  /** Epochs without improvement after which to stop, at least 1. @default 5 */
  readonly patience?: number | undefined;
  /** Change beyond which a value counts as an improvement. @default 0 */
  readonly minDelta?: number | undefined;
}

const NAME = "early-stopping";

/** The best value is absent before the first finite one. */
const stateSchema = z.strictObject({ best: z.number().optional(), since: z.int().min(0) });

/**
 * Stops a phase after `patience` epochs in which the monitored measure did not improve by more than `minDelta`. Each
 * phase is judged by itself.
 * @throws RangeError if `patience` is not a positive whole number, or `minDelta` is negative; RootstockError BAD_CONFIG
 *   without a monitor of a measure and a mode, or for an option that there is not.
 */
export function earlyStopping(options: EarlyStoppingOptions): Callback {
  checkOptions(NAME, options, {
    known: { monitor: true, patience: true, minDelta: true } satisfies Record<keyof EarlyStoppingOptions, true>,
    example: 'earlyStopping({ monitor: { measure: "loss", mode: "min" }, patience: 5 })',
  });
  const { patience = 5, minDelta = 0 } = options;
  const monitor = checkedMonitor(`${NAME}: monitor`, options.monitor);
  if (!Number.isSafeInteger(patience) || patience < 1)
    throw new RangeError(`patience requires a whole number from 1, got ${patience}.`);
  if (!(minDelta >= 0)) throw new RangeError(`minDelta requires a number from 0, got ${minDelta}.`);
  let best: number | undefined;
  let since = 0;
  return {
    name: NAME,
    monitor,
    onPhaseStart: ({ epochsDone }) => {
      if (epochsDone > 0) return; // the same phase goes on
      best = undefined;
      since = 0;
    },
    onEpochEnd: ({ validation }, run) => {
      const value = monitored(NAME, monitor, validation);
      if (improves(monitor, value, best, minDelta)) {
        best = value;
        since = 0;
      } else if (++since >= patience) {
        run.stop(`${monitor.measure} did not improve for ${patience} ${patience === 1 ? "epoch" : "epochs"}`);
      }
    },
    state: () => ({ best, since }),
    restore: (state) => {
      ({ best, since } = restored(NAME, stateSchema, state));
    },
  };
}
