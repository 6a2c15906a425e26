/** What a training objective is: a graph from logits and targets to one number per sample, and how its logits become probabilities. */
import type { GraphBuilder } from "../graph/builder.ts";
import type { Value, ValueInfo } from "../graph/graph.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** How logits become probabilities: one distribution over the classes, or one independent probability per class. */
export type Activation = "softmax" | "sigmoid";

/** A training objective. */
export interface Loss {
  readonly name: string;
  readonly activation: Activation;
  /** JSON-safe copy of the options, for the run record. */
  readonly options: Readonly<Record<string, number>>;
  /** Type and shape of the targets that `build` reads, with a symbolic batch dimension. */
  target(name: Value, batch: string, numClasses: number): ValueInfo;
  /** Targets of a batch from its class indices. */
  encode(labels: ArrayLike<number>, numClasses: number): Tensor;
  /**
   * Appends the objective of each sample; a batch's loss is their weighted mean, which the training step takes.
   * @param logits [n, numClasses] float32. @returns [n] float32.
   */
  build(b: GraphBuilder, logits: Value, target: Value): Value;
}
