/** The optimizers that can be chosen by name, with a learning rate to start from. */
import { type AdagradOptions, adagrad } from "./adagrad.ts";
import { type AdamOptions, type AdamwOptions, adam, adamw } from "./adam.ts";
import { type LionOptions, lion } from "./lion.ts";
import type { Optimizer } from "./optimizer.ts";
import { type RmspropOptions, rmsprop } from "./rmsprop.ts";
import { type SgdOptions, sgd } from "./sgd.ts";

/** The options of all optimizers; each takes those that its entry names and leaves the others unread. */
export type OptimizerOptions = SgdOptions & AdamOptions & AdamwOptions & RmspropOptions & AdagradOptions & LionOptions;

/** A named optimizer. */
export interface OptimizerEntry {
  /** Makes the optimizer; every option has a default. */
  readonly create: (options?: OptimizerOptions) => Optimizer;
  /** Names of the options that `create` takes. */
  readonly optionNames: readonly (keyof OptimizerOptions)[];
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
    optionNames: ["momentum", "nesterov", "weightDecay"],
    learningRate: 1e-2,
    weightDecay: 1e-3,
    regression: { learningRate: 3e-4, weightDecay: 2 },
    backbone: { learningRate: 1e-3, weightDecay: 1e-4 },
  },
  adam: {
    create: adam,
    optionNames: ["betas", "epsilon", "weightDecay"],
    learningRate: 2e-3,
    weightDecay: 1e-3,
    regression: { learningRate: 5e-4, weightDecay: 1e-1 },
    backbone: { learningRate: 2e-4, weightDecay: 1e-4 },
  },
  adamw: {
    create: adamw,
    optionNames: ["betas", "epsilon", "weightDecay"],
    learningRate: 2e-3,
    weightDecay: 1,
    regression: { learningRate: 5e-4, weightDecay: 10 },
    backbone: { learningRate: 2e-4, weightDecay: 0.05 },
  },
  // As adam, but half as fast: the first steps are ten times as long, and there is no momentum to smooth them.
  rmsprop: {
    create: rmsprop,
    optionNames: ["smoothing", "epsilon", "weightDecay", "momentum", "centered"],
    learningRate: 1e-3,
    weightDecay: 1e-3,
    regression: { learningRate: 2.5e-4, weightDecay: 1e-1 },
    backbone: { learningRate: 1e-4, weightDecay: 1e-4 },
  },
  // Ten times adam's: steps shrink with the root of their count, to a tenth of the rate on average over 400.
  adagrad: {
    create: adagrad,
    optionNames: ["learningRateDecay", "initialAccumulator", "epsilon", "weightDecay"],
    learningRate: 2e-2,
    weightDecay: 1e-3,
    regression: { learningRate: 5e-3, weightDecay: 1e-1 },
    backbone: { learningRate: 2e-3, weightDecay: 1e-4 },
  },
  // A fifth of adamw's rate and five times its decay, in the middle of what its paper says.
  lion: {
    create: lion,
    optionNames: ["betas", "weightDecay"],
    learningRate: 4e-4,
    weightDecay: 5,
    regression: { learningRate: 1e-4, weightDecay: 50 },
    backbone: { learningRate: 4e-5, weightDecay: 0.25 },
  },
} as const satisfies Record<string, OptimizerEntry>;

/** Name of an optimizer. */
export type OptimizerName = keyof typeof OPTIMIZERS;
