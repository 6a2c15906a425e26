/** Reads the pixels of golden files: base64, compressed with zlib. */
import { inflateSync } from "node:zlib";
import { expect } from "vitest";

/** The bytes that were packed. */
export function unpacked(base64: string): Uint8Array {
  return new Uint8Array(inflateSync(Buffer.from(base64, "base64")));
}

/** The numbers that were packed, of one of the types of make_keras.py. */
export function unpackedNumbers(type: "uint8" | "uint16" | "float32", base64: string): Float32Array {
  const bytes = unpacked(base64);
  if (type === "uint8") return Float32Array.from(bytes);
  if (type === "float32") return new Float32Array(bytes.buffer);
  return Float32Array.from(new Uint16Array(bytes.buffer), (value) => value / 128);
}

/** Differences between two arrays of numbers. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>) {
  expect(a.length).toBe(b.length);
  let most = 0;
  let sum = 0;
  let different = 0;
  for (let i = 0; i < a.length; i++) {
    const distance = Math.abs(a[i]! - b[i]!);
    most = Math.max(most, distance);
    sum += distance;
    if (distance > 0) different++;
  }
  return { most, mean: sum / a.length, share: different / a.length };
}
