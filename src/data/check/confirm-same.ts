/** Looks closer at two pictures that agree at 32 x 32: is one a copy of the other, or was something small moved? */
import { readBounded } from "../inspect.ts";
import type { ImageSource } from "../sample.ts";
import { thumbnailOf } from "../thumbnail.ts";
import { lumaOf, squareOf } from "./grey-square.ts";
import { sourceOf, type Turn } from "./perceptual-hash.ts";

/** Side of the grey squares that are compared. */
export const FINE_SIDE = 96;
/** Grey squares that are kept, 37 kB each. */
const KEPT = 1024;

/**
 * Bounds of the difference of two grey squares with mean 0 and standard deviation 1, averaged over 3 x 3 cells. Saving
 * anew spreads it: of 1,800 copies (JPEG of quality 90 to 10, half and double size, gray, sharpened) the largest is at
 * most 10 times the root mean square, or below 0.15, in 99 % where the size stayed, and 12.5 times where it did not. A chess piece moved on a board of its color gives 10.6 to 25
 * times, and 0.17 to 1.6.
 */
const AGREEMENT = {
  /** Root mean square of the difference. Copies 64 pixels wide: 0.2. */
  most: 0.5,
  ofOneSize: { largest: 0.15, ratio: 10 },
  /** Resizing changes edges, and sharp ones more than others. */
  ofTwoSizes: { largest: 0.4, ratio: 12.5 },
} as const;

/** Returns whether two grey squares [96, 96] differ as copies do, all over, and not in one place. */
export function differsAllOver(a: Float32Array, b: Float32Array, turn: Turn, oneSize: boolean): boolean {
  const [x, y] = [standardized(a), standardized(b)];
  const difference = x.map(
    (value, i) => value - y[sourceOf(i % FINE_SIDE, Math.floor(i / FINE_SIDE), FINE_SIDE, turn)]!,
  );
  let [largest, squares, count] = [0, 0, 0];
  for (let row = 1; row < FINE_SIDE - 1; row++) {
    for (let column = 1; column < FINE_SIDE - 1; column++) {
      const mean = meanAround(difference, row * FINE_SIDE + column);
      largest = Math.max(largest, Math.abs(mean));
      squares += mean * mean;
      count++;
    }
  }
  const bounds = oneSize ? AGREEMENT.ofOneSize : AGREEMENT.ofTwoSizes;
  const rootMeanSquare = Math.sqrt(squares / count);
  return rootMeanSquare <= AGREEMENT.most && largest <= Math.max(bounds.largest, bounds.ratio * rootMeanSquare);
}

function meanAround(values: Float32Array, at: number): number {
  let sum = 0;
  for (const start of [at - FINE_SIDE - 1, at - 1, at + FINE_SIDE - 1])
    sum += values[start]! + values[start + 1]! + values[start + 2]!;
  return sum / 9;
}

function standardized(square: Float32Array): Float32Array {
  let [sum, squares] = [0, 0];
  for (const value of square) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / square.length;
  const deviation = Math.sqrt(Math.max(squares / square.length - mean * mean, 1e-12));
  return square.map((value) => (value - mean) / deviation);
}

/** Grey squares of files, read when they are needed; the last ones used are kept. */
export class FineSquares {
  readonly #sources: readonly ImageSource[];
  readonly #kept = new Map<number, Float32Array | undefined>();

  constructor(sources: readonly ImageSource[]) {
    this.#sources = sources;
  }

  /** Whether two files show the same; false if one can no longer be read. */
  async same(a: number, b: number, turn: Turn, oneSize: boolean): Promise<boolean> {
    const [x, y] = await Promise.all([this.#square(a), this.#square(b)]);
    return x !== undefined && y !== undefined && differsAllOver(x, y, turn, oneSize);
  }

  async #square(index: number): Promise<Float32Array | undefined> {
    const known = this.#kept.get(index);
    const square = known ?? (await readSquare(this.#sources[index]!));
    this.#kept.delete(index); // to the end: used last
    this.#kept.set(index, square);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    return square;
  }
}

async function readSquare(source: ImageSource): Promise<Float32Array | undefined> {
  const read = readBounded(source);
  const decoded = "problem" in read ? read : await thumbnailOf(read.content);
  if ("problem" in decoded) return undefined;
  const { width, height } = decoded.image;
  return squareOf(lumaOf(decoded.image), width, height, FINE_SIDE);
}
