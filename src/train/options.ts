/** The options of a fine-tuning run: what may be given, what is filled in, and what is refused. */
import type { Task } from "../data/sample.ts";
import { RootstockError } from "../errors.ts";
import type { Value } from "../graph/graph.ts";
import { DEFAULT_LOSSES, LOSSES, type LossName, lossesFor } from "../losses/table.ts";
import { BATCH_NORM_POLICIES } from "../models/batch-norm.ts";
import { UNFREEZE_FORMS } from "../models/unfreeze.ts";
import { OPTIMIZERS, type OptimizerName } from "../optim/table.ts";
import type { Provider } from "../runtime/providers.ts";
import type { AskedAugmentation } from "../transforms/presets.ts";
import type { EpochReport } from "./callback.ts";

/** What `batchNorm` may be. */
export const BATCH_NORM_CHOICES = [...BATCH_NORM_POLICIES, "adapt"] as const;
export type BatchNormChoice = (typeof BATCH_NORM_CHOICES)[number];

/** What a long call tells while it runs. */
export type Progress =
  | { readonly kind: "plan"; readonly text: string }
  | { readonly kind: "check"; readonly done: number; readonly total: number }
  | { readonly kind: "features"; readonly done: number; readonly total: number }
  | { readonly kind: "step"; readonly done: number; readonly total: number }
  | { readonly kind: "epoch"; readonly report: EpochReport }
  | { readonly kind: "warning"; readonly text: string };

export interface FineTuneOptions {
  /** Value of the pretrained graph to use as features. @default the input of its last linear layer */
  readonly cut?: Value | undefined;
  /**
   * What of the pretrained network trains with the head: "head" (nothing), "last" (its last stage), "last:N" (the last
   * N stages), "all", or a pattern of parameter names such as "layer4.*". The head is trained alone first. @default "head"
   */
  readonly unfreeze?: string | undefined;
  /** Whether the head alone is kept where no epoch of the unfrozen network has a smaller validation loss. @default true */
  readonly keepHead?: boolean | undefined;
  /**
   * What BatchNormalization does in the part that trains. @default "freeze"
   * - freeze: normalizes with the pretrained statistics; its scale and shift train.
   * - affine: the same, and of the backbone only scales and shifts train.
   * - train: normalizes with the statistics of each batch, and updates the stored ones.
   * - adapt: the statistics are estimated anew on the training images first; then as freeze.
   */
  readonly batchNorm?: BatchNormChoice | undefined;
  /** Most passes over the training images. @default head: enough for 600 updates, from 20 to 100; else 300, from 5 to 30 */
  readonly epochs?: number | undefined;
  /** Images per update. @default 32 for a head alone, else 16 */
  readonly batchSize?: number | undefined;
  /** Peak learning rate; it falls to zero along half a cosine. @default the optimizer's, for standardized features */
  readonly learningRate?: number | undefined;
  /**
   * How gradients become updates. @default adamw; for the head of a regression sgd, which takes the directions in which
   * features vary most first and so is stopped where ridge regression would be
   */
  readonly optimizer?: OptimizerName | undefined;
  /** Decay of the head's weights, in the optimizer's convention. @default the optimizer's, for standardized features */
  readonly weightDecay?: number | undefined;
  /**
   * What is made small. @default cross-entropy for classes that exclude each other, binary-cross-entropy for multi-label
   * data, mean-squared-error for a regression
   */
  readonly loss?: LossName | undefined;
  /**
   * Share of each target that is spread over all classes, in [0, 1), with cross-entropy. Validation is measured without.
   * @default 0
   */
  readonly labelSmoothing?: number | undefined;
  /** Epochs without a better validation loss after which training ends. */
  readonly patience?: number | undefined;
  /**
   * How training images vary: "none", "light", "medium", "strong", or a list of transforms. Validation and test images
   * never do. @default fits the task and the number of images
   */
  readonly augmentation?: AskedAugmentation | undefined;
  /**
   * Random views of each training image whose features are computed once and kept, beside the clean one; each epoch shows
   * one of them. Only where a part is frozen, and not without an augmentation: a network that trains from the image on
   * sees a new view in every epoch.
   * @default 8 for one label per image, or as many as make 1000 more runs of the frozen part; else 0
   */
  readonly views?: number | undefined;
  /**
   * Whether to look at every image before training, as `rootstock check` does: pictures that are in two splits end the
   * run, copies stay on one side of a split that is drawn, and what else is odd is a warning. @default true
   */
  readonly check?: boolean | undefined;
  /** Whether to train although pictures are in two splits. @default false */
  readonly allowLeaks?: boolean | undefined;
  /** Decides every random choice of the run. @default 0 */
  readonly seed?: number | undefined;
  /** Whether features are read from and written to the cache on disk. @default true */
  readonly cache?: boolean | undefined;
  readonly cacheFolder?: string | undefined;
  /** Size limit of the feature cache, in bytes. */
  readonly maxCacheBytes?: number | undefined;
  /**
   * Bytes that the activations of a step may take; beyond, parts of the forward pass are computed twice instead of kept.
   * @default half of the machine's memory
   */
  readonly memoryLimit?: number | undefined;
  /**
   * Whether to measure how this machine computes each gradient of the unfrozen part fastest; the result is kept for later
   * runs. Another choice changes the last bits of the weights. @default false
   */
  readonly autotune?: boolean | undefined;
  /** What the rows that training reads may take in memory, in bytes; beyond, they are computed in every epoch. @default 2e9 */
  readonly memoryBytes?: number | undefined;
  /** Threads of the inference that extracts features. @default the number of cores */
  readonly threads?: number | undefined;
  readonly provider?: Provider | undefined;
  /** Folder to write the run to; nothing is written without it. */
  readonly out?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** How one phase of training goes. */
export interface PhaseRecipe {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly optimizer: OptimizerName;
  readonly weightDecay: number;
  readonly loss: LossName;
  readonly labelSmoothing: number;
  readonly patience: number;
  readonly seed: number;
}

/** Options that decide the result, all filled in: they go into the run's record. */
export interface Recipe extends PhaseRecipe {
  readonly unfreeze: string;
  readonly keepHead: boolean;
  readonly batchNorm: BatchNormChoice;
  readonly autotune: boolean;
}

/** The recipe of the head that is trained before anything is unfrozen. */
export function headRecipe({ loss, seed }: Recipe, samples: number, problem?: Problem): PhaseRecipe {
  return recipe({ loss, seed }, samples, problem);
}

/** What a recipe is for, besides the number of images. */
export interface Problem {
  /** @default "single-label" */
  readonly task?: Task | undefined;
  /** Number of features that the head reads. @default 1280 */
  readonly width?: number | undefined;
}

/**
 * Fills in and checks the recipe for a training set of `samples` images.
 * @throws RootstockError BAD_CONFIG naming the option, the values it takes and the one it got.
 */
export function recipe(
  options: FineTuneOptions,
  samples: number,
  { task = "single-label", width = 1280 }: Problem = {},
): Recipe {
  const {
    unfreeze = "head",
    keepHead = true,
    batchNorm = "freeze",
    autotune = false,
    loss = DEFAULT_LOSSES[task],
    seed = 0,
  } = options;
  const alone = unfreeze === "head";
  const numbers = alone && task === "regression";
  const { batchSize = alone ? 32 : 16, optimizer = numbers ? "sgd" : "adamw" } = options;
  if (typeof unfreeze !== "string")
    throw new RootstockError("BAD_CONFIG", `unfreeze requires ${UNFREEZE_FORMS}, got ${JSON.stringify(unfreeze)}.`);
  checkResources(options);
  oneOf("batchNorm", batchNorm, BATCH_NORM_CHOICES);
  if (alone && (batchNorm === "affine" || batchNorm === "train"))
    throw new RootstockError(
      "BAD_CONFIG",
      `batchNorm "${batchNorm}" requires layers that train, got unfreeze "head". Unfreeze more, such as "last", or use "freeze".`,
    );
  if (alone && autotune)
    throw new RootstockError(
      "BAD_CONFIG",
      'autotune requires layers that train, got unfreeze "head". Unfreeze more, such as "last", or leave it out.',
    );
  oneOf("optimizer", optimizer, Object.keys(OPTIMIZERS));
  checkLoss(loss, task);
  const stepsPerEpoch = Math.ceil(samples / wholeNumber("batchSize", batchSize, 1));
  const within = (updates: number, least: number, most: number): number =>
    Math.min(most, Math.max(least, Math.ceil(updates / stepsPerEpoch)));
  const epochs = options.epochs ?? (alone ? within(600, 20, 100) : within(300, 5, 30));
  const usual = numbers ? regressionRates(optimizer, width) : usualRates(optimizer, alone);
  const learningRate = options.learningRate ?? usual.learningRate;
  const weightDecay = options.weightDecay ?? usual.weightDecay;
  const { labelSmoothing = 0 } = options;
  const patience = options.patience ?? Math.max(10, Math.ceil(epochs / 5));
  if (labelSmoothing > 0 && loss !== "cross-entropy")
    throw new RootstockError(
      "BAD_CONFIG",
      `labelSmoothing requires the loss cross-entropy, got ${loss}. Leave one of them out.`,
    );
  return {
    unfreeze,
    keepHead,
    batchNorm,
    autotune,
    epochs: wholeNumber("epochs", epochs, 1),
    batchSize,
    learningRate: number("learningRate", learningRate, (x) => x > 0, "a number above 0"),
    optimizer,
    weightDecay: number("weightDecay", weightDecay, (x) => x >= 0, "a number from 0"),
    loss,
    labelSmoothing: number("labelSmoothing", labelSmoothing, (x) => x >= 0 && x < 1, "a number from 0 and below 1"),
    patience: wholeNumber("patience", patience, 1),
    seed: wholeNumber("seed", seed, 0),
  };
}

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

function checkResources(options: FineTuneOptions): void {
  for (const name of ["memoryLimit", "memoryBytes", "maxCacheBytes"] as const) {
    const bytes = options[name];
    if (bytes !== undefined) number(name, bytes, (x) => x >= 0, "a number of bytes from 0");
  }
  if (options.threads !== undefined) wholeNumber("threads", options.threads, 1);
}

function checkLoss(loss: LossName, task: Task): void {
  oneOf("loss", loss, Object.keys(LOSSES));
  if (LOSSES[loss]().tasks.includes(task)) return;
  throw new RootstockError(
    "BAD_CONFIG",
    `loss requires one for ${task} data, which is ${lossesFor(task).join(" or ")}, got "${loss}".`,
  );
}

function wholeNumber(name: string, value: number, least: number): number {
  return number(name, value, (x) => Number.isSafeInteger(x) && x >= least, `a whole number from ${least}`);
}

function number(name: string, value: number, fits: (x: number) => boolean, wanted: string): number {
  if (Number.isFinite(value) && fits(value)) return value;
  throw new RootstockError("BAD_CONFIG", `${name} requires ${wanted}, got ${value}.`);
}

function oneOf(name: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value))
    throw new RootstockError("BAD_CONFIG", `${name} requires one of ${choices.join(", ")}, got "${value}".`);
}
