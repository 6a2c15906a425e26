/** The options of a fine-tuning run. */
import type { Value } from "../graph/graph.ts";
import type { Json } from "../json.ts";
import type { LossName, LossOptions } from "../losses/table.ts";
import { BATCH_NORM_POLICIES } from "../models/batch-norm.ts";
import type { ScheduleName, ScheduleSettings } from "../optim/schedule.ts";
import type { OptimizerName, OptimizerOptions } from "../optim/table.ts";
import type { Provider } from "../runtime/providers.ts";
import type { AskedAugmentation } from "../transforms/presets.ts";
import type { Callback, EpochReport, Monitor } from "./callback.ts";
import type { ReduceOnPlateauOptions } from "./callbacks/reduce-on-plateau.ts";
import type { Strategy } from "./strategy.ts";

/** What `batchNorm` may be. */
export const BATCH_NORM_CHOICES = [...BATCH_NORM_POLICIES, "adapt"] as const;
export type BatchNormChoice = (typeof BATCH_NORM_CHOICES)[number];

/** A choice by its name, with or without options of its own. */
export type Named<Name extends string, Options extends object> = Name | ({ readonly name: Name } & Options);

/** Weights of classes in the loss: by their numbers of images, or given. */
export type ClassWeights = "none" | "balanced" | "effective" | readonly number[];

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
   * How the network is trained. @default "head", unless `unfreeze` says otherwise
   * - probe: logistic regression on the frozen features, solved to its end; no training.
   * - head: from the probe on, the same model by gradient descent, with views of augmented images.
   * - last, last:N: from the probe on, the last N stages and the head train.
   * - gradual: the last stage, then the last two, then everything, each from where the one before has ended.
   * - full: from the probe on, everything trains.
   * - auto: full where there are 20 images per class or more, else last; the probe is kept where that is not better.
   */
  readonly strategy?: Strategy | undefined;
  /**
   * What of the pretrained network trains with the head, where `strategy` does not say it: "head" (nothing), "last" (its
   * last stage), "last:N" (the last N stages), "all", or a pattern of parameter names such as "layer4.*". The head
   * alone by default.
   */
  readonly unfreeze?: string | undefined;
  /**
   * Whether the start counts as epoch 0: the probe is then kept where no epoch has a smaller validation loss. Without it, a
   * head alone starts afresh. @default true
   */
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
  /**
   * Images that the unfrozen network takes at once; gradients of the parts of a batch add up, so the result is that of the
   * whole batch but for rounding and for statistics of batches. @default as many as `memoryLimit` allows
   */
  readonly microBatch?: number | undefined;
  /** Peak learning rate; with a search, what is used where that suggests none. @default the optimizer's, for standardized features */
  readonly learningRate?: number | undefined;
  /**
   * Whether to look for the peak learning rate with some steps first (Smith 2015), and to say what was seen: where the
   * search suggests a rate, it takes the place of `learningRate`. @default false
   */
  readonly findLearningRate?: boolean | undefined;
  /**
   * How the learning rate goes on from its peak: a name, or a name with the schedule's own options. "plateau" is constant
   * until the validation loss no longer falls. @default "cosine"
   */
  readonly schedule?: Named<ScheduleName | "plateau", ScheduleSettings & Partial<ReduceOnPlateauOptions>> | undefined;
  /**
   * Share of the updates in which the learning rate rises to its peak first, in [0, 1). Not with one-cycle, which rises by
   * itself. @default 0.1, of a fresh head at most 20 updates
   */
  readonly warmup?: number | undefined;
  /**
   * How gradients become updates: a name, or a name with the optimizer's own options. @default adamw; for the head of a
   * regression sgd, which takes the directions in which features vary most first and so is stopped where ridge regression
   * would be
   */
  readonly optimizer?: Named<OptimizerName, OptimizerOptions> | undefined;
  /** Decay of weights, in the optimizer's convention, here or as its own option; biases and normalizations have none. @default the optimizer's, for standardized features */
  readonly weightDecay?: number | undefined;
  /** Learning rate of the head as a multiple of the last stage's, where stages train. @default 1 */
  readonly headRate?: number | undefined;
  /** Learning rate of a stage as a multiple of the next stage's, above 0 up to 1. @default 1 */
  readonly layerDecay?: number | undefined;
  /** Largest norm of the gradients of an update; larger ones are scaled down; 0 for no limit. @default 0 */
  readonly clipNorm?: number | undefined;
  /** Strength of a pull of the backbone towards its pretrained weights, instead of their decay (L2-SP). @default 0 */
  readonly startPenalty?: number | undefined;
  /** Decay of a running average of the weights, in [0, 1), which then is measured and kept; 0
   * for none. @default 0 */
  readonly averageDecay?: number | undefined;
  /**
   * Best epochs of which an average is tried in the end, and kept where it is better on validation; 1 for none.
   * @default the best 3 where the network trains, 1 for a head alone
   */
  readonly soup?: number | undefined;
  /**
   * What is made small: a name, or a name with the objective's own options. @default cross-entropy for classes that
   * exclude each other, binary-cross-entropy for multi-label data, mean-squared-error for a regression
   */
  readonly loss?: Named<LossName, LossOptions> | undefined;
  /**
   * Share of each target that is spread over all classes, in [0, 1), with cross-entropy. Validation is measured without.
   * @default 0
   */
  readonly labelSmoothing?: number | undefined;
  /**
   * How much the classes count in training: "balanced" as much in all, "effective" by their effective numbers of images
   * (Cui et al. 2019), or numbers. Not for a regression. @default "none"
   */
  readonly classWeights?: ClassWeights | undefined;
  /** Alpha of mixup, up to 1e6: images or features of a batch are blended in pairs; 0 for none. @default 0 */
  readonly mixup?: number | undefined;
  /** Alpha of CutMix, up to 1e6, where training starts at the image; with mixup one of the two for each batch; 0 for none. @default 0 */
  readonly cutMix?: number | undefined;
  /**
   * The validation measure that decides which epoch is best, and when training ends: one of those after every epoch, loss,
   * accuracy, balancedAccuracy and macroF1 of classes. @default the smallest loss
   */
  readonly monitor?: Monitor | undefined;
  /** Epochs without a better monitored measure after which training ends. @default a fifth of the epochs, at least 10 */
  readonly patience?: number | undefined;
  /** Smallest change that counts as better for `patience`. @default 0 */
  readonly minDelta?: number | undefined;
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
  /** Whether to go on with the run that was interrupted in `out`, from its last checkpoint. @default false */
  readonly resume?: boolean | undefined;
  /** Seconds after which the next step or epoch is followed by a checkpoint. @default 30 */
  readonly checkpointSeconds?: number | undefined;
  /** Checkpoints that are kept. @default 2 */
  readonly keepCheckpoints?: number | undefined;
  /** What to keep in the run's config besides: what a program needs to start the run again. */
  readonly about?: Json | undefined;
  /** Whether to write event files for TensorBoard into the run's folder. @default false */
  readonly tensorBoard?: boolean | undefined;
  /** Listeners of all phases that train; they are checked before anything is computed. @default [] */
  readonly callbacks?: readonly Callback[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}
