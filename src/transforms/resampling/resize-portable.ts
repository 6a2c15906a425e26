/** The two passes of resizing in plain loops: for pictures that do not fit into the memory of resize-fast.ts. */
import type { Taps } from "./resize-taps.ts";

/** Rows of pixels inside a larger array: `stride` bytes from one to the next, starting at pixel (`left`, `top`). */
export interface Rows {
  readonly data: Uint8Array;
  readonly stride: number;
  readonly left: number;
  readonly top: number;
}

const HALF = 1 << 21; // rounds to nearest
const FRACTION_BITS = 22;

/** Returns `rowCount` rows of the result of the horizontal pass. */
export function horizontal({ data, stride, left, top }: Rows, rowCount: number, taps: Taps): Uint8Array {
  const { starts, counts, weights, size } = taps;
  const out = new Uint8ClampedArray(rowCount * starts.length * 3); // keeps values in 0 to 255 when they are stored
  let at = 0;
  for (let row = 0; row < rowCount; row++) {
    const begin = (top + row) * stride + left * 3;
    for (let column = 0; column < starts.length; column++) {
      let r = HALF;
      let g = HALF;
      let b = HALF;
      let from = begin + starts[column]! * 3;
      const end = column * size + counts[column]!;
      for (let tap = column * size; tap < end; tap++) {
        const weight = weights[tap]!;
        r = (r + Math.imul(data[from]!, weight)) | 0;
        g = (g + Math.imul(data[from + 1]!, weight)) | 0;
        b = (b + Math.imul(data[from + 2]!, weight)) | 0;
        from += 3;
      }
      out[at] = r >> FRACTION_BITS;
      out[at + 1] = g >> FRACTION_BITS;
      out[at + 2] = b >> FRACTION_BITS;
      at += 3;
    }
  }
  return new Uint8Array(out.buffer);
}

/** Returns the result of the vertical pass. Two source rows at a time, and the last two straight into the result: reading and writing the sums is what takes time. */
export function vertical({ data, stride, left, top }: Rows, bytesPerRow: number, taps: Taps): Uint8Array {
  const { starts, counts, weights, size, first } = taps;
  const out = new Uint8ClampedArray(starts.length * bytesPerRow);
  const sums = new Int32Array(bytesPerRow);
  for (let row = 0; row < starts.length; row++) {
    const to = row * bytesPerRow;
    const last = counts[row]! - 1;
    const from = (top + starts[row]! - first) * stride + left * 3;
    sums.fill(HALF);
    for (let tap = 0; tap <= last; tap += 2) {
      const w0 = weights[row * size + tap]!;
      const w1 = weights[row * size + tap + 1]!; // 0 beyond the last row, which is then read again
      const a = from + tap * stride;
      const b = from + Math.min(tap + 1, last) * stride;
      if (tap + 2 <= last) {
        for (let i = 0; i < bytesPerRow; i++) {
          sums[i] = sums[i]! + Math.imul(data[a + i]!, w0) + Math.imul(data[b + i]!, w1);
        }
      } else {
        for (let i = 0; i < bytesPerRow; i++) {
          out[to + i] = (sums[i]! + Math.imul(data[a + i]!, w0) + Math.imul(data[b + i]!, w1)) >> FRACTION_BITS;
        }
      }
    }
  }
  return new Uint8Array(out.buffer);
}
