/** The parts of a recipe that have options of their own: `--optimizer`, `--schedule` and `--loss`, read and tried out. */
import { messageOf } from "../errors.ts";
import { LOSS_OPTION_NAMES, LOSSES, type LossName } from "../losses/table.ts";
import { SCHEDULES } from "../optim/schedule.ts";
import { OPTIMIZERS, type OptimizerOptions } from "../optim/table.ts";
import { reduceOnPlateau } from "../train/callbacks/reduce-on-plateau.ts";
import type { FineTuneOptions } from "../train/options.ts";
import { MONITOR } from "../train/recipe.ts";
import { UsageError } from "./arguments.ts";
import { namedChoice } from "./named-option.ts";

const namesOf = <T extends object>(table: T) => Object.keys(table) as Extract<keyof T, string>[]; // the keys of a literal are all there are

export const OPTIMIZER_NAMES = namesOf(OPTIMIZERS);
export const SCHEDULE_NAMES = [...namesOf(SCHEDULES), "plateau"] as const;

/** Distillation needs the probabilities of a teacher as targets, which no folder of images and no table has. */
export const LOSS_NAMES = namesOf(LOSSES).filter((name): name is TrainableLoss => name !== "distillation");
type TrainableLoss = Exclude<LossName, "distillation">;

const PLATEAU_SETTINGS = ["factor", "patience", "minDelta", "cooldown", "minimum"];

/** The span that a schedule is tried with: its own settings can be or not whatever the span is. */
const SPAN = { peak: 1, totalSteps: 100, stepsPerEpoch: 10, warmupSteps: 0 } as const;

/**
 * The optimizer, and the weight decay, which may be given as a setting of it too.
 * @throws UsageError for an optimizer that there is not, a setting of it that cannot be, or a second weight decay.
 */
export function readOptimizer(
  text: string | undefined,
  decay: number | undefined,
): Pick<FineTuneOptions, "optimizer" | "weightDecay"> {
  const chosen = namedChoice("optimizer", text, OPTIMIZER_NAMES, (name) => OPTIMIZERS[name].optionNames);
  if (!chosen) return { optimizer: undefined, weightDecay: decay };
  const { name, ...settings } = chosen;
  tried(`--optimizer ${name}`, () => OPTIMIZERS[name].create(settings));
  const { weightDecay, ...others } = settings as OptimizerOptions; // they were tried
  if (weightDecay !== undefined && decay !== undefined)
    throw new UsageError(
      `--weight-decay ${decay} is given, and --optimizer ${name} with weightDecay=${weightDecay}. Leave one of them out.`,
    );
  return { optimizer: { name, ...others }, weightDecay: decay ?? weightDecay };
}

/** @throws UsageError for a schedule that there is not, or a setting of it that cannot be. */
export function readSchedule(text: string | undefined): FineTuneOptions["schedule"] {
  const chosen = namedChoice("schedule", text, SCHEDULE_NAMES, (name) =>
    name === "plateau" ? PLATEAU_SETTINGS : SCHEDULES[name].optionNames,
  );
  if (!chosen) return undefined;
  const { name, ...settings } = chosen;
  tried(`--schedule ${name}`, () =>
    name === "plateau"
      ? reduceOnPlateau({ ...settings, monitor: MONITOR })
      : SCHEDULES[name].create({ ...settings, ...SPAN }),
  );
  return chosen;
}

/** @throws UsageError for a loss that there is not, or that needs a teacher, or a setting of it that cannot be. */
export function readLoss(text: string | undefined): FineTuneOptions["loss"] {
  if (text !== undefined && /^distillation(:|$)/.test(text))
    throw new UsageError(
      `--loss distillation requires the probabilities of a teacher, got images with labels alone. Use one of ${LOSS_NAMES.join(", ")}.`,
    );
  const chosen = namedChoice(
    "loss",
    text,
    LOSS_NAMES,
    (name) => LOSS_OPTION_NAMES[name].filter((key) => key !== "soft"), // the recipe decides it
  );
  if (!chosen) return undefined;
  const { name, ...settings } = chosen;
  tried(`--loss ${name}`, () => LOSSES[name](settings));
  return chosen;
}

/** Makes a part once; a setting of it that cannot be is told with the option in front. */
function tried(where: string, make: () => unknown): void {
  try {
    make();
  } catch (cause) {
    throw new UsageError(`${where}: ${messageOf(cause).replace(/^[\w-]+: /, "")}`, { cause });
  }
}
