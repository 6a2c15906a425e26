/** The built-in objectives by name, for configuration files and the command line. Options that one has no use for are ignored. */
import { binaryCrossEntropy } from "./binary-cross-entropy.ts";
import { type CrossEntropyOptions, crossEntropy } from "./cross-entropy.ts";
import type { Loss } from "./loss.ts";
import { type HuberOptions, huber, meanAbsoluteError, meanSquaredError } from "./regression.ts";
import type { Targets } from "./targets.ts";

/** What the built-in objectives may be told. */
export interface LossOptions extends CrossEntropyOptions, HuberOptions {}

export const LOSSES = {
  "cross-entropy": (options?: LossOptions) => crossEntropy(options),
  "binary-cross-entropy": (_options?: LossOptions) => binaryCrossEntropy(),
  "mean-squared-error": (_options?: LossOptions) => meanSquaredError(),
  "mean-absolute-error": (_options?: LossOptions) => meanAbsoluteError(),
  huber: (options?: LossOptions) => huber(options),
} as const satisfies Record<string, (options?: LossOptions) => Loss>;

export type LossName = keyof typeof LOSSES;

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
