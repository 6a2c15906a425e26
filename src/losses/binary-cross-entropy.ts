/** Binary cross-entropy: every class is a question of its own, answered yes or no. */
import { float32 } from "../tensor/tensor.ts";
import type { Loss } from "./loss.ts";

/**
 * Binary cross-entropy, its mean over the classes, from logits [n, numClasses] and targets [n, numClasses] in [0, 1], as PyTorch's
 * binary_cross_entropy_with_logits: softplus(x) - x t, which is stable for logits of any size.
 */
export function binaryCrossEntropy(): Loss {
  return {
    name: "binary-cross-entropy",
    activation: "sigmoid",
    options: {},
    target: (name, batch, numClasses) => ({ name, dtype: "float32", shape: [batch, numClasses] }),
    encode: (labels, numClasses) => {
      const targets = new Float32Array(labels.length * numClasses);
      for (let i = 0; i < labels.length; i++) targets[i * numClasses + labels[i]!] = 1;
      return float32([labels.length, numClasses], targets);
    },
    build: (b, logits, target) => {
      const each = b.sub(b.op("Softplus", [logits]), b.mul(logits, target)); // [n, numClasses]
      return b.reduceMean(each, { axes: [1], keepdims: false });
    },
  };
}
