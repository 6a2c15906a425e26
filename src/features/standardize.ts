/**
 * Brings features to zero mean and unit variance for training, and moves that change into the head afterwards.
 * A linear head on standardized features is far better conditioned; the exported model needs no extra operator.
 */
import type { Parameters } from "../models/head.ts";
import { HEAD } from "../models/head.ts";
import { tensor } from "../tensor/tensor.ts";

/** Mean and deviation of each feature, [width] each. */
export interface Standardization {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
}

/** Spread of a feature, as part of the root mean square of all, up to which it is rounding of float32 sums. */
const ROUNDING = 1e-6;

/** Measures each column of a [n, width] matrix. A feature that is constant but for rounding gets the deviation 1. */
export function measure(features: Float32Array, width: number): Standardization {
  const mean = new Float64Array(width);
  forEachRow(features, width, (row) => {
    for (let j = 0; j < width; j++) mean[j]! += row[j]!;
  });
  const count = features.length / width;
  for (let j = 0; j < width; j++) mean[j]! /= count;
  const variance = new Float64Array(width);
  forEachRow(features, width, (row) => {
    for (let j = 0; j < width; j++) variance[j]! += (row[j]! - mean[j]!) ** 2 / count;
  });
  // A feature that is constant but for rounding would turn noise on new images into large inputs. Divided by 1 it is
  // zero for every training image, so its weight never moves. Where sums cancel, the mean is noise too: such a feature
  // shows beside the others, which were computed from values of the same size.
  const square = mean.reduce((sum, value, j) => sum + value ** 2 + variance[j]!, 0) / width;
  const least = ROUNDING ** 2 * square;
  const deviation = Float32Array.from(variance, (value, j) =>
    value > 1e-8 * mean[j]! ** 2 && value > least ? Math.sqrt(value) : 1,
  );
  return { mean: Float32Array.from(mean), deviation };
}

/** The features [n, width] minus the mean, divided by the deviation, as a new array. */
export function standardize(features: Float32Array, { mean, deviation }: Standardization): Float32Array {
  const width = mean.length;
  const out = features.slice();
  forEachRow(out, width, (row) => {
    for (let j = 0; j < width; j++) row[j] = (row[j]! - mean[j]!) / deviation[j]!;
  });
  return out;
}

function forEachRow(matrix: Float32Array, width: number, visit: (row: Float32Array) => void): void {
  for (let start = 0; start < matrix.length; start += width) visit(matrix.subarray(start, start + width));
}

/** The head that gives on raw features what `parameters` give on standardized ones: w / s, and b - sum(w m / s). */
export function foldIntoHead(parameters: Parameters, { mean, deviation }: Standardization): Parameters {
  const width = mean.length;
  const weight = parameters.get(HEAD.weight)!.data.map((value, i) => value / deviation[i % width]!);
  const bias = parameters.get(HEAD.bias)!.data.map((value, row) => {
    let shift = 0;
    for (let column = 0; column < width; column++) shift += weight[row * width + column]! * mean[column]!;
    return value - shift;
  });
  return new Map([
    [HEAD.weight, tensor("float32", [bias.length, width], weight)],
    [HEAD.bias, tensor("float32", [bias.length], bias)],
  ]);
}
