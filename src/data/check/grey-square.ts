/** A picture as a small square of grey or color values: what pictures are compared by. */
import type { Image } from "../../transforms/image.ts";

/** Weights of R, G and B in the luma of ITU-R BT.601, the Y of JPEG. */
const LUMA = [0.299, 0.587, 0.114] as const;

/** Returns the luma of every pixel, [height * width], in grey levels 0 to 255. */
export function lumaOf({ width, height, data }: Image): Float32Array {
  const luma = new Float32Array(width * height);
  for (let i = 0, at = 0; i < luma.length; i++, at += 3)
    luma[i] = LUMA[0] * data[at]! + LUMA[1] * data[at + 1]! + LUMA[2] * data[at + 2]!;
  return luma;
}

/**
 * Averages a plane of numbers over a `size` x `size` grid that covers it, whatever its shape: a picture and its
 * stretched copy give the same square.
 */
export function squareOf(plane: Float32Array, width: number, height: number, size: number): Float32Array {
  const narrow = new Float32Array(size * height); // rows kept, columns averaged
  for (let y = 0; y < height; y++) average(plane, y * width, 1, width, narrow, y * size, 1, size);
  const square = new Float32Array(size * size);
  for (let x = 0; x < size; x++) average(narrow, x, size, height, square, x, size, size);
  return square;
}

/** Averages `count` numbers into `cells` equal cells; a number on the border of two counts in both by its share. */
function average(
  from: Float32Array,
  start: number,
  step: number,
  count: number,
  to: Float32Array,
  toStart: number,
  toStep: number,
  cells: number,
): void {
  const length = count / cells; // of a cell
  for (let cell = 0; cell < cells; cell++) {
    const [left, right] = [cell * length, (cell + 1) * length];
    const last = Math.min(Math.ceil(right - 1e-9), count) - 1;
    let sum = 0;
    for (let i = Math.floor(left); i <= last; i++)
      sum += (Math.min(i + 1, right) - Math.max(i, left)) * from[start + i * step]!;
    to[toStart + cell * toStep] = sum / length;
  }
}

/** Returns the two color differences of JPEG, Cb and Cr without their offset, each as a square of `size`. */
export function colorSquaresOf(image: Image, luma: Float32Array, size: number): readonly [Float32Array, Float32Array] {
  const { width, height, data } = image;
  const [blue, red] = [new Float32Array(luma.length), new Float32Array(luma.length)];
  for (let i = 0; i < luma.length; i++) {
    blue[i] = (data[3 * i + 2]! - luma[i]!) / 1.772;
    red[i] = (data[3 * i]! - luma[i]!) / 1.402;
  }
  return [squareOf(blue, width, height, size), squareOf(red, width, height, size)];
}
