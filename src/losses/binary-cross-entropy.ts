/** Binary cross-entropy: every class is a question of its own, answered yes or no. */
import type { GraphBuilder } from "../graph/builder.ts";
import type { Value } from "../graph/graph.ts";
import { float32 } from "../tensor/tensor.ts";
import { checkWeightCount, checkWeights } from "./class-weights.ts";
import type { Loss } from "./loss.ts";
import { softTargets } from "./soft-targets.ts";
import { countTargets, type Targets } from "./targets.ts";

export interface BinaryCrossEntropyOptions {
  /** How much an answer "yes" counts for each class, [numClasses], 1e-6 to 1e6, as PyTorch's `pos_weight`. 1 each by default. */
  readonly positiveWeights?: readonly number[] | undefined;
}

/**
 * Binary cross-entropy, its mean over the classes, from logits [n, numClasses] and targets [n, numClasses] in [0, 1], as PyTorch's
 * binary_cross_entropy_with_logits: softplus(x) - x t, which is stable for logits of any size.
 * @throws RangeError if a weight is no number from 1e-6 to 1e6.
 */
export function binaryCrossEntropy({ positiveWeights }: BinaryCrossEntropyOptions = {}): Loss {
  checkWeights("positiveWeights", positiveWeights);
  return {
    ...BINARY,
    name: "binary-cross-entropy",
    options: positiveWeights ? { positiveWeights } : {},
    target: (name, batch, numClasses) => {
      checkWeightCount("positiveWeights", positiveWeights, numClasses);
      return BINARY.target(name, batch, numClasses);
    },
    build: (b, logits, target) => {
      const each =
        positiveWeights === undefined
          ? b.sub(b.op("Softplus", [logits]), b.mul(logits, target)) // [n, numClasses]
          : binaryEntropy(b, logits, target, b.constant(float32([positiveWeights.length], positiveWeights)));
      return b.reduceMean(each, { axes: [1], keepdims: false });
    },
  };
}

/** What objectives of independent classes share: targets as numbers in [0, 1], and a sigmoid. */
export const BINARY = {
  activation: "sigmoid",
  tasks: ["single-label", "multi-label"],
  target: (name, batch, numClasses) => ({ name, dtype: "float32", shape: [batch, numClasses] }),
  encode: (targets, numClasses) => float32([countTargets(targets), numClasses], indicators(targets, numClasses)),
} as const satisfies Partial<Loss>;

/** Appends w t softplus(-x) + (1 - t) softplus(x) for each class: -log p for "yes" and -log(1 - p) for "no". */
export function binaryEntropy(b: GraphBuilder, logits: Value, target: Value, yesWeight?: Value): Value {
  const yes = b.op("Softplus", [b.neg(logits)]);
  const weighted = yesWeight === undefined ? yes : b.mul(yes, yesWeight);
  return b.add(b.mul(target, weighted), b.mul(b.sub(b.scalar(1), target), b.op("Softplus", [logits])));
}

/** [n, numClasses]: multi-label targets as they are, single-label ones as probabilities. */
function indicators(targets: Targets, numClasses: number): Float32Array {
  return targets.task === "single-label" ? softTargets(targets, numClasses).values : targets.values;
}
