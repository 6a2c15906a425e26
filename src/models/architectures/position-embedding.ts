/** Learned position embeddings for images of another size: resampled as a picture of the grid of patches. */
import type { Value } from "../../graph/graph.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import type { Network } from "./network.ts";

/**
 * How a library resamples: timm's `resample_abs_pos_embed` widens the filter when it shrinks, torchvision's
 * `interpolate_embeddings` keeps the corners in place, and DINOv2's `interpolate_pos_encoding` makes the grid a tenth of
 * a patch too large. All of them are bicubic.
 */
export type Resampling = "timm" | "torchvision" | "dinov2";

export interface PositionGrids {
  /** Rows and columns of patches that the embeddings are of. */
  readonly from: readonly [number, number];
  /** Rows and columns of patches wanted. */
  readonly to: readonly [number, number];
  /** Tokens in front of the patches, whose embeddings stay. @default 1 */
  readonly prefix?: number | undefined;
  /** @default "timm" */
  readonly resampling?: Resampling | undefined;
}

/** Position embeddings [1, prefix + patches, c] for another grid. The given ones, where the grid is the same. */
export function resamplePositions(
  positions: Tensor<"float32">,
  { from, to, prefix = 1, resampling = "timm" }: PositionGrids,
): Tensor<"float32"> {
  if (from[0] === to[0] && from[1] === to[1]) return positions;
  const width = positions.shape[2]!;
  const patches = positions.data.subarray(prefix * width);
  const columns = resampleAxis(patches, { before: from[0], after: width, taps: tapsOf(from[1], to[1], resampling) });
  const grid = resampleAxis(columns, { before: 1, after: to[1] * width, taps: tapsOf(from[0], to[0], resampling) });
  const data = new Float32Array(prefix * width + grid.length);
  data.set(positions.data.subarray(0, prefix * width));
  data.set(grid, prefix * width);
  return float32([1, prefix + to[0] * to[1], width], data);
}

/** Names of position embeddings in checkpoints, and how the library that they come from resamples them. */
const RESAMPLING: Readonly<Record<Value, Resampling>> = { pos_embed: "timm", "encoder.pos_embedding": "torchvision" };

/**
 * A checkpoint's parameter for a network of another input size, resampled from a square grid of patches as the library
 * that names it so does. Undefined if the network has no position embeddings of that name, or the tensor is none of them.
 */
export function fitPositions(
  { inputSize, stem, parameters }: Network,
  name: Value,
  tensor: Tensor,
): Tensor<"float32"> | undefined {
  const resampling = Object.hasOwn(RESAMPLING, name) ? RESAMPLING[name] : undefined;
  const wanted = parameters.find((spec) => spec.name === name);
  const patch = parameters.find((spec) => spec.name === stem)!.shape.slice(-2);
  if (!resampling || !wanted || tensor.dtype !== "float32" || tensor.shape.length !== 3) return undefined;
  const [one, tokens, width] = tensor.shape as readonly [number, number, number];
  const to = [inputSize[0] / patch[0]!, inputSize[1] / patch[1]!] as const;
  const prefix = wanted.shape[1]! - to[0] * to[1];
  const side = Math.sqrt(tokens - prefix);
  if (one !== 1 || width !== wanted.shape[2] || !Number.isInteger(side) || side < 1) return undefined;
  return resamplePositions(tensor as Tensor<"float32">, { from: [side, side], to, prefix, resampling }); // its dtype
}

/** For each place of the result, places of the source and their weights. */
type Taps = readonly (readonly (readonly [place: number, weight: number])[])[];

function tapsOf(from: number, to: number, resampling: Resampling): Taps {
  return Array.from({ length: to }, (_, i) => {
    if (resampling === "timm") return filtered(from, from / to, i);
    if (resampling === "dinov2") return interpolated(from, (i + 0.5) * (from / (to + 0.1)) - 0.5);
    return interpolated(from, to > 1 ? (i * (from - 1)) / (to - 1) : 0);
  });
}

/** All places under the filter, which is as wide as the result's steps; weights sum to 1. */
function filtered(from: number, scale: number, i: number): (readonly [number, number])[] {
  const stretch = Math.max(scale, 1);
  const center = (i + 0.5) * scale;
  const start = Math.max(Math.trunc(center - 2 * stretch + 0.5), 0);
  const end = Math.min(Math.trunc(center + 2 * stretch + 0.5), from);
  const weights = Array.from({ length: end - start }, (_, t) => cubic((start + t + 0.5 - center) / stretch, -0.5));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight, t) => [start + t, weight / total] as const);
}

/** The four places around a position; those beyond the ends count as the ends. */
function interpolated(from: number, position: number): (readonly [number, number])[] {
  const floor = Math.floor(position);
  return [-1, 0, 1, 2].map((offset) => {
    const place = Math.min(Math.max(floor + offset, 0), from - 1);
    return [place, cubic(floor + offset - position, -0.75)] as const;
  });
}

/** Keys's cubic convolution kernel: 1981, doi:10.1109/TASSP.1981.1163711. */
function cubic(distance: number, a: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return a * (((x - 5) * x + 8) * x - 4);
  return 0;
}

interface Axis {
  /** Number of lines. */
  readonly before: number;
  /** Numbers at one place. */
  readonly after: number;
  readonly taps: Taps;
}

/** Weighted sums along the middle axis of [before, from, after]. */
function resampleAxis(source: ArrayLike<number>, { before, after, taps }: Axis): Float64Array {
  const from = source.length / (before * after);
  const result = new Float64Array(before * taps.length * after);
  for (let line = 0; line < before; line++)
    for (const [i, own] of taps.entries())
      for (const [place, weight] of own) {
        const [to, at] = [(line * taps.length + i) * after, (line * from + place) * after];
        for (let c = 0; c < after; c++) result[to + c]! += weight * source[at + c]!;
      }
  return result;
}
