/** What a training objective is: a graph from logits and targets to one number per sample, and how its logits are read. */
import type { GraphBuilder } from "../graph/builder.ts";
import type { Value, ValueInfo } from "../graph/graph.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Targets } from "./targets.ts";

/**
 * How logits become what a model says: one distribution over the classes, one independent probability per class, or the
 * values themselves.
 */
export type Activation = "softmax" | "sigmoid" | "identity";

/** A training objective. */
export interface Loss {
  readonly name: string;
  readonly activation: Activation;
  /** What it can be used for: the tasks whose targets it reads. */
  readonly tasks: readonly Targets["task"][];
  /** JSON-safe copy of the options, for the run record. */
  readonly options: Readonly<Record<string, number | boolean | readonly number[]>>;
  /**
   * How much a row of each class counts in the mean over a batch, [numClasses]; all the same where it is absent. Training
   * gives the rows these weights once, by `weightTargets`.
   */
  readonly rowWeights?: readonly number[] | undefined;
  /**
   * Type and shape of the targets that `build` reads, with a symbolic batch dimension.
   * @throws RangeError if an option has not one number for each class.
   */
  target(name: Value, batch: string, numClasses: number): ValueInfo;
  /** The targets of a batch as `build` reads them. @param targets of one of `tasks`. */
  encode(targets: Targets, numClasses: number): Tensor;
  /**
   * Appends the objective of each sample; a batch's loss is their weighted mean, which the training step takes.
   * @param logits [n, numClasses] float32. @returns [n] float32.
   */
  build(b: GraphBuilder, logits: Value, target: Value): Value;
}
