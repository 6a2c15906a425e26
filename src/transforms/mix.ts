/** Mixing the samples of a batch: mixup and CutMix, on network inputs and soft targets. */
import { RootstockError } from "../errors.ts";
import type { Rng } from "../random.ts";
import type { Region } from "./image.ts";
import { checkChoice, shown } from "./known-options.ts";
import { beta, whole } from "./pixels/chance.ts";

/** Inputs and targets of one batch. */
export interface MixBatch {
  /** Samples in the batch, at least 1. */
  readonly count: number;
  /** [count, ...] float32. */
  readonly inputs: Float32Array;
  /** [count, k] float32: one-hot, soft or multi-hot classes, or values (CutMix of values has no meaning). */
  readonly targets: Float32Array;
}

/** A batch that was mixed. */
export interface MixedBatch extends MixBatch {
  /** The share of each sample in its mix; the sample before it (of the first: the last) has the rest. */
  readonly lambda: number;
}

export interface MixupOptions {
  /** The share is drawn from Beta(alpha, alpha); above 0. @default 0.2 */
  readonly alpha?: number | undefined;
}

/**
 * Returns each sample blended with the one before it, inputs and targets alike (Zhang et al. 2017, arXiv:1710.09412).
 *
 * One share for the batch and neighbours as pairs, as torchvision's MixUp: the batch has to be in random order.
 * @throws RootstockError BAD_CONFIG if `alpha` is not above 0, SHAPE_MISMATCH if the arrays do not hold `count` samples.
 */
export function mixup(batch: MixBatch, { alpha = 0.2 }: MixupOptions, rng: Rng): MixedBatch {
  return mixSamples(batch, beta(alpha, alpha, rng));
}

/** Returns lambda times each sample and 1 - lambda times the one before it. */
export function mixSamples({ count, inputs, targets }: MixBatch, lambda: number): MixedBatch {
  return { count, inputs: blendRows(inputs, count, lambda), targets: blendRows(targets, count, lambda), lambda };
}

export interface CutMixOptions {
  /** The share is drawn from Beta(alpha, alpha) before the rectangle is cut at the border; above 0. @default 1 */
  readonly alpha?: number | undefined;
  /** Height and width of an input in pixels. */
  readonly size: readonly [height: number, width: number];
  /** Order of an input's values: [channels, height, width] or [height, width, channels]. @default "NCHW" */
  readonly layout?: "NCHW" | "NHWC" | undefined;
}

/**
 * Returns each input with a rectangle of the one before it, and targets shared by area (Yun et al. 2019, arXiv:1905.04899).
 *
 * One rectangle for the batch, centered anywhere and cut at the border, as torchvision's CutMix; `lambda` is the area
 * that is left to each sample in the end.
 * @throws RootstockError BAD_CONFIG without a `size` or if `alpha` is not above 0, SHAPE_MISMATCH if the arrays do not hold `count` samples.
 */
export function cutMix(batch: MixBatch, { alpha = 1, size, layout = "NCHW" }: CutMixOptions, rng: Rng): MixedBatch {
  if (!Array.isArray(size) || size.length !== 2 || !size.every((side) => Number.isInteger(side) && side >= 1))
    throw new RootstockError(
      "BAD_CONFIG",
      `cutMix requires size: [height, width] of an input in pixels, whole numbers from 1, got ${shown(size)}.`,
    );
  checkChoice("layout", layout, ["NCHW", "NHWC"]);
  const [height, width] = size;
  const half = 0.5 * Math.sqrt(1 - beta(alpha, alpha, rng));
  const [wide, tall] = [Math.trunc(half * width), Math.trunc(half * height)];
  const [x, y] = [whole(width, rng), whole(height, rng)];
  const [left, top] = [Math.max(x - wide, 0), Math.max(y - tall, 0)];
  const region = { left, top, width: Math.min(x + wide, width) - left, height: Math.min(y + tall, height) - top };
  return pasteRegion(batch, region, { size, layout });
}

/** Returns each input with the rectangle `region` of the one before it; the rectangle lies inside the input. */
export function pasteRegion(
  { count, inputs, targets }: MixBatch,
  { left, top, width, height }: Region,
  { size, layout }: Required<Pick<CutMixOptions, "size" | "layout">>,
): MixedBatch {
  const [fullHeight, fullWidth] = size;
  const plane = fullHeight * fullWidth;
  const row = rowLength("inputs", inputs, count);
  if (row % plane !== 0) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `cutMix requires inputs of whole channels of ${fullHeight}x${fullWidth} pixels, got ${row} values for a sample.`,
    );
  }
  const channels = row / plane;
  const [planes, step] = layout === "NCHW" ? [channels, 1] : [1, channels];
  const mixed = inputs.slice();
  for (let sample = 0; sample < count; sample++) {
    const [to, from] = [sample * row, ((sample + count - 1) % count) * row];
    for (let channel = 0; channel < planes; channel++) {
      for (let y = top; y < top + height; y++) {
        const at = channel * plane + (y * fullWidth + left) * step;
        mixed.set(inputs.subarray(from + at, from + at + width * step), to + at);
      }
    }
  }
  const lambda = 1 - (width * height) / plane;
  return { count, inputs: mixed, targets: blendRows(targets, count, lambda), lambda };
}

/** lambda * row + (1 - lambda) * the row before it; the last row comes before the first. */
function blendRows(values: Float32Array, count: number, lambda: number): Float32Array {
  const row = rowLength("values", values, count);
  const out = new Float32Array(values.length);
  for (let sample = 0; sample < count; sample++) {
    const [to, from] = [sample * row, ((sample + count - 1) % count) * row];
    for (let i = 0; i < row; i++) out[to + i] = lambda * values[to + i]! + (1 - lambda) * values[from + i]!;
  }
  return out;
}

function rowLength(name: string, values: Float32Array, count: number): number {
  if (!(values instanceof Float32Array))
    throw new RootstockError("SHAPE_MISMATCH", `mixing requires ${name} as a Float32Array, got ${shown(values)}.`);
  if (Number.isInteger(count) && count >= 1 && values.length % count === 0) return values.length / count;
  throw new RootstockError(
    "SHAPE_MISMATCH",
    `mixing requires ${name} of [count, ...] with a count of at least 1, got ${values.length} values for ${count} samples.`,
  );
}
