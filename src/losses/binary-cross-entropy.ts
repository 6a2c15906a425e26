/** Binary cross-entropy: every class is a question of its own, answered yes or no. */
import { float32 } from "../tensor/tensor.ts";
import type { Loss } from "./loss.ts";
import { countTargets, type Targets } from "./targets.ts";

/**
 * Binary cross-entropy, its mean over the classes, from logits [n, numClasses] and targets [n, numClasses] in [0, 1], as PyTorch's
 * binary_cross_entropy_with_logits: softplus(x) - x t, which is stable for logits of any size.
 */
export function binaryCrossEntropy(): Loss {
  return {
    name: "binary-cross-entropy",
    activation: "sigmoid",
    tasks: ["single-label", "multi-label"],
    options: {},
    target: (name, batch, numClasses) => ({ name, dtype: "float32", shape: [batch, numClasses] }),
    encode: (targets, numClasses) => float32([countTargets(targets), numClasses], indicators(targets, numClasses)),
    build: (b, logits, target) => {
      const each = b.sub(b.op("Softplus", [logits]), b.mul(logits, target)); // [n, numClasses]
      return b.reduceMean(each, { axes: [1], keepdims: false });
    },
  };
}

/** [n, numClasses]: multi-label targets as they are, and a single one in each row of class indices. */
function indicators({ task, values }: Targets, numClasses: number): Float32Array {
  if (task !== "single-label") return values;
  const rows = new Float32Array(values.length * numClasses);
  for (const [i, label] of values.entries()) rows[i * numClasses + label] = 1;
  return rows;
}
