import { describe, expect, test } from "vitest";
import { lumaOf, squareOf } from "../../../src/data/check/grey-square.ts";
import {
  bitCount,
  HASHED_SIDE,
  hashDistance,
  perceptualHash,
  TURNS,
  turnedHash,
  turnedSquare,
} from "../../../src/data/check/perceptual-hash.ts";
import { drawn } from "./made-pictures.ts";

function squareFor(seed: number): Float32Array {
  const image = drawn(seed);
  return squareOf(lumaOf(image), image.width, image.height, HASHED_SIDE);
}

describe("perceptualHash", () => {
  test("has the sign of each frequency, and never that of the mean", () => {
    // One wave across: frequency u = 2, v = 0 alone.
    const wave = Float32Array.from({ length: 1024 }, (_, i) => Math.cos((Math.PI * (2 * (i % 32) + 1) * 2) / 64));
    const [low] = perceptualHash(wave);
    expect((low >>> 2) & 1).toBe(1);
    expect(low & 1).toBe(0);
    const [flipped] = perceptualHash(wave.map((value) => -value));
    expect((flipped >>> 2) & 1).toBe(0);
  });

  test("hardly depends on brightness and contrast", () => {
    const square = squareFor(3);
    const changed = square.map((value) => 0.7 * value + 20);
    expect(hashDistance(perceptualHash(square), perceptualHash(changed))).toBe(0);
  });

  test("is far for different pictures: about half of the bits", () => {
    const hashes = Array.from({ length: 40 }, (_, seed) => perceptualHash(squareFor(seed)));
    const distances = hashes.flatMap((a, i) => hashes.slice(i + 1).map((b) => hashDistance(a, b)));
    expect(Math.min(...distances)).toBeGreaterThan(7);
    const mean = distances.reduce((sum, value) => sum + value, 0) / distances.length;
    expect(mean).toBeGreaterThan(27);
    expect(mean).toBeLessThan(36);
  });

  test.each(TURNS.map((turn, i) => [i, turn] as const))("turns with the picture, turn %i", (_, turn) => {
    for (const seed of [1, 2, 3, 4]) {
      const square = squareFor(seed);
      expect(turnedHash(perceptualHash(square), turn)).toEqual(perceptualHash(turnedSquare(square, HASHED_SIDE, turn)));
    }
  });
});

test("counts bits", () => {
  expect([0, 1, 0xff, 0x80000000, 0xffffffff, 0x55555555].map(bitCount)).toEqual([0, 1, 8, 1, 32, 16]);
});
