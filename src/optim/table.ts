/** The optimizers that can be chosen by name, with a learning rate to start from. */
import { adam, adamw } from "./adam.ts";
import type { Optimizer } from "./optimizer.ts";
import { sgd } from "./sgd.ts";

/** A named optimizer. */
export interface OptimizerEntry {
  /** Makes the optimizer; every option has a default. */
  readonly create: () => Optimizer;
  /** Learning rate for a linear head on standardized features. */
  readonly learningRate: number;
  /** Weight decay of that head, in the optimizer's own convention: part of the gradient, or decoupled from it. */
  readonly weightDecay: number;
  /** Both for such a head of 1280 features that gives standardized numbers: the squared error is steeper. */
  readonly regression: { readonly learningRate: number; readonly weightDecay: number };
  /** Both for the layers of a pretrained backbone, which must not move far. */
  readonly backbone: { readonly learningRate: number; readonly weightDecay: number };
}

/** Every optimizer by its name in options, commands and run records. Each `create` takes its factory's options. */
export const OPTIMIZERS = {
  sgd: {
    create: sgd,
    learningRate: 1e-2,
    weightDecay: 1e-3,
    regression: { learningRate: 3e-4, weightDecay: 2 },
    backbone: { learningRate: 1e-3, weightDecay: 1e-4 },
  },
  adam: {
    create: adam,
    learningRate: 2e-3,
    weightDecay: 1e-3,
    regression: { learningRate: 5e-4, weightDecay: 1e-1 },
    backbone: { learningRate: 2e-4, weightDecay: 1e-4 },
  },
  adamw: {
    create: adamw,
    learningRate: 2e-3,
    weightDecay: 1,
    regression: { learningRate: 5e-4, weightDecay: 10 },
    backbone: { learningRate: 2e-4, weightDecay: 0.05 },
  },
} as const satisfies Record<string, OptimizerEntry>;

/** Name of an optimizer. */
export type OptimizerName = keyof typeof OPTIMIZERS;
