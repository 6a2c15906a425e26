/** The options of a distillation, and the recipe that they become. */
import type { Dataset } from "../../data/sample.ts";
import type { Value } from "../../graph/graph.ts";
import { type ChosenAugmentation, chooseAugmentation } from "../../transforms/presets.ts";
import type { TransformSpec } from "../../transforms/transform.ts";
import type { FineTuneOptions } from "../options.ts";
import { type Recipe, recipe } from "../recipe.ts";
import { wholeNumber } from "../recipe-checks.ts";
import type { Match } from "./teacher.ts";

/** What distillation has in common with fine-tuning, by the same names. */
type Shared = Pick<
  FineTuneOptions,
  | "cut"
  | "epochs"
  | "batchSize"
  | "learningRate"
  | "schedule"
  | "warmup"
  | "optimizer"
  | "weightDecay"
  | "clipNorm"
  | "averageDecay"
  | "augmentation"
  | "seed"
  | "cache"
  | "cacheFolder"
  | "maxCacheBytes"
  | "memoryLimit"
  | "threads"
  | "provider"
  | "out"
  | "resume"
  | "checkpointSeconds"
  | "keepCheckpoints"
  | "about"
  | "tensorBoard"
  | "callbacks"
  | "signal"
  | "onProgress"
>;

export interface DistillOptions extends Shared {
  /** Value of the teacher's graph to take as features. @default the input of its last linear layer */
  readonly cut?: Value | undefined;
  /** What the student learns to give: the teacher's features, or the probabilities of its classes. @default "features" */
  readonly match?: Match | undefined;
  /** What logits are divided by where they are matched, from 0.05 to 100. @default 2 */
  readonly temperature?: number | undefined;
  /**
   * Random views of each image that the teacher is asked about, once, beside the clean one; the student sees the same
   * views, one of them in each epoch. @default 16
   */
  readonly views?: number | undefined;
  /** Labelled images on which a linear probe of the student's features is measured while it trains. None by default. */
  readonly probe?: Dataset | undefined;
  /** Epochs between two probes. @default a tenth of the epochs */
  readonly probeEvery?: number | undefined;
  /** Passes over the images. @default 100 */
  readonly epochs?: number | undefined;
  /** Images per update. @default 32 */
  readonly batchSize?: number | undefined;
  /** Peak learning rate. @default 0.002 */
  readonly learningRate?: number | undefined;
  /** Decay of weights; 0.02 by default, or that of the optimizer's own options. */
  readonly weightDecay?: number | undefined;
  /** Share of the updates in which the learning rate rises to its peak first, in [0, 1); 0.05 by default, none with "one-cycle". */
  readonly warmup?: number | undefined;
  /** Decay of a running average of the weights, which is what is measured and kept; 0 for none. @default 0.999 */
  readonly averageDecay?: number | undefined;
  /** How images vary: a level, or a list of transforms. @default crops from 15 % of the area, mirroring, color jitter */
  readonly augmentation?: FineTuneOptions["augmentation"];
}

/**
 * Teacher and student see the same view, so that a view may be a small part of the image: what the teacher says of it is
 * right for it (Beyer et al. 2022, arXiv:2106.05237).
 */
const VIEWS: readonly TransformSpec[] = [
  { name: "random-resized-crop", scale: [0.15, 1] },
  { name: "horizontal-flip", probability: 0.5 },
  { name: "color-jitter", brightness: 0.3, contrast: 0.3, saturation: 0.3, hue: 0.05 },
];

/** What decides the result of a distillation, filled in and checked; JSON-safe. */
export interface DistillRecipe extends Recipe {
  readonly match: Match;
  readonly views: number;
  readonly probeEvery: number;
}

/** @throws RootstockError BAD_CONFIG naming the option, the values it takes and the one it got. */
export function distillRecipe(options: DistillOptions, images: number): DistillRecipe {
  const { match = "features", temperature = 2, views = 16, epochs = 100, batchSize = 32 } = options;
  const { learningRate = 0.002, averageDecay = 0.999, schedule, optimizer, clipNorm, seed } = options;
  const { probeEvery = Math.max(1, Math.ceil(epochs / 10)) } = options;
  // What a part has of its own is not given twice.
  const rises = (typeof schedule === "object" ? schedule.name : schedule) === "one-cycle";
  const decays = typeof optimizer === "object" && "weightDecay" in optimizer;
  const warmup = options.warmup ?? (rises ? undefined : 0.05);
  const weightDecay = options.weightDecay ?? (decays ? undefined : 0.02);
  const filled = recipe(
    {
      ...{ strategy: "full", batchNorm: "train", keepHead: false, soup: 1, patience: Math.max(1, epochs) },
      ...{ epochs, batchSize, learningRate, schedule, warmup, optimizer, weightDecay, clipNorm, averageDecay, seed },
      loss: match === "logits" ? { name: "distillation", temperature } : "mean-squared-error",
    },
    images,
    { task: match === "logits" ? "single-label" : "regression" },
  );
  return {
    ...filled,
    match,
    views: wholeNumber("views", views, 1),
    probeEvery: wholeNumber("probeEvery", probeEvery, 1),
  };
}

/** How the views of a distillation vary. @throws RootstockError BAD_CONFIG for transforms that cannot be. */
export function distillAugmentation({ augmentation = VIEWS }: DistillOptions, images: number): ChosenAugmentation {
  return chooseAugmentation(augmentation, { samples: images, classes: [], task: "single-label" });
}
