/** The checks of a recipe: what an option cannot be by itself, beside another, or for the task of the data. */
import type { Task } from "../data/sample.ts";
import { listed, messageOf, RootstockError } from "../errors.ts";
import { LOSS_OPTION_NAMES, LOSSES, type LossName, lossesFor } from "../losses/table.ts";
import { SCHEDULES } from "../optim/schedule.ts";
import { OPTIMIZERS } from "../optim/table.ts";
import { shown } from "../transforms/known-options.ts";
import { reduceOnPlateau } from "./callbacks/reduce-on-plateau.ts";
import type { ClassWeights, FineTuneOptions } from "./options.ts";
import type { PhaseRecipe, Recipe } from "./recipe.ts";

/** The value, a whole number from `least`. @throws RootstockError BAD_CONFIG naming the option for any other. */
export function wholeNumber(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RootstockError("BAD_CONFIG", `${name} requires a whole number from ${least}, got ${shown(value)}.`);
}

const RANGES = {
  "above 0": (x) => x > 0,
  "from 0": (x) => x >= 0,
  "from 0 and below 1": (x) => x >= 0 && x < 1,
  "above 0 and up to 1": (x) => x > 0 && x <= 1,
  "0, or from 1e-6 to 1e6": (x) => x === 0 || (x >= 1e-6 && x <= 1e6),
} as const satisfies Record<string, (x: number) => boolean>;

/** The value, a number in the range. @throws RootstockError BAD_CONFIG naming the option for any other. */
export function number(name: string, value: number, range: keyof typeof RANGES): number {
  if (Number.isFinite(value) && RANGES[range](value)) return value;
  throw new RootstockError(
    "BAD_CONFIG",
    `${name} requires ${range.startsWith("0") ? "" : "a number "}${range}, got ${shown(value)}.`,
  );
}

/** Refuses a word that is none of the choices. */
export function oneOf(name: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value))
    throw new RootstockError("BAD_CONFIG", `${name} requires one of ${choices.join(", ")}, got "${value}".`);
}

/** A choice as an object, its name one of a table's and its options those of that name. */
export function named<Name extends string, Options extends object>(
  option: string,
  given: Name | ({ readonly name: Name } & Options),
  table: { readonly [K in Name]: readonly string[] },
): { readonly name: Name } & Options {
  if (typeof given !== "string" && (typeof given !== "object" || given === null))
    throw new RootstockError(
      "BAD_CONFIG",
      `${option} requires a name, or an object with a name and options, got ${shown(given)}.`,
    );
  const choice = typeof given === "string" ? ({ name: given } as { readonly name: Name } & Options) : given; // every option of its own has a default
  const { name } = choice;
  oneOf(option, name, Object.keys(table));
  const known = table[name];
  for (const key of Object.keys(choice)) {
    if (key === "name" || known.includes(key)) continue;
    const takes = known.length === 0 ? "no options" : known.join(", ");
    throw new RootstockError("BAD_CONFIG", `${option} ${name} takes ${takes}, got "${key}".`);
  }
  return choice;
}

type TableOf<T> = { readonly [K in keyof T]: { readonly optionNames: readonly string[] } };

/** What each entry of a table takes, as `named` reads it. */
export function optionNamesOf<T extends TableOf<T>>(table: T): { readonly [K in keyof T]: readonly string[] } {
  const entries = Object.entries<{ readonly optionNames: readonly string[] }>(table);
  return Object.fromEntries(entries.map(([name, { optionNames }]) => [name, optionNames])) as {
    readonly [K in keyof T]: readonly string[]; // the same keys
  };
}

/** Refuses a loss of another task. */
export function checkLoss(loss: LossName, task: Task): void {
  if (LOSSES[loss]().tasks.includes(task)) return;
  throw new RootstockError(
    "BAD_CONFIG",
    `loss requires one for ${task} data, which is ${lossesFor(task).join(" or ")}, got "${loss}".`,
  );
}

/** The weights, which are none of a regression. */
export function checkedWeights(weights: ClassWeights, task: Task): ClassWeights {
  if (typeof weights === "string") oneOf("classWeights", weights, ["none", "balanced", "effective"]);
  else for (const weight of weights) number("classWeights", weight, "above 0");
  if (weights === "none" || task !== "regression") return weights;
  throw new RootstockError("BAD_CONFIG", "classWeights requires classes, got a regression. Leave it out.");
}

/** Checks what decides how a run is made, not what comes out. */
export function checkResources(options: FineTuneOptions): void {
  for (const name of ["memoryLimit", "memoryBytes", "maxCacheBytes", "checkpointSeconds"] as const) {
    const value = options[name];
    if (value !== undefined) number(name, value, "from 0");
  }
  for (const name of ["out", "cacheFolder"] as const) {
    const value: unknown = options[name];
    if (value !== undefined && (typeof value !== "string" || value === ""))
      throw new RootstockError("BAD_CONFIG", `${name} requires the name of a folder, got ${shown(value)}.`);
  }
  if (options.threads !== undefined) wholeNumber("threads", options.threads, 1);
  if (options.keepCheckpoints !== undefined) wholeNumber("keepCheckpoints", options.keepCheckpoints, 1);
}

/** Refuses what has no meaning for a head alone. */
export function requireTraining(options: FineTuneOptions, phases: readonly string[]): void {
  const { batchNorm } = options;
  const what = phases.length === 0 ? 'strategy "probe"' : 'unfreeze "head"';
  const refuse = (option: string): never => {
    throw new RootstockError(
      "BAD_CONFIG",
      `${option} requires layers that train, got ${what}. Unfreeze more, such as "last", or leave it out.`,
    );
  };
  if (batchNorm === "affine" || batchNorm === "train")
    throw new RootstockError(
      "BAD_CONFIG",
      `batchNorm "${batchNorm}" requires layers that train, got ${what}. Unfreeze more, such as "last", or use "freeze".`,
    );
  if (options.autotune) refuse("autotune");
  for (const name of ["layerDecay", "headRate", "startPenalty", "cutMix", "microBatch"] as const)
    if (options[name] !== undefined) refuse(name);
  if (phases.length > 0) return;
  for (const name of OF_TRAINING)
    if (options[name] !== undefined && options[name] !== false)
      throw new RootstockError(
        "BAD_CONFIG",
        `${name} requires something that trains, got strategy "probe", which is solved to its end. Leave it out, or use strategy "head".`,
      );
}

/** What a probe has no use for. */
const OF_TRAINING = [
  ...["epochs", "batchSize", "learningRate", "findLearningRate", "schedule", "warmup", "optimizer"],
  ...["weightDecay", "clipNorm", "averageDecay", "soup", "labelSmoothing", "classWeights", "mixup"],
  ...["monitor", "patience", "minDelta"],
] as readonly (keyof FineTuneOptions)[];

/** Refuses an option that a part of the recipe, which has it too, was also given. */
export function checkGivenOnce(options: FineTuneOptions): void {
  for (const [part, own, outer] of IN_TWO_PLACES) {
    const within: unknown = options[part];
    const value = typeof within === "object" && within !== null ? new Map(Object.entries(within)).get(own) : undefined;
    const given = options[outer];
    if (value === undefined || given === undefined || given === "none") continue;
    throw new RootstockError(
      "BAD_CONFIG",
      `${outer} must not be given with ${own} in ${part}, got ${brief(given)} and ${brief(value)}. Leave one of them out.`,
    );
  }
}

/** Options of parts that are options of the recipe too. */
const IN_TWO_PLACES = [
  ["optimizer", "weightDecay", "weightDecay"],
  ["loss", "labelSmoothing", "labelSmoothing"],
  ["loss", "classWeights", "classWeights"],
  ["loss", "positiveWeights", "classWeights"],
] as const;

function brief(value: unknown): string {
  return Array.isArray(value) ? `[${listed(value.map(shown))}]` : shown(value);
}

/** Refuses options that are possible each by itself. */
export function checkTogether(recipe: Recipe, { warmup }: FineTuneOptions, task: Task): void {
  const { loss, lossOptions, labelSmoothing, cutMix, schedule, batchSize, microBatch } = recipe;
  const refuse = (message: string): never => {
    throw new RootstockError("BAD_CONFIG", message);
  };
  if (schedule === "one-cycle" && warmup !== undefined && warmup > 0)
    refuse(
      `warmup requires another schedule than one-cycle, which rises by itself, got ${warmup}. Leave it out, or say how long that takes: one-cycle with warmupShare ${warmup}.`,
    );
  if (microBatch > batchSize)
    refuse(`microBatch requires at most batchSize, ${batchSize}, of which it is a part, got ${microBatch}.`);
  if ("soft" in lossOptions) refuse(`loss ${loss} is soft where samples are mixed; leave the option out.`);
  if (labelSmoothing > 0 && !LOSS_OPTION_NAMES[loss].includes("labelSmoothing"))
    refuse(`labelSmoothing requires the loss cross-entropy or focal, got ${loss}. Leave one of them out.`);
  if (cutMix > 0 && task === "regression") refuse("cutMix requires classes, got a regression. Use mixup.");
}

/** Makes the parts once, so that an option of theirs that cannot be is told before anything is computed. */
export function checkParts(plan: PhaseRecipe, stepsPerEpoch: number): void {
  try {
    LOSSES[plan.loss](plan.lossOptions);
    OPTIMIZERS[plan.optimizer].create(plan.optimizerOptions);
    if (plan.schedule === "plateau") reduceOnPlateau({ ...plan.scheduleOptions, monitor: plan.monitor });
    else
      SCHEDULES[plan.schedule].create({
        ...plan.scheduleOptions,
        peak: plan.learningRate,
        totalSteps: plan.epochs * Math.max(1, stepsPerEpoch),
        stepsPerEpoch: Math.max(1, stepsPerEpoch),
        warmupSteps: 0,
      });
  } catch (cause) {
    if (cause instanceof RootstockError) throw cause;
    throw new RootstockError("BAD_CONFIG", messageOf(cause), { cause });
  }
}
