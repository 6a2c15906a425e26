/** The built-in objectives by name, for configuration files and the command line. Options that one has no use for are ignored. */
import { type BinaryCrossEntropyOptions, binaryCrossEntropy } from "./binary-cross-entropy.ts";
import { type CrossEntropyOptions, crossEntropy } from "./cross-entropy.ts";
import { type DistillationOptions, distillation } from "./distillation.ts";
import { type BinaryFocalOptions, binaryFocal, type FocalOptions, focal } from "./focal.ts";
import type { Loss } from "./loss.ts";
import { type HuberOptions, huber, meanAbsoluteError, meanSquaredError } from "./regression.ts";
import type { Targets } from "./targets.ts";

/** What the built-in objectives may be told. */
export interface LossOptions
  extends CrossEntropyOptions,
    BinaryCrossEntropyOptions,
    FocalOptions,
    BinaryFocalOptions,
    DistillationOptions,
    HuberOptions {}

export const LOSSES = {
  "cross-entropy": (options?: LossOptions) => crossEntropy(options),
  "binary-cross-entropy": (options?: LossOptions) => binaryCrossEntropy(options),
  focal: (options?: LossOptions) => focal(options),
  "binary-focal": (options?: LossOptions) => binaryFocal(options),
  distillation: (options?: LossOptions) => distillation(options),
  "mean-squared-error": (_options?: LossOptions) => meanSquaredError(),
  "mean-absolute-error": (_options?: LossOptions) => meanAbsoluteError(),
  huber: (options?: LossOptions) => huber(options),
} as const satisfies Record<string, (options?: LossOptions) => Loss>;

export type LossName = keyof typeof LOSSES;

/** The options that each objective has a use for. */
export const LOSS_OPTION_NAMES: Readonly<Record<LossName, readonly (keyof LossOptions)[]>> = {
  "cross-entropy": ["labelSmoothing", "classWeights", "soft"],
  "binary-cross-entropy": ["positiveWeights"],
  focal: ["gamma", "labelSmoothing", "classWeights", "soft"],
  "binary-focal": ["gamma", "alpha"],
  distillation: ["temperature"],
  "mean-squared-error": [],
  "mean-absolute-error": [],
  huber: ["delta"],
};

/** The objective of a task where none is named. */
export const DEFAULT_LOSSES = {
  "single-label": "cross-entropy",
  "multi-label": "binary-cross-entropy",
  regression: "mean-squared-error",
} as const satisfies Record<Targets["task"], LossName>;

/** The names of the objectives that fit a task, the default first. */
export function lossesFor(task: Targets["task"]): LossName[] {
  const names = Object.keys(LOSSES) as LossName[]; // the keys of a literal are all there are
  const usual = DEFAULT_LOSSES[task];
  return [usual, ...names.filter((name) => name !== usual && LOSSES[name]().tasks.includes(task))];
}
