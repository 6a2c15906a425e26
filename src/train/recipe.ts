/** A run's options, filled in and checked: everything that decides its result. */
import type { Task } from "../data/sample.ts";
import { DEFAULT_LOSSES, LOSS_OPTION_NAMES, type LossName, type LossOptions } from "../losses/table.ts";
import { SCHEDULES, type ScheduleName, type ScheduleSettings } from "../optim/schedule.ts";
import { OPTIMIZERS, type OptimizerName, type OptimizerOptions } from "../optim/table.ts";
import type { Monitor } from "./callback.ts";
import { checkedMonitor } from "./callbacks/monitored.ts";
import type { ReduceOnPlateauOptions } from "./callbacks/reduce-on-plateau.ts";
import { BATCH_NORM_CHOICES, type BatchNormChoice, type ClassWeights, type FineTuneOptions } from "./options.ts";
import {
  checkedWeights,
  checkGivenOnce,
  checkLoss,
  checkParts,
  checkResources,
  checkTogether,
  named,
  number,
  oneOf,
  optionNamesOf,
  requireTraining,
  wholeNumber,
} from "./recipe-checks.ts";
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
  /** Without the weight decay, which has its own place. */
  readonly optimizerOptions: Omit<OptimizerOptions, "weightDecay">;
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
  const { headRate = 1, layerDecay = 1, clipNorm = 0, startPenalty = 0, averageDecay = 0 } = options;
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
  checkGivenOnce(options);
  oneOf("batchNorm", batchNorm, BATCH_NORM_CHOICES);
  if (alone) requireTraining({ ...options, batchNorm }, phases);
  const { name: loss, ...lossOptions } = named("loss", options.loss ?? DEFAULT_LOSSES[task], LOSS_OPTION_NAMES);
  const { name: optimizer, ...given } = named<OptimizerName, OptimizerOptions>(
    "optimizer",
    options.optimizer ?? (numbers ? "sgd" : "adamw"),
    optionNamesOf(OPTIMIZERS),
  );
  const { weightDecay: ownDecay, ...optimizerOptions } = given;
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
    warmup: number("warmup", options.warmup ?? (schedule === "one-cycle" ? 0 : 0.1), "from 0 and below 1"),
    optimizer,
    optimizerOptions,
    weightDecay: number("weightDecay", options.weightDecay ?? ownDecay ?? usual.weightDecay, "from 0"),
    headRate: number("headRate", headRate, "above 0"),
    layerDecay: number("layerDecay", layerDecay, "above 0 and up to 1"),
    clipNorm: number("clipNorm", clipNorm, "from 0"),
    startPenalty: number("startPenalty", startPenalty, "from 0"),
    averageDecay: number("averageDecay", averageDecay, "from 0 and below 1"),
    soup: wholeNumber("soup", options.soup ?? (alone ? 1 : 3), 1),
    loss,
    lossOptions,
    labelSmoothing: number("labelSmoothing", labelSmoothing, "from 0 and below 1"),
    classWeights: checkedWeights(classWeights, task),
    mixup: number("mixup", mixup, "0, or from 1e-6 to 1e6"),
    cutMix: number("cutMix", cutMix, "0, or from 1e-6 to 1e6"),
    monitor: checkedMonitor("monitor", options.monitor ?? MONITOR),
    patience: wholeNumber("patience", options.patience ?? Math.max(10, Math.ceil(epochs / 5)), 1),
    minDelta: number("minDelta", minDelta, "from 0"),
    seed: wholeNumber("seed", seed, 0),
  };
  checkTogether(filled, options, task);
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
