/** A run's options, filled in and checked: everything that decides its result. */
import type { Task } from "../data/sample.ts";
import { messageOf, RootstockError } from "../errors.ts";
import {
  DEFAULT_LOSSES,
  LOSS_OPTION_NAMES,
  LOSSES,
  type LossName,
  type LossOptions,
  lossesFor,
} from "../losses/table.ts";
import { SCHEDULES, type ScheduleName, type ScheduleSettings } from "../optim/schedule.ts";
import { OPTIMIZERS, type OptimizerName, type OptimizerOptions } from "../optim/table.ts";
import type { Monitor } from "./callback.ts";
import { type ReduceOnPlateauOptions, reduceOnPlateau } from "./callbacks/reduce-on-plateau.ts";
import { BATCH_NORM_CHOICES, type BatchNormChoice, type ClassWeights, type FineTuneOptions } from "./options.ts";
import { phasesOf } from "./strategy.ts";

/** How a phase of training goes; JSON-safe. What is off is 0. */
export interface PhaseRecipe {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** Whether a search decides the learning rate; the one above where it suggests none. */
  readonly findLearningRate: boolean;
  readonly schedule: ScheduleName | "plateau";
  readonly scheduleOptions: ScheduleSettings & Partial<ReduceOnPlateauOptions>;
  readonly warmup: number;
  readonly optimizer: OptimizerName;
  readonly optimizerOptions: OptimizerOptions;
  readonly weightDecay: number;
  readonly headRate: number;
  readonly layerDecay: number;
  readonly clipNorm: number;
  readonly startPenalty: number;
  readonly averageDecay: number;
  readonly soup: number;
  readonly loss: LossName;
  readonly lossOptions: LossOptions;
  readonly labelSmoothing: number;
  readonly classWeights: ClassWeights;
  readonly mixup: number;
  readonly cutMix: number;
  readonly monitor: Monitor;
  readonly patience: number;
  readonly minDelta: number;
  readonly seed: number;
}

/** Options that decide the result, all filled in: they go into the run's record. */
export interface Recipe extends PhaseRecipe {
  /** What is unfrozen in each phase of training, in order. */
  readonly phases: readonly string[];
  readonly keepHead: boolean;
  readonly batchNorm: BatchNormChoice;
  readonly autotune: boolean;
  /** Images that the unfrozen network takes at once; 0 for as many as memory allows. */
  readonly microBatch: number;
}

/** The best epoch is the one with the smallest validation loss: on small sets it is far less noisy than accuracy. */
export const MONITOR: Monitor = { measure: "loss", mode: "min" };

/** What a recipe is for, besides the number of images. */
export interface Problem {
  /** @default "single-label" */
  readonly task?: Task | undefined;
  /** Number of features that the head reads. @default 1280 */
  readonly width?: number | undefined;
  /** What trains, in order. @default what the options say of a strategy or of unfreezing */
  readonly phases?: readonly string[] | undefined;
}

/**
 * Fills in and checks the recipe for a training set of `samples` images.
 * @throws RootstockError BAD_CONFIG naming the option, the values it takes and the one it got.
 */
export function recipe(
  options: FineTuneOptions,
  samples: number,
  { task = "single-label", width = 1280, phases = phasesOf(options) }: Problem = {},
): Recipe {
  const { keepHead = true, batchNorm = "freeze", autotune = false, seed = 0 } = options;
  const { headRate = 1, layerDecay = 1, clipNorm = 0, startPenalty = 0, averageDecay = 0, soup = 1 } = options;
  const {
    findLearningRate = false,
    classWeights = "none",
    mixup = 0,
    cutMix = 0,
    minDelta = 0,
    labelSmoothing = 0,
  } = options;
  const alone = phases.every((phase) => phase === "head");
  const numbers = alone && task === "regression";
  const { schedule: givenSchedule = "cosine" } = options;
  checkResources(options);
  oneOf("batchNorm", batchNorm, BATCH_NORM_CHOICES);
  if (alone) requireTraining({ ...options, batchNorm }, phases);
  const { name: loss, ...lossOptions } = named("loss", options.loss ?? DEFAULT_LOSSES[task], LOSS_OPTION_NAMES);
  const { name: optimizer, ...optimizerOptions } = named(
    "optimizer",
    options.optimizer ?? (numbers ? "sgd" : "adamw"),
    optionNamesOf(OPTIMIZERS),
  );
  const { name: schedule, ...scheduleOptions } = named("schedule", givenSchedule, {
    ...optionNamesOf(SCHEDULES),
    plateau: PLATEAU_OPTIONS,
  });
  checkLoss(loss, task);
  const batchSize = wholeNumber("batchSize", options.batchSize ?? (alone ? 32 : 16), 1);
  const stepsPerEpoch = Math.ceil(samples / batchSize);
  const within = (updates: number, least: number, most: number): number =>
    Math.min(most, Math.max(least, Math.ceil(updates / stepsPerEpoch)));
  const epochs = options.epochs ?? (alone ? within(600, 20, 100) : within(300, 5, 30));
  const usual = numbers ? regressionRates(optimizer, width) : usualRates(optimizer, alone);
  const filled: Recipe = {
    phases,
    keepHead,
    batchNorm,
    autotune,
    microBatch: wholeNumber("microBatch", options.microBatch ?? 0, 0),
    epochs: wholeNumber("epochs", epochs, 1),
    batchSize,
    learningRate: number("learningRate", options.learningRate ?? usual.learningRate, "above 0"),
    findLearningRate,
    schedule,
    scheduleOptions,
    warmup: number("warmup", options.warmup ?? 0.1, "from 0 and below 1"),
    optimizer,
    optimizerOptions,
    weightDecay: number("weightDecay", options.weightDecay ?? usual.weightDecay, "from 0"),
    headRate: number("headRate", headRate, "above 0"),
    layerDecay: number("layerDecay", layerDecay, "above 0 and up to 1"),
    clipNorm: number("clipNorm", clipNorm, "from 0"),
    startPenalty: number("startPenalty", startPenalty, "from 0"),
    averageDecay: number("averageDecay", averageDecay, "from 0 and below 1"),
    soup: wholeNumber("soup", soup, 1),
    loss,
    lossOptions,
    labelSmoothing: number("labelSmoothing", labelSmoothing, "from 0 and below 1"),
    classWeights: checkedWeights(classWeights, task),
    mixup: number("mixup", mixup, "from 0"),
    cutMix: number("cutMix", cutMix, "from 0"),
    monitor: checkedMonitor(options.monitor ?? MONITOR),
    patience: wholeNumber("patience", options.patience ?? Math.max(10, Math.ceil(epochs / 5)), 1),
    minDelta: number("minDelta", minDelta, "from 0"),
    seed: wholeNumber("seed", seed, 0),
  };
  checkTogether(filled, task);
  checkParts(filled, stepsPerEpoch);
  return filled;
}

const PLATEAU_OPTIONS = ["factor", "patience", "minDelta", "cooldown", "minimum"];

/** What the optimizer starts with for a head alone, or for layers of the backbone. */
function usualRates(optimizer: OptimizerName, alone: boolean): Pick<PhaseRecipe, "learningRate" | "weightDecay"> {
  return alone ? OPTIMIZERS[optimizer] : OPTIMIZERS[optimizer].backbone;
}

/** Features for which the optimizers' rates of a regression are stated. */
const STATED_WIDTH = 1280;

/**
 * What the optimizer starts with for a head alone that gives numbers. The curvature of the squared error grows with the
 * number of standardized features, so a step has to be as much smaller, and the decay as much stronger.
 */
function regressionRates(optimizer: OptimizerName, width: number): ReturnType<typeof usualRates> {
  const { regression, learningRate } = OPTIMIZERS[optimizer];
  const share = width / STATED_WIDTH;
  return {
    learningRate: Math.min(learningRate, regression.learningRate / share),
    weightDecay: regression.weightDecay * share,
  };
}

/** Refuses options that are possible each by itself. */
function checkTogether({ loss, lossOptions, labelSmoothing, cutMix }: PhaseRecipe, task: Task): void {
  const refuse = (message: string): never => {
    throw new RootstockError("BAD_CONFIG", message);
  };
  if ("soft" in lossOptions) refuse(`loss ${loss} is soft where samples are mixed; leave the option out.`);
  if (labelSmoothing > 0 && !LOSS_OPTION_NAMES[loss].includes("labelSmoothing"))
    refuse(`labelSmoothing requires the loss cross-entropy or focal, got ${loss}. Leave one of them out.`);
  if (cutMix > 0 && task === "regression") refuse("cutMix requires classes, got a regression. Use mixup.");
}

/** Makes the parts once, so that an option of theirs that cannot be is told before anything is computed. */
function checkParts(plan: PhaseRecipe, stepsPerEpoch: number): void {
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

/** Refuses what has no meaning for a head alone. */
function requireTraining(options: FineTuneOptions, phases: readonly string[]): void {
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
  ...["monitor", "patience", "minDelta", "callbacks"],
] as readonly (keyof FineTuneOptions)[];

function checkResources(options: FineTuneOptions): void {
  for (const name of ["memoryLimit", "memoryBytes", "maxCacheBytes", "checkpointSeconds"] as const) {
    const value = options[name];
    if (value !== undefined) number(name, value, "from 0");
  }
  if (options.threads !== undefined) wholeNumber("threads", options.threads, 1);
  if (options.keepCheckpoints !== undefined) wholeNumber("keepCheckpoints", options.keepCheckpoints, 1);
}

function checkLoss(loss: LossName, task: Task): void {
  if (LOSSES[loss]().tasks.includes(task)) return;
  throw new RootstockError(
    "BAD_CONFIG",
    `loss requires one for ${task} data, which is ${lossesFor(task).join(" or ")}, got "${loss}".`,
  );
}

function checkedMonitor({ measure, mode }: Monitor): Monitor {
  oneOf("monitor.mode", mode, ["min", "max"]);
  if (typeof measure === "string" && measure !== "") return { measure, mode };
  throw new RootstockError(
    "BAD_CONFIG",
    `monitor.measure requires the name of a measure, got ${JSON.stringify(measure)}.`,
  );
}

function checkedWeights(weights: ClassWeights, task: Task): ClassWeights {
  if (typeof weights === "string") oneOf("classWeights", weights, ["none", "balanced", "effective"]);
  else for (const weight of weights) number("classWeights", weight, "above 0");
  if (weights === "none" || task !== "regression") return weights;
  throw new RootstockError("BAD_CONFIG", "classWeights requires classes, got a regression. Leave it out.");
}

type TableOf<T> = { readonly [K in keyof T]: { readonly optionNames: readonly string[] } };

function optionNamesOf<T extends TableOf<T>>(table: T): { readonly [K in keyof T]: readonly string[] } {
  const entries = Object.entries<{ readonly optionNames: readonly string[] }>(table);
  return Object.fromEntries(entries.map(([name, { optionNames }]) => [name, optionNames])) as {
    readonly [K in keyof T]: readonly string[]; // the same keys
  };
}

/** A choice as an object, its name one of a table's and its options those of that name. */
function named<Name extends string, Options extends object>(
  option: string,
  given: Name | ({ readonly name: Name } & Options),
  table: { readonly [K in Name]: readonly string[] },
): { readonly name: Name } & Options {
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

function wholeNumber(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RootstockError("BAD_CONFIG", `${name} requires a whole number from ${least}, got ${value}.`);
}

const RANGES = {
  "above 0": (x) => x > 0,
  "from 0": (x) => x >= 0,
  "from 0 and below 1": (x) => x >= 0 && x < 1,
  "above 0 and up to 1": (x) => x > 0 && x <= 1,
} as const satisfies Record<string, (x: number) => boolean>;

function number(name: string, value: number, range: keyof typeof RANGES): number {
  if (Number.isFinite(value) && RANGES[range](value)) return value;
  throw new RootstockError("BAD_CONFIG", `${name} requires a number ${range}, got ${value}.`);
}

function oneOf(name: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value))
    throw new RootstockError("BAD_CONFIG", `${name} requires one of ${choices.join(", ")}, got "${value}".`);
}
