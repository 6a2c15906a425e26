/** How much easier a probe may use some features than others, and how large they are then. */
import { RootstockError } from "../../errors.ts";

/**
 * Most that a scale may be, and one part of the least: features in units of their own stay usable, whatever those are.
 */
const MOST = 4;

/**
 * A factor for each standardized feature, [width]: the square root of its deviation before, as a multiple of the median,
 * from 1/4 to 4; then all by one factor, so that the mean square of the scaled features is 1. All alike without
 * deviations. Features that hardly vary in training are most often noise, and large where new images are different: a
 * penalty on the weights of features in their full size has them at a discount, one on standardized features does not.
 * @param features [n, width] standardized. @param deviation [width]; features that are 0 in every row do not count.
 * @throws RootstockError SHAPE_MISMATCH, or BAD_CONFIG for a deviation that is no number above 0.
 */
export function columnScale(
  features: Float32Array,
  width: number,
  deviation: Float32Array | undefined,
): Float64Array<ArrayBuffer> {
  const scale = new Float64Array(width).fill(1);
  if (!deviation) return scale;
  if (deviation.length !== width) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `features of width ${width} require as many deviations, got ${deviation.length}.`,
    );
  }
  const wrong = deviation.find((value) => !(value > 0 && Number.isFinite(value)));
  if (wrong !== undefined)
    throw new RootstockError("BAD_CONFIG", `deviations require finite numbers above 0, got ${wrong}.`);
  const square = new Float64Array(width);
  for (let i = 0; i < features.length; i++) square[i % width]! += features[i]! ** 2;
  const varying = deviation.filter((_, j) => square[j]! > 0).toSorted();
  if (varying.length === 0) return scale;
  const median = varying[varying.length >> 1]!;
  for (let j = 0; j < width; j++) scale[j] = Math.min(MOST, Math.max(1 / MOST, Math.sqrt(deviation[j]! / median)));
  const before = square.reduce((sum, value) => sum + value, 0);
  const after = square.reduce((sum, value, j) => sum + value * scale[j]! ** 2, 0);
  return scale.map((value) => value * Math.sqrt(before / after));
}

/** The root of the mean squared length of the rows of scaled features [n, width]. */
export function rowLength(features: Float32Array, scale: Float64Array): number {
  const width = scale.length;
  let sum = 0;
  for (let start = 0; start < features.length; start += width)
    for (let j = 0; j < width; j++) sum += (features[start + j]! * scale[j]!) ** 2;
  return Math.sqrt((sum * width) / features.length);
}
