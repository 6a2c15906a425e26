/** Softmax cross-entropy: for data whose every image belongs to exactly one class. */
import type { Loss } from "./loss.ts";
import { type SoftmaxLossOptions, softmaxLoss } from "./softmax-loss.ts";

export interface CrossEntropyOptions extends SoftmaxLossOptions {}

/**
 * Softmax cross-entropy from logits [n, numClasses] and class indices [n, 1] int64, or with `soft` probabilities
 * [n, numClasses] float32, as PyTorch's cross_entropy.
 * @throws RangeError if `labelSmoothing` is outside [0, 1), or a class weight is no number from 1e-6 to 1e6.
 */
export function crossEntropy(options: CrossEntropyOptions = {}): Loss {
  return softmaxLoss("cross-entropy", options, (_, logProbabilities) => logProbabilities);
}
