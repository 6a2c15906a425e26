/** Lowers the learning rate where the monitored measure no longer improves. */
import { z } from "zod";
import type { Callback, Monitor } from "../callback.ts";
import { checkOptions } from "./check-options.ts";
import { checkedMonitor, improves, monitored } from "./monitored.ts";
import { restored } from "./restored.ts";

export interface ReduceOnPlateauOptions {
  readonly monitor: Monitor;
  /** What the learning rate is multiplied by, above 0 and below 1. @default 0.1 */
  readonly factor?: number | undefined;
  /** Epochs without improvement after which the learning rate falls, at least 1. @default 10 */
  readonly patience?: number | undefined;
  /** Change beyond which a value counts as an improvement. @default 1e-4 */
  readonly minDelta?: number | undefined;
  /** Epochs after a reduction that are not counted. @default 0 */
  readonly cooldown?: number | undefined;
  /** Learning rate below which it does not fall. @default 0 */
  readonly minimum?: number | undefined;
}

const NAME = "reduce-on-plateau";

const OPTIONS: Readonly<Record<keyof ReduceOnPlateauOptions, true>> = {
  monitor: true,
  factor: true,
  patience: true,
  minDelta: true,
  cooldown: true,
  minimum: true,
};

/** Smallest fall of the learning rate that is worth one, as in PyTorch (`eps`). */
const SMALLEST_FALL = 1e-8;

const stateSchema = z.strictObject({
  best: z.number().optional(),
  since: z.int().min(0),
  cooling: z.int().min(0),
});

/**
 * Multiplies the learning rate by `factor` after `patience` epochs without improvement, and counts from anew. It works
 * on top of any schedule; a constant one is usual. Each phase is judged by itself.
 * `patience` counts as that of `earlyStopping` and of Keras's ReduceLROnPlateau. All else is PyTorch's ReduceLROnPlateau
 * with `threshold_mode="abs"`: its patience of 9 is 10 here, and its cooldown ignores as many epochs as it says, where
 * Keras ignores one less.
 * @throws RangeError if an option is out of its range; RootstockError BAD_CONFIG without a monitor of a measure and a mode,
 *   or for an option that there is not.
 */
export function reduceOnPlateau(options: ReduceOnPlateauOptions): Callback {
  checkOptions(NAME, options, {
    known: OPTIONS,
    example: 'reduceOnPlateau({ monitor: { measure: "loss", mode: "min" }, patience: 10 })',
  });
  const monitor = checkedMonitor(`${NAME}: monitor`, options.monitor);
  const { factor = 0.1, patience = 10, minDelta = 1e-4, cooldown = 0, minimum = 0 } = options;
  check("factor", factor, factor > 0 && factor < 1, "a number above 0 and below 1");
  check("patience", patience, Number.isSafeInteger(patience) && patience >= 1, "a whole number from 1");
  check("minDelta", minDelta, minDelta >= 0, "a number from 0");
  check("cooldown", cooldown, Number.isSafeInteger(cooldown) && cooldown >= 0, "a whole number from 0");
  check("minimum", minimum, minimum >= 0, "a number from 0");
  const start = { best: undefined, since: 0, cooling: 0 };
  let now: { best?: number | undefined; since: number; cooling: number } = { ...start };
  return {
    name: NAME,
    monitor,
    onPhaseStart: ({ epochsDone }) => {
      if (epochsDone === 0) now = { ...start };
    },
    onEpochEnd: ({ validation, learningRate }, run) => {
      const value = monitored(NAME, monitor, validation);
      if (improves(monitor, value, now.best, minDelta)) {
        now.best = value;
        now.since = 0;
      } else {
        now.since++;
      }
      if (now.cooling > 0) {
        now.cooling--;
        now.since = 0;
      }
      if (now.since < patience) return;
      now.since = 0;
      now.cooling = cooldown;
      const lower = Math.max(learningRate * factor, minimum);
      if (learningRate - lower <= SMALLEST_FALL) return;
      run.scaleLearningRate(lower > minimum ? factor : lower / learningRate);
    },
    state: () => ({ ...now }),
    restore: (state) => {
      now = restored(NAME, stateSchema, state);
    },
  };
}

function check(name: string, value: number, fits: boolean, wanted: string): void {
  if (!fits) throw new RangeError(`${name} requires ${wanted}, got ${value}.`);
}
