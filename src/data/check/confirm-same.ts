/** Looks closer at two pictures that agree at 32 x 32: is one a copy of the other, or was something small moved or recolored? */
import { readBounded } from "../inspect.ts";
import type { ImageSource } from "../sample.ts";
import { thumbnailOf } from "../thumbnail.ts";
import { colorSquaresOf, lumaOf, squareOf } from "./grey-square.ts";
import { sourceOf, type Turn } from "./perceptual-hash.ts";

/** Side of the grey squares that are compared. */
export const FINE_SIDE = 96;
/** Side of the color squares that are compared. */
export const FINE_COLOR_SIDE = 48;
/** Pictures whose squares are kept, 55 kB each. */
const KEPT = 1024;

/** A picture as the squares that are compared. */
export interface FineSquare {
  /** Grey levels [96, 96]. */
  readonly grey: Float32Array;
  /** Color differences Cb and Cr, [48, 48] each. */
  readonly colors: readonly [Float32Array, Float32Array];
}

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

/**
 * Bounds of color differences, in levels, averaged over 3 x 3 cells of 48 x 48, with the saturation of one brought to
 * that of the other. Of 1,650 copies of 150 photographs the largest is 9.8 at JPEG quality 20, 18.8 at quality 10, 9.0
 * at half the size, 18.6 at 64 pixels, 10.9 a tenth brighter. With all hues turned by 120 degrees it is above 25 for 95 %.
 */
const COLORS = {
  largest: 20,
  /** A copy may be more or less saturated by this factor. */
  saturation: 1.43,
  /** Root mean square from which the colors must also correlate: faint ones cannot differ by much. */
  faint: 2,
  correlation: 0.7,
  /** Largest color difference of a gray picture. */
  gray: 3,
  /** Largest color difference as a multiple of the root mean square, of a picture that has a gray copy: a lamp that is lit is no copy of a gray picture with the lamp off. */
  spot: 12,
} as const;

/**
 * Share of neighbouring cells that differ by more than a fifth of the standard deviation below which a picture is too
 * plain to say more than that it is similar to another: a glyph, a pictogram, a silhouette on white. Of photographs 1 %
 * have less than 0.09; drawn shirts, arrows, traffic lights and letters 0.04 to 0.11.
 */
const PLAIN = { difference: 0.2, share: 0.112 } as const;

/** Returns whether too little is in a grey square [96, 96] to tell two such pictures apart. */
export function isPlain(grey: Float32Array): boolean {
  const values = standardized(grey);
  let edges = 0;
  for (let row = 0; row < FINE_SIDE - 1; row++) {
    for (let at = row * FINE_SIDE; at < (row + 1) * FINE_SIDE - 1; at++) {
      const across = Math.abs(values[at + 1]! - values[at]!);
      const down = Math.abs(values[at + FINE_SIDE]! - values[at]!);
      if (Math.max(across, down) > PLAIN.difference) edges++;
    }
  }
  return edges < PLAIN.share * (FINE_SIDE - 1) ** 2;
}

/** Returns whether the colors of two pictures agree everywhere, or one is gray and the other colored all over. */
export function colorsAgree(a: FineSquare, b: FineSquare, turn: Turn): boolean {
  const side = FINE_COLOR_SIDE;
  const from = Uint16Array.from({ length: side * side }, (_, i) =>
    sourceOf(i % side, Math.floor(i / side), side, turn),
  );
  let [aa, ab, bb] = [0, 0, 0];
  for (const plane of [0, 1] as const) {
    for (const [i, j] of from.entries()) {
      const [x, y] = [a.colors[plane][i]!, b.colors[plane][j]!];
      aa += x * x;
      ab += x * y;
      bb += y * y;
    }
  }
  const [grayA, grayB] = [isGray(a), isGray(b)];
  if (grayA !== grayB) return isColoredAllOver(grayA ? b : a);
  const faint = COLORS.faint ** 2 * 2 * side * side;
  if (Math.min(aa, bb) > faint && ab < COLORS.correlation * Math.sqrt(aa * bb)) return false;
  const saturation = Math.min(COLORS.saturation, Math.max(1 / COLORS.saturation, ab / Math.max(bb, 1e-9)));
  return ([0, 1] as const).every(
    (plane) =>
      largestAround(a.colors[plane].map((x, i) => x - saturation * b.colors[plane][from[i]!]!)) <= COLORS.largest,
  );
}

function isGray({ colors }: FineSquare): boolean {
  return colors.every((plane) => largestAround(plane) < COLORS.gray);
}

/** The largest absolute mean of 3 x 3 cells of a color square. */
function largestAround(values: Float32Array): number {
  let largest = 0;
  for (let row = 1; row < FINE_COLOR_SIDE - 1; row++)
    for (let column = 1; column < FINE_COLOR_SIDE - 1; column++)
      largest = Math.max(largest, Math.abs(meanAround(values, row * FINE_COLOR_SIDE + column, FINE_COLOR_SIDE)));
  return largest;
}

function isColoredAllOver({ colors }: FineSquare): boolean {
  let squares = 0;
  for (const plane of colors) for (const value of plane) squares += value * value;
  const rootMeanSquare = Math.sqrt(squares / (2 * FINE_COLOR_SIDE ** 2));
  return Math.max(...colors.map(largestAround)) <= COLORS.spot * rootMeanSquare;
}

/** Returns whether two grey squares [96, 96] differ as copies do, all over, and not in one place. */
export function differsAllOver(a: Float32Array, b: Float32Array, turn: Turn, oneSize: boolean): boolean {
  const [x, y] = [standardized(a), standardized(b)];
  const difference = x.map(
    (value, i) => value - y[sourceOf(i % FINE_SIDE, Math.floor(i / FINE_SIDE), FINE_SIDE, turn)]!,
  );
  let [largest, squares, count] = [0, 0, 0];
  for (let row = 1; row < FINE_SIDE - 1; row++) {
    for (let column = 1; column < FINE_SIDE - 1; column++) {
      const mean = meanAround(difference, row * FINE_SIDE + column, FINE_SIDE);
      largest = Math.max(largest, Math.abs(mean));
      squares += mean * mean;
      count++;
    }
  }
  const bounds = oneSize ? AGREEMENT.ofOneSize : AGREEMENT.ofTwoSizes;
  const rootMeanSquare = Math.sqrt(squares / count);
  return rootMeanSquare <= AGREEMENT.most && largest <= Math.max(bounds.largest, bounds.ratio * rootMeanSquare);
}

function meanAround(values: Float32Array, at: number, side: number): number {
  let sum = 0;
  for (const start of [at - side - 1, at - 1, at + side - 1])
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

/** Squares of files, read when they are needed; the last ones used are kept. */
export class FineSquares {
  readonly #sources: readonly ImageSource[];
  readonly #kept = new Map<number, FineSquare | undefined>();

  constructor(sources: readonly ImageSource[]) {
    this.#sources = sources;
  }

  /** Whether two files show the same; false if one can no longer be read, or is too plain to tell. */
  async same(a: number, b: number, turn: Turn, oneSize: boolean): Promise<boolean> {
    const [x, y] = await Promise.all([this.#square(a), this.#square(b)]);
    if (!x || !y || isPlain(x.grey) || isPlain(y.grey)) return false;
    return differsAllOver(x.grey, y.grey, turn, oneSize) && colorsAgree(x, y, turn);
  }

  async #square(index: number): Promise<FineSquare | undefined> {
    const known = this.#kept.get(index);
    const square = known ?? (await readSquare(this.#sources[index]!));
    this.#kept.delete(index); // to the end: used last
    this.#kept.set(index, square);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    return square;
  }
}

async function readSquare(source: ImageSource): Promise<FineSquare | undefined> {
  const read = readBounded(source);
  const decoded = "problem" in read ? read : await thumbnailOf(read.content);
  if ("problem" in decoded) return undefined;
  const { width, height } = decoded.image;
  const luma = lumaOf(decoded.image);
  return {
    grey: squareOf(luma, width, height, FINE_SIDE),
    colors: colorSquaresOf(decoded.image, luma, FINE_COLOR_SIDE),
  };
}
