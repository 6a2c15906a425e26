/**
 * Brings the targets of a regression to zero mean and unit variance for training, and moves that change into the head
 * afterwards: learning rates then fit targets of any unit, and no target outweighs another.
 */
import { countTargets, type Targets } from "../losses/targets.ts";
import { HEAD, type Parameters } from "../models/head.ts";
import { tensor } from "../tensor/tensor.ts";

/** Mean and deviation of each target over the training images, [k] each. */
export interface TargetScale {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Measures regression targets. One that never varies gets the deviation 1. @returns undefined for classes. */
export function measureTargets(targets: Targets): TargetScale | undefined {
  const { task, values, width } = targets;
  if (task !== "regression") return undefined;
  const count = countTargets(targets);
  const columns = Array.from({ length: width }, (_, j) =>
    Float64Array.from({ length: count }, (__, i) => values[i * width + j]!),
  );
  const mean = columns.map((column) => column.reduce((sum, value) => sum + value, 0) / count);
  const deviation = columns.map((column, j) => {
    if (column.every((value) => value === column[0])) return 1;
    return Math.sqrt(column.reduce((sum, value) => sum + (value - mean[j]!) ** 2, 0) / count);
  });
  return { mean, deviation };
}

/** The targets minus the mean, divided by the deviation; as they are without a scale. */
export function scaleTargets(targets: Targets, scale: TargetScale | undefined): Targets {
  if (!scale) return targets;
  const { mean, deviation } = scale;
  const { values, width } = targets;
  return { ...targets, values: values.map((value, i) => (value - mean[i % width]!) / deviation[i % width]!) };
}

/** Outputs for scaled targets as values in the targets' own unit, as a new array; as they are without a scale. */
export function unscaleOutputs(outputs: Float32Array, scale: TargetScale | undefined): Float32Array {
  if (!scale) return outputs;
  const { mean, deviation } = scale;
  const width = mean.length;
  return outputs.map((value, i) => value * deviation[i % width]! + mean[i % width]!);
}

/** The head that gives values where `parameters` gives scaled ones: s w and s b + m; as it is without a scale. */
export function unscaleHead(parameters: Parameters, scale: TargetScale | undefined): Parameters {
  if (!scale) return parameters;
  const { mean, deviation } = scale;
  const weight = parameters.get(HEAD.weight)!;
  const bias = parameters.get(HEAD.bias)!;
  const [, width] = weight.shape as readonly [number, number]; // a linear head's weight is [k, width]
  return new Map([
    [
      HEAD.weight,
      tensor(
        "float32",
        weight.shape,
        weight.data.map((w, i) => w * deviation[Math.floor(i / width)]!),
      ),
    ],
    [
      HEAD.bias,
      tensor(
        "float32",
        bias.shape,
        bias.data.map((b, k) => b * deviation[k]! + mean[k]!),
      ),
    ],
  ]);
}
