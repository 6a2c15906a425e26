/** Operators whose results do not change with small changes of their inputs, and sources that have nothing to change. */
import { noGradient } from "../rule.ts";

/** Truth values. */
export const and = noGradient<"And">("A", "B");
export const equal = noGradient<"Equal">("A", "B");
export const greater = noGradient<"Greater">("A", "B");
export const greaterOrEqual = noGradient<"GreaterOrEqual">("A", "B");
export const isInf = noGradient<"IsInf">("X");
export const isNan = noGradient<"IsNaN">("X");
export const less = noGradient<"Less">("A", "B");
export const lessOrEqual = noGradient<"LessOrEqual">("A", "B");
export const not = noGradient<"Not">("X");
export const or = noGradient<"Or">("A", "B");
export const xor = noGradient<"Xor">("A", "B");

/** Whole numbers and places. */
export const argMax = noGradient<"ArgMax">("data");
export const argMin = noGradient<"ArgMin">("data");
export const bitShift = noGradient<"BitShift">("X", "Y");
export const bitwiseAnd = noGradient<"BitwiseAnd">("A", "B");
export const bitwiseNot = noGradient<"BitwiseNot">("X");
export const bitwiseOr = noGradient<"BitwiseOr">("A", "B");
export const bitwiseXor = noGradient<"BitwiseXor">("A", "B");
export const nonMaxSuppression = noGradient<"NonMaxSuppression">(
  "boxes",
  "scores",
  "max_output_boxes_per_class",
  "iou_threshold",
  "score_threshold",
);
export const nonZero = noGradient<"NonZero">("X");

/**
 * Steps. Their derivative is 0 wherever there is one, which adds nothing: a parameter that reaches the loss through
 * them alone is reported as not reaching it, where PyTorch returns zeros.
 */
export const ceil = noGradient<"Ceil">("X");
export const floor = noGradient<"Floor">("X");
export const hardmax = noGradient<"Hardmax">("input");
export const round = noGradient<"Round">("X");
export const sign = noGradient<"Sign">("input");

/** Values made from shapes, bounds and chance; OneHot's two values and Range's bounds are constants in practice. */
export const bernoulli = noGradient<"Bernoulli">("input");
export const constantOfShape = noGradient<"ConstantOfShape">("input");
export const eyeLike = noGradient<"EyeLike">("input");
export const oneHot = noGradient<"OneHot">("indices", "depth", "values");
export const randomNormalLike = noGradient<"RandomNormalLike">("input");
export const randomUniformLike = noGradient<"RandomUniformLike">("input");
export const range = noGradient<"Range">("start", "limit", "delta");
