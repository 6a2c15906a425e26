/** 64 bits that hardly change when a picture is saved anew or resized, and change in a known way when it is mirrored or turned. */

/** Side of the grey square that is hashed. */
export const HASHED_SIDE = 32;
/** Side of the block of lowest frequencies whose signs are the bits. */
const BLOCK = 8;

/** 64 bits in two unsigned halves; bit 8 v + u (the first half has v < 4) belongs to frequency u across, v down. */
export type PerceptualHash = readonly [number, number];

/** cos(pi (2 x + 1) u / 64), [u, x]: the DCT-II without its factors, which do not change signs. */
const COSINES = new Float64Array(BLOCK * HASHED_SIDE);
for (let u = 0; u < BLOCK; u++)
  for (let x = 0; x < HASHED_SIDE; x++)
    COSINES[u * HASHED_SIDE + x] = Math.cos((Math.PI * (2 * x + 1) * u) / (2 * HASHED_SIDE));

/**
 * Returns the signs of the 63 lowest frequencies of a grey square [32, 32]; the bit of the mean is 0.
 *
 * As pHash (Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions"), but the sign is compared
 * with 0, not with the median: then mirroring and turning the picture flips and moves bits exactly.
 */
export function perceptualHash(square: Float32Array): PerceptualHash {
  const across = new Float64Array(HASHED_SIDE * BLOCK); // [y, u]
  for (let y = 0; y < HASHED_SIDE; y++) {
    for (let u = 0; u < BLOCK; u++) {
      let sum = 0;
      for (let x = 0; x < HASHED_SIDE; x++) sum += square[y * HASHED_SIDE + x]! * COSINES[u * HASHED_SIDE + x]!;
      across[y * BLOCK + u] = sum;
    }
  }
  const halves: [number, number] = [0, 0];
  for (let v = 0; v < BLOCK; v++) {
    for (let u = 0; u < BLOCK; u++) {
      let sum = 0;
      for (let y = 0; y < HASHED_SIDE; y++) sum += across[y * BLOCK + u]! * COSINES[v * HASHED_SIDE + y]!;
      if (sum > 0 && u + v > 0) halves[v >> 2]! |= 1 << ((v & 3) * BLOCK + u);
    }
  }
  return [halves[0] >>> 0, halves[1] >>> 0];
}

/** Number of bits in which two hashes differ, 0 to 63. */
export function hashDistance(a: PerceptualHash, b: PerceptualHash): number {
  return bitCount(a[0] ^ b[0]) + bitCount(a[1] ^ b[1]);
}

/** Number of set bits of a 32-bit integer (Hacker's Delight, figure 5-2). */
export function bitCount(bits: number): number {
  let n = bits - ((bits >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** A way to lay a square on itself: transposed first or not, then mirrored across or not, down or not. */
export interface Turn {
  readonly transposed: boolean;
  readonly across: boolean;
  readonly down: boolean;
  /** What was done to the picture, for people. */
  readonly name: "as it is" | "mirrored" | "upside down" | "turned";
}

/** The eight symmetries of a square; a rotation by 90 degrees is a transposition and a mirror. */
export const TURNS: readonly Turn[] = [
  { transposed: false, across: false, down: false, name: "as it is" },
  { transposed: false, across: true, down: false, name: "mirrored" },
  { transposed: false, across: false, down: true, name: "upside down" },
  { transposed: false, across: true, down: true, name: "turned" },
  { transposed: true, across: false, down: false, name: "turned" },
  { transposed: true, across: true, down: false, name: "turned" },
  { transposed: true, across: false, down: true, name: "turned" },
  { transposed: true, across: true, down: true, name: "turned" },
];

/** Bits of odd frequency across, and down: those whose sign a mirror changes. */
const ODD_ACROSS = 0xaaaaaaaa;
const ODD_DOWN = 0xff00ff00;
/** The mean has no sign to change, but it is even anyway; no mask touches bit 0. */

/** Returns the hash that the picture would have after a turn. */
export function turnedHash(hash: PerceptualHash, { transposed, across, down }: Turn): PerceptualHash {
  let [low, high] = transposed ? transpose(hash) : hash;
  if (across) [low, high] = [low ^ ODD_ACROSS, high ^ ODD_ACROSS];
  if (down) [low, high] = [low ^ ODD_DOWN, high ^ ODD_DOWN];
  return [low >>> 0, high >>> 0];
}

function transpose(hash: PerceptualHash): PerceptualHash {
  const halves: [number, number] = [0, 0];
  for (let v = 0; v < BLOCK; v++) {
    for (let u = 0; u < BLOCK; u++) {
      const bit = (hash[u >> 2]! >>> ((u & 3) * BLOCK + v)) & 1; // frequency (v, u)
      halves[v >> 2]! |= bit << ((v & 3) * BLOCK + u);
    }
  }
  return [halves[0] >>> 0, halves[1] >>> 0];
}

/** Turns a square of `side` x `side` values in the same way. */
export function turnedSquare<T extends Float32Array | Uint8Array>(square: T, side: number, turn: Turn): T {
  const turned = square.slice() as T;
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) turned[y * side + x] = square[sourceOf(x, y, side, turn)]!;
  return turned;
}

/** Where the value at (x, y) of a turned square stands in the square. */
export function sourceOf(x: number, y: number, side: number, { transposed, across, down }: Turn): number {
  const [a, b] = [across ? side - 1 - x : x, down ? side - 1 - y : y];
  return transposed ? a * side + b : b * side + a;
}
