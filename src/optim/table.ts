/** The optimizers that can be chosen by name, with a learning rate to start from. */
import { adam, adamw } from "./adam.ts";
import type { Optimizer } from "./optimizer.ts";
import { sgd } from "./sgd.ts";

/** A named optimizer. */
export interface OptimizerEntry {
  /** Makes the optimizer; every option has a default. */
  readonly create: () => Optimizer;
  /** Learning rate for a linear head on standardized features. Layers of a pretrained backbone want a tenth of it. */
  readonly learningRate: number;
  /** Weight decay of that head, in the optimizer's own convention: part of the gradient, or decoupled from it. */
  readonly weightDecay: number;
}

/** Every optimizer by its name in options, commands and run records. Each `create` takes its factory's options. */
export const OPTIMIZERS = {
  sgd: { create: sgd, learningRate: 1e-2, weightDecay: 1e-3 },
  adam: { create: adam, learningRate: 2e-3, weightDecay: 1e-3 },
  adamw: { create: adamw, learningRate: 2e-3, weightDecay: 1 },
} as const satisfies Record<string, OptimizerEntry>;

/** Name of an optimizer. */
export type OptimizerName = keyof typeof OPTIMIZERS;
