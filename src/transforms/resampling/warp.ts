/** Resamples a picture through a homography: the one place where geometric augmentation computes pixels. */
import { RootstockError } from "../../errors.ts";
import type { Image } from "../image.ts";
import { isAffine, type Matrix } from "./matrix.ts";

/** The ways to fill what lies outside the source. */
export const FILL_MODES = ["constant", "nearest", "reflect", "wrap"] as const;

/**
 * What is seen outside the source "a b c d":
 * - constant: one color, `value`.
 * - nearest: a a a | a b c d | d d d, the edge repeated.
 * - reflect: c b a | a b c d | d c b, the edge included (torchvision calls this "symmetric").
 * - wrap: b c d | a b c d | a b c, the picture tiled.
 */
export type FillMode = (typeof FILL_MODES)[number];

/** One grey level, or one for each of R, G and B, 0 to 255. */
export type FillValue = number | readonly [number, number, number];

/** How a pixel is read between the source's pixels. */
export type WarpInterpolation = "nearest" | "bilinear";

/** What a warp makes. */
export interface WarpOptions {
  /** Width of the result in pixels. @default image.width */
  readonly width?: number | undefined;
  /** Height of the result in pixels. @default image.height */
  readonly height?: number | undefined;
  /** @default "bilinear" */
  readonly interpolation?: WarpInterpolation | undefined;
  /** What is seen outside the source. @default "constant" */
  readonly fill?: FillMode | undefined;
  /** The color of "constant". @default 0 */
  readonly value?: FillValue | undefined;
}

/**
 * Returns a picture whose pixel at (x + 0.5, y + 0.5) is the source's at `matrix` times that position.
 *
 * "constant" fills positions outside the source's area and repeats the edge within the outer half pixel, as Pillow does.
 * Bilinear weights have 11 fractional bits and results are rounded (Pillow truncates, which darkens by half a grey level).
 * No antialiasing: see `carryOut` for matrices that shrink.
 * @throws RootstockError BAD_CONFIG for a size that is no whole number from 1 to 32768, or a matrix with a value that is not finite.
 */
export function warp(
  image: Image,
  matrix: Matrix,
  {
    width = image.width,
    height = image.height,
    interpolation = "bilinear",
    fill = "constant",
    value = 0,
  }: WarpOptions = {},
): Image {
  const sized = [width, height].every((side) => Number.isInteger(side) && side >= 1 && side <= 32_768);
  if (!(sized && matrix.every(Number.isFinite))) {
    throw new RootstockError(
      "BAD_CONFIG",
      `warp requires a size of 1 to 32768 pixels and 9 finite numbers, got ${width}x${height} and [${matrix.join(", ")}].`,
    );
  }
  const out = new Uint8Array(width * height * 3);
  const source: Source = { ...image, fill, value: colorOf(value) };
  const warpRow = interpolation === "bilinear" ? bilinearRow : nearestRow;
  const affine = isAffine(matrix);
  const [a, b, c, d, e, f, g, h, i] = matrix;
  const us = new Float64Array(width);
  const vs = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    // Positions in the source, counted from the centre of its first pixel.
    const [u, v, w] = [b * (y + 0.5) + c, e * (y + 0.5) + f, h * (y + 0.5) + i];
    if (affine) {
      for (let x = 0; x < width; x++) {
        us[x] = u + a * (x + 0.5) - 0.5;
        vs[x] = v + d * (x + 0.5) - 0.5;
      }
    } else {
      for (let x = 0; x < width; x++) {
        const distance = w + g * (x + 0.5);
        const s = distance > 0 ? 1 / distance : Number.POSITIVE_INFINITY; // nothing is seen behind the horizon
        us[x] = bounded((u + a * (x + 0.5)) * s - 0.5);
        vs[x] = bounded((v + d * (x + 0.5)) * s - 0.5);
      }
    }
    warpRow(source, { us, vs, out, at: y * width * 3 });
  }
  return { width, height, data: out };
}

/**
 * Returns the pixel that stands for pixel `i` of an axis of `size` pixels, -1 for "constant" outside.
 * Inside the axis every mode returns `i` itself.
 */
export function fold(i: number, size: number, fill: FillMode): number {
  if (i >= 0 && i < size) return i;
  switch (fill) {
    case "constant":
      return -1;
    case "nearest":
      return i < 0 ? 0 : size - 1;
    case "wrap":
      return i - size * Math.floor(i / size);
    case "reflect": {
      const place = i - 2 * size * Math.floor(i / (2 * size));
      return place < size ? place : 2 * size - 1 - place;
    }
  }
}

/** Returns R, G and B of a fill value. */
export function colorOf(value: FillValue): readonly [number, number, number] {
  return typeof value === "number" ? [value, value, value] : value;
}

interface Source extends Image {
  readonly fill: FillMode;
  readonly value: readonly [number, number, number];
}

/** Where one row of the result reads, and where it is written. */
interface Row {
  readonly us: Float64Array;
  readonly vs: Float64Array;
  readonly out: Uint8Array;
  readonly at: number;
}

const ONE = 2048; // 1 as a weight of 11 fractional bits
const HALF = 1 << 21; // rounds a product of two weights
const FAR = 2 ** 30; // beyond any picture, and exact as an integer

function bilinearRow(source: Source, { us, vs, out, at: start }: Row): void {
  const { width, height, data } = source;
  const stride = width * 3;
  let at = start;
  for (let x = 0; x < us.length; x++) {
    const u = us[x]!;
    const v = vs[x]!;
    if (u >= 0 && v >= 0 && u < width - 1 && v < height - 1) {
      const left = u | 0;
      const top = v | 0;
      const right = ((u - left) * ONE + 0.5) | 0;
      const lower = ((v - top) * ONE + 0.5) | 0;
      const p = top * stride + left * 3;
      const q = p + stride;
      const w11 = right * lower;
      const w01 = right * ONE - w11; // upper right
      const w10 = lower * ONE - w11; // lower left
      const w00 = ONE * ONE - right * ONE - w10;
      out[at] = (data[p]! * w00 + data[p + 3]! * w01 + data[q]! * w10 + data[q + 3]! * w11 + HALF) >> 22;
      out[at + 1] = (data[p + 1]! * w00 + data[p + 4]! * w01 + data[q + 1]! * w10 + data[q + 4]! * w11 + HALF) >> 22;
      out[at + 2] = (data[p + 2]! * w00 + data[p + 5]! * w01 + data[q + 2]! * w10 + data[q + 5]! * w11 + HALF) >> 22;
    } else bilinearPixel(source, { u, v, out, at });
    at += 3;
  }
}

/** A pixel whose neighbours are not all inside the source. */
function bilinearPixel(
  { width, height, data, fill, value }: Source,
  { u, v, out, at }: { readonly u: number; readonly v: number; readonly out: Uint8Array; readonly at: number },
): void {
  if (fill === "constant" && !(u >= -0.5 && v >= -0.5 && u < width - 0.5 && v < height - 0.5)) {
    for (let channel = 0; channel < 3; channel++) out[at + channel] = value[channel]!;
    return;
  }
  const mode = fill === "constant" ? "nearest" : fill; // the outer half pixel
  const left = Math.floor(u);
  const top = Math.floor(v);
  const right = ((u - left) * ONE + 0.5) | 0;
  const lower = ((v - top) * ONE + 0.5) | 0;
  const [x0, x1] = [fold(left, width, mode) * 3, fold(left + 1, width, mode) * 3];
  const [y0, y1] = [fold(top, height, mode) * width * 3, fold(top + 1, height, mode) * width * 3];
  for (let channel = 0; channel < 3; channel++) {
    const upper = data[y0 + x0 + channel]! * (ONE - right) + data[y0 + x1 + channel]! * right;
    const under = data[y1 + x0 + channel]! * (ONE - right) + data[y1 + x1 + channel]! * right;
    out[at + channel] = (upper * (ONE - lower) + under * lower + HALF) >> 22;
  }
}

function nearestRow({ width, height, data, fill, value }: Source, { us, vs, out, at: start }: Row): void {
  let at = start;
  for (let x = 0; x < us.length; x++) {
    const column = fold(Math.floor(us[x]! + 0.5), width, fill);
    const row = fold(Math.floor(vs[x]! + 0.5), height, fill);
    if (column < 0 || row < 0) {
      out[at] = value[0];
      out[at + 1] = value[1];
      out[at + 2] = value[2];
    } else {
      const p = (row * width + column) * 3;
      out[at] = data[p]!;
      out[at + 1] = data[p + 1]!;
      out[at + 2] = data[p + 2]!;
    }
    at += 3;
  }
}

/** Positions at or beyond the horizon: far away instead of infinite or not a number. */
function bounded(position: number): number {
  if (position > -FAR && position < FAR) return position;
  return position < 0 ? -FAR : FAR;
}
