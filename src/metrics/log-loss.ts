/** The logarithmic loss of single outputs, in float64 and from logits, so that it neither overflows nor cancels. */
import type { ClassActivation } from "./probabilities.ts";

/** The loss of one row of logits with one true class, in float64: softmax by log-sum-exp, sigmoid against one-hot targets. */
export const ROW_LOSSES: Readonly<Record<ClassActivation, (row: Float32Array, label: number) => number>> = {
  softmax: (row, label) => {
    let max = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < row.length; j++) max = Math.max(max, row[j]!);
    let sum = 0;
    for (let j = 0; j < row.length; j++) sum += Math.exp(row[j]! - max);
    return max - row[label]! + Math.log(sum);
  },
  sigmoid: (row, label) => {
    let total = 0;
    for (let j = 0; j < row.length; j++) total += binaryLoss(row[j]!, j === label ? 1 : 0);
    return total / row.length;
  },
};

/** The binary cross-entropy of one logit. */
export function binaryLoss(logit: number, target: number): number {
  return Math.max(logit, 0) - logit * target + Math.log1p(Math.exp(-Math.abs(logit)));
}
