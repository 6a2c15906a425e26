/** Softmax cross-entropy: for data whose every image belongs to exactly one class. */
import { int } from "../graph/attributes.ts";
import { int64 } from "../tensor/tensor.ts";
import type { Loss } from "./loss.ts";

export interface CrossEntropyOptions {
  /** Share of each target that is spread evenly over all classes, in [0, 1) (Szegedy et al. 2016, arXiv:1512.00567). @default 0 */
  readonly labelSmoothing?: number | undefined;
}

/**
 * Softmax cross-entropy from logits [n, numClasses] and class indices [n, 1] int64, as PyTorch's cross_entropy.
 * @throws RangeError if `labelSmoothing` is outside [0, 1).
 */
export function crossEntropy({ labelSmoothing = 0 }: CrossEntropyOptions = {}): Loss {
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new RangeError(`labelSmoothing requires a number in [0, 1), got ${labelSmoothing}.`);
  }
  return {
    name: "cross-entropy",
    activation: "softmax",
    tasks: ["single-label"],
    options: { labelSmoothing },
    target: (name, batch) => ({ name, dtype: "int64", shape: [batch, 1] }),
    encode: ({ values }) => int64(Array.from(values), [values.length, 1]),
    build: (b, logits, target) => {
      const logProbabilities = b.op("LogSoftmax", [logits], { axis: int(1) });
      const picked = b.op("GatherElements", [logProbabilities, target], { axis: int(1) }); // [n, 1]
      const likelihood = b.op("Squeeze", [picked, b.ints([1])]);
      if (labelSmoothing === 0) return b.neg(likelihood);
      const uniform = b.reduceMean(logProbabilities, { axes: [1], keepdims: false });
      const own = b.mul(likelihood, b.scalar(1 - labelSmoothing));
      return b.neg(b.add(own, b.mul(uniform, b.scalar(labelSmoothing))));
    },
  };
}
