/** The two passes of resizing by the kernels of resize-kernels.wat: the same bytes as resize-portable.ts, sooner. */
import { KERNELS } from "./resize-kernels.ts";
import type { Rows } from "./resize-portable.ts";
import type { Taps } from "./resize-taps.ts";

/** What the standard library of TypeScript declares for browsers only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  horizontal(
    ...source: [from: number, stride: number, rows: number, to: number, columns: number, ...table: Table]
  ): void;
  vertical(...source: [from: number, bytes: number, to: number, rows: number, ...table: Table]): void;
}

/** Where the taps of an axis lie in the memory; see resize-kernels.wat. */
type Table = [heads: number, weights: number, step: number];

const PAGE = 65_536;
/** The most memory that is used, 64 MiB: enough for results of 2048x2048 pixels and rows of 7 million. */
const MOST = 2 ** 26;
/** Source bytes that are copied in at once: few enough for the processor's cache. */
const CHUNK = 2 ** 18;
/** Bytes that the kernels read or write beyond the end. */
const BEYOND = 32;

let kernels: Kernels | undefined;

/**
 * Returns the resized window, or undefined if it takes too much memory.
 * @param count Rows of the source that are read. @param taps Of the axes that change; at least one.
 */
export function passesFast(
  { data, stride, left, top }: Rows,
  count: number,
  { width, height }: { readonly width: number; readonly height: number },
  { across, down }: { readonly across: Taps | undefined; readonly down: Taps | undefined },
): Uint8Array | undefined {
  const bytesPerRow = width * 3;
  const tables = tableBytes(across) + tableBytes(down);
  const chunkRows = across ? Math.min(count, Math.max(1, Math.floor(CHUNK / stride))) : 0;
  const middle = tables;
  const result = middle + align(count * bytesPerRow + BEYOND);
  const chunk = result + (down ? align(height * bytesPerRow + BEYOND) : 0);
  const needed = chunk + chunkRows * stride + BEYOND;
  if (needed > MOST) return undefined;
  kernels ??= load();
  const { memory, horizontal, vertical } = kernels;
  if (needed > memory.buffer.byteLength) memory.grow(Math.ceil((needed - memory.buffer.byteLength) / PAGE));
  const bytes = new Uint8Array(memory.buffer);
  if (across) {
    const table = writeTable(memory.buffer, 0, across, 3);
    const from = left * 3 + across.first * 3;
    const span = (across.end - across.first) * 3;
    for (let row = 0; row < count; row += chunkRows) {
      const rows = Math.min(chunkRows, count - row);
      const start = (top + row) * stride + from;
      bytes.set(data.subarray(start, start + (rows - 1) * stride + span), chunk);
      horizontal(chunk, stride, rows, middle + row * bytesPerRow, width, ...table);
    }
  } else {
    for (let row = 0; row < count; row++) {
      const start = (top + row) * stride + left * 3;
      bytes.set(data.subarray(start, start + bytesPerRow), middle + row * bytesPerRow);
    }
  }
  if (!down) return bytes.slice(middle, middle + count * bytesPerRow);
  vertical(middle, bytesPerRow, result, height, ...writeTable(memory.buffer, tableBytes(across), down, bytesPerRow));
  return bytes.slice(result, result + height * bytesPerRow);
}

function tableBytes(taps: Taps | undefined): number {
  return taps ? align(taps.starts.length * (8 + taps.size * 4)) : 0;
}

/** Writes the taps of an axis whose neighbours lie `distance` bytes apart. */
function writeTable(memory: ArrayBuffer, at: number, taps: Taps, distance: number): Table {
  const { starts, counts, weights, size, first } = taps;
  const length = starts.length;
  const heads = new Int32Array(memory, at, length * 2);
  const pairs = new Int32Array(memory, at + length * 8, length * size);
  for (let i = 0; i < length; i++) {
    heads[i * 2] = (starts[i]! - first) * distance;
    heads[i * 2 + 1] = Math.max(1, (counts[i]! + 1) >> 1);
  }
  for (let i = 0; i < pairs.length; i += 2) {
    const a = weights[i]!;
    const b = weights[i + 1]!;
    pairs[i] = (a & 0x7fff) | ((b & 0x7fff) << 16);
    pairs[i + 1] = ((a >> 15) & 0xffff) | ((b >> 15) << 16);
  }
  return [at, at + length * 8, size * 4];
}

function align(bytes: number): number {
  return (bytes + 15) & ~15;
}

/** Compiles the module: 1 KB, well under what browsers compile at once. */
function load(): Kernels {
  const bytes = Uint8Array.from(atob(KERNELS), (character) => character.charCodeAt(0));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Kernels; // resize-kernels.wat declares it
}
