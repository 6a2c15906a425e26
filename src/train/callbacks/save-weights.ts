/** Files of weights during a run, in a format that every other tool reads. */
import { join } from "node:path";
import { shown } from "../../transforms/known-options.ts";
import { writeSafetensors } from "../../weights/safetensors.ts";
import type { Callback, EpochReport } from "../callback.ts";
import { checkOptions } from "./check-options.ts";
import { phaseCount } from "./phase-count.ts";

export interface SaveWeightsOptions {
  /** Folder for the files, made if needed; each phase has its own in it: 1-head, 2-last. */
  readonly folder: string;
  /**
   * - best: best.safetensors, whenever an epoch is the best so far
   * - last: last.safetensors, after each epoch
   * - every: epoch-0001.safetensors and so on; all of them stay
   * @default "best"
   */
  readonly which?: "best" | "last" | "every" | undefined;
  /** Epochs from one file to the next, at least 1: with "every" alone. @default 1 */
  readonly every?: number | undefined;
}

const NAME = "save-weights";

/**
 * Saves the parameters that validation measured as safetensors, each file atomically. Its metadata say the phase, the
 * epoch, the updates and what validation measured. The callback throws RootstockError CANNOT_WRITE.
 * @throws RangeError if the folder has no name, or an option is out of its range; RootstockError BAD_CONFIG without
 *   options, or for one that there is not.
 */
export function saveWeights(options: SaveWeightsOptions): Callback {
  checkOptions(NAME, options, {
    known: { folder: true, which: true, every: true } satisfies Record<keyof SaveWeightsOptions, true>,
    example: 'saveWeights({ folder: "weights", which: "best" })',
  });
  const { folder, which = "best", every = 1 } = options;
  if (typeof folder !== "string" || folder === "")
    throw new RangeError(`${NAME} requires the name of a folder, got ${shown(folder)}.`);
  if (!["best", "last", "every"].includes(which))
    throw new RangeError(`which requires one of best, last, every, got "${which}".`);
  if (!Number.isSafeInteger(every) || every < 1)
    throw new RangeError(`every requires a whole number from 1, got ${every}.`);
  if (every > 1 && which !== "every") throw new RangeError(`every requires which "every", got "${which}".`);
  const phases = phaseCount(NAME);
  let phaseFolder = "";
  return {
    name: NAME,
    onPhaseStart: (report) => {
      phaseFolder = phases.start(report).folder;
    },
    onEpochEnd: async (report, run) => {
      phases.reached(report.steps);
      const name = nameOf(report, which, every);
      if (name === undefined) return;
      const path = join(folder, phaseFolder, `${name}.safetensors`);
      await writeSafetensors(path, await run.parameters(), metadataOf(report));
    },
    state: () => phases.state(),
    restore: (state) => phases.restore(state),
  };
}

/** The name of an epoch's file, if it has one. */
function nameOf(
  { epoch, best }: EpochReport,
  which: NonNullable<SaveWeightsOptions["which"]>,
  every: number,
): string | undefined {
  if (which === "last") return "last";
  if (which === "best") return best ? "best" : undefined;
  return epoch % every === 0 ? `epoch-${String(epoch).padStart(4, "0")}` : undefined;
}

function metadataOf({ phase, epoch, steps, trainLoss, validation }: EpochReport): Record<string, string> {
  const texts = Object.entries({ epoch, steps, trainLoss }).map(([name, value]) => [name, String(value)] as const);
  const measures = Object.entries(validation).map(([name, value]) => [`validation.${name}`, String(value)] as const);
  return { phase, ...Object.fromEntries([...texts, ...measures]) };
}
