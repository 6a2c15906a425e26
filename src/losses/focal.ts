/** Focal loss: what the model is sure of and right about counts little, so that many easy samples do not drown few hard ones. */
import type { GraphBuilder } from "../graph/builder.ts";
import type { Value } from "../graph/graph.ts";
import { BINARY, binaryEntropy } from "./binary-cross-entropy.ts";
import type { Loss } from "./loss.ts";
import { type SoftmaxLossOptions, softmaxLoss } from "./softmax-loss.ts";

export interface FocalOptions extends SoftmaxLossOptions {
  /** How strongly sure answers are left out, from 0 (not at all) to 100. @default 2 */
  readonly gamma?: number | undefined;
}

/**
 * Returns the softmax form, -(1 - p)^gamma log p of the target's class, as cross-entropy and with its options: the paper's
 * alpha is a weight for each class, `classWeights` (Lin et al. 2017, arXiv:1708.02002).
 * @throws RangeError if `gamma` is outside [0, 100], and as `crossEntropy`.
 */
export function focal({ gamma = 2, ...options }: FocalOptions = {}): Loss {
  checkGamma(gamma);
  const score = (b: GraphBuilder, logProbabilities: Value): Value =>
    gamma === 0
      ? logProbabilities
      : b.mul(power(b, b.sub(b.scalar(1), b.exp(logProbabilities)), gamma), logProbabilities);
  return softmaxLoss("focal", options, score, { gamma });
}

export interface BinaryFocalOptions {
  /** How strongly sure answers are left out, from 0 (not at all) to 100. @default 2 */
  readonly gamma?: number | undefined;
  /** How much an answer "yes" counts, in [0, 1]; "no" counts 1 - alpha. -1 counts both fully. @default 0.25 */
  readonly alpha?: number | undefined;
}

/**
 * Returns the sigmoid form, its mean over the classes, as torchvision's sigmoid_focal_loss: a (1 - p)^gamma times binary
 * cross-entropy with p the probability of the right answer and a = alpha for "yes", 1 - alpha for "no".
 * @throws RangeError if `gamma` is outside [0, 100], or `alpha` outside [0, 1] and not -1.
 */
export function binaryFocal({ gamma = 2, alpha = 0.25 }: BinaryFocalOptions = {}): Loss {
  checkGamma(gamma);
  if (!((alpha >= 0 && alpha <= 1) || alpha === -1)) {
    throw new RangeError(`alpha requires a number in [0, 1], or -1 for none, got ${alpha}.`);
  }
  return {
    ...BINARY,
    name: "binary-focal",
    options: { gamma, alpha },
    build: (b, logits, target) => {
      let each = binaryEntropy(b, logits, target);
      if (gamma > 0) each = b.mul(power(b, wrongness(b, logits, target), gamma), each);
      if (alpha >= 0) each = b.mul(b.add(b.mul(target, b.scalar(2 * alpha - 1)), b.scalar(1 - alpha)), each);
      return b.reduceMean(each, { axes: [1], keepdims: false });
    },
  };
}

/** p (1 - t) + (1 - p) t, the probability of the wrong answer, without the difference of two numbers near 1. */
function wrongness(b: GraphBuilder, logits: Value, target: Value): Value {
  const no = b.mul(b.sigmoid(logits), b.sub(b.scalar(1), target));
  return b.add(no, b.mul(b.sigmoid(b.neg(logits)), target));
}

/** x^gamma for x in [0, 1]. At 0 the slope of a power below 1 is infinite: x is kept above it, where the gradient is 0. */
function power(b: GraphBuilder, x: Value, gamma: number): Value {
  return b.op("Pow", [b.op("Clip", [x, b.scalar(1e-30)]), b.scalar(gamma)]);
}

function checkGamma(gamma: number): void {
  if (!(gamma >= 0 && gamma <= 100)) throw new RangeError(`gamma requires a number in [0, 100], got ${gamma}.`);
}
