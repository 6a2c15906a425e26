/** The linear head that a probe has found: its bias for every class, its loss on other rows, and its parameters. */
import type { Activation } from "../../losses/loss.ts";
import { HEAD, type Parameters } from "../../models/head.ts";
import { float32 } from "../../tensor/tensor.ts";
import type { FeatureMatrix } from "./feature-matrix.ts";
import type { ProbeObjective } from "./probe-objective.ts";
import type { ProbeTargets, ShownClasses } from "./probe-targets.ts";
import { ROW_LOSSES, shownLoss } from "./row-losses.ts";

/** A head on scaled features. */
export interface ProbeHead {
  /** The classes that have weights. */
  readonly shown: readonly number[];
  /** [shown.length, width]. */
  readonly weights: Float64Array;
  /** Of all classes. */
  readonly bias: readonly number[];
}

export interface HeadOptions extends ShownClasses {
  readonly activation: Activation;
  readonly shares: Float64Array;
}

/** The head at the objective's point, with a bias for classes that no training row shows. */
export function headOf(
  { point, outputs }: ProbeObjective,
  { shown, prior, activation, shares }: HeadOptions,
): ProbeHead {
  const split = point.length - shown.length;
  const fitted = new Map(shown.map((c, i) => [c, point[split + i]!]));
  const level = activation === "softmax" ? meanLogSumExp(outputs, shares) : 0;
  const bias = prior.map((p, c) => fitted.get(c) ?? level + logit(p, "sigmoid"));
  return { shown, weights: point.slice(0, split), bias };
}

/** What the logits of a row are like on average: the logarithm of the sum of their exponentials. */
function meanLogSumExp(outputs: Float64Array, shares: Float64Array): number {
  const k = outputs.length / shares.length;
  let mean = 0;
  for (const [row, share] of shares.entries()) {
    const z = outputs.subarray(row * k, (row + 1) * k);
    const top = k === 0 ? 0 : z.reduce((most, value) => Math.max(most, value));
    mean += share * (k === 0 ? 0 : top + Math.log(z.reduce((sum, value) => sum + Math.exp(value - top), 0)));
  }
  return mean;
}

/** The output at which a class has this probability on its own; for softmax, up to what all classes have in common. */
export function logit(probability: number, activation: Activation): number {
  if (activation === "identity") return probability;
  return activation === "softmax" ? Math.log(probability) : Math.log(probability / (1 - probability));
}

/** The mean loss of rows that were not fitted. */
export async function heldLoss(
  features: FeatureMatrix,
  { values, shares, numClasses }: ProbeTargets,
  { shown, weights, bias }: ProbeHead,
  activation: Activation,
): Promise<number> {
  const products = await features.times(weights);
  const z = new Float64Array(numClasses);
  const residual = new Float64Array(values.length);
  let mean = 0;
  for (const [row, share] of shares.entries()) {
    for (let c = 0; c < numClasses; c++) z[c] = bias[c]!;
    for (const [i, c] of shown.entries()) z[c]! += products[row * shown.length + i]!;
    mean += share * ROW_LOSSES[activation](z, values, residual, row * numClasses);
  }
  return mean * shownLoss(activation, numClasses);
}

/** The head on the features as they were given. */
export function parametersOf({ shown, weights, bias }: ProbeHead, scale: Float64Array): Parameters {
  const width = scale.length;
  const all = new Float32Array(bias.length * width);
  for (const [i, c] of shown.entries())
    for (let j = 0; j < width; j++) all[c * width + j] = weights[i * width + j]! * scale[j]!;
  return new Map([
    [HEAD.weight, float32([bias.length, width], all)],
    [HEAD.bias, float32([bias.length], bias)],
  ]);
}
