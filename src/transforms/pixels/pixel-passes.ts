/**
 * Passes over pixels by the kernels of pixel-kernels.wat and hue-kernels.wat. They work in a small memory of their own,
 * into which pixels are copied a part at a time: all changes are made to a part while the processor's cache holds it.
 */
import { KERNELS as HUE_KERNELS } from "./hue-kernels.ts";
import { KERNELS } from "./pixel-kernels.ts";

/** What the standard library of TypeScript declares for browsers only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports?: object) => { readonly exports: unknown };
};

interface PixelKernels {
  readonly memory: { readonly buffer: ArrayBuffer };
  levels(at: number, end: number): void;
  graySum(at: number, end: number): number;
  saturate(at: number, end: number, factor: number): void;
  mirror(at: number, end: number, width: number, to: number): void;
  values(at: number, end: number, to: number, apart: number, step: number): void;
}

interface Kernels extends PixelKernels {
  hue(at: number, end: number, shift: number): void;
  readonly bytes: Uint8Array;
  readonly floats: Float32Array;
}

/** Tables of 256 levels of red, green and blue. */
export type LevelTables = readonly [red: Uint8Array, green: Uint8Array, blue: Uint8Array];

/** A change of every pixel by itself. */
export type PixelChange =
  | { readonly kind: "levels"; readonly tables: LevelTables }
  /** Blends with the pixel's gray: 0 gives the gray, 1 the pixel. */
  | { readonly kind: "saturate"; readonly factor: number }
  /** Turns by -255 to 255 255ths of the circle. */
  | { readonly kind: "hue"; readonly shift: number };

/** Pixels of a part: 24 KB of levels, 96 KB of values. */
const PART = 8192;
/** Where things lie in the memory, in bytes: the tables of pixel-kernels.wat, the pixels of a part, what is made of them. */
const AT = { levels: 0, values: 1024, pixels: 4096, results: 32_768 } as const;
/** Bytes that the kernels read or change beyond the end. */
const BEYOND = 48;
/** Bytes between the channels' values: not a power of two, which would put all three in the same places of the cache. */
const PLANE = PART * 4 + 192;

let kernels: Kernels | undefined;

/** Writes the changed pixels to `out`, which may be `data` itself. */
export function changePixels(data: Uint8Array, changes: readonly PixelChange[], out: Uint8Array): void {
  for (const [from, end, { bytes }] of changedParts(data, changes)) out.set(bytes.subarray(AT.pixels, end), from);
}

/**
 * Writes the changed pixels to `out`, which may be `data` itself, and returns the mean of their grays: ITU-R 601, each
 * rounded to 8 bits as in Pillow's mode "L". Without changes nothing is written.
 */
export function changeAndMeanGray(data: Uint8Array, changes: readonly PixelChange[], out: Uint8Array): number {
  let sum = 0;
  for (const [from, end, { bytes, graySum }] of changedParts(data, changes)) {
    if (changes.length > 0) out.set(bytes.subarray(AT.pixels, end), from);
    bytes.fill(0, end, end + BEYOND); // black adds nothing
    sum += graySum(AT.pixels, end);
  }
  return sum / Math.floor(data.length / 3);
}

/** Goes over the parts: where each begins in `data`, and the end of its changed pixels in the memory. */
function* changedParts(
  data: Uint8Array,
  changes: readonly PixelChange[],
): Generator<readonly [from: number, end: number, kernels: Kernels]> {
  kernels ??= load();
  for (let from = 0; from < data.length; from += PART * 3) {
    const part = data.subarray(from, from + PART * 3);
    const end = AT.pixels + part.length;
    kernels.bytes.set(part, AT.pixels);
    for (const change of changes) make(change, end, kernels);
    yield [from, end, kernels];
  }
}

function make(change: PixelChange, end: number, { bytes, levels, saturate, hue }: Kernels): void {
  if (change.kind === "saturate") saturate(AT.pixels, end, change.factor);
  else if (change.kind === "hue") hue(AT.pixels, end, change.shift);
  else {
    for (const [channel, table] of change.tables.entries()) bytes.set(table, AT.levels + 256 * channel);
    levels(AT.pixels, end);
  }
}

/** Writes the rows of `width` pixels to `out`, each from its last pixel to its first. */
export function mirrorPixels(data: Uint8Array, width: number, out: Uint8Array): void {
  kernels ??= load();
  const { bytes, mirror } = kernels;
  const row = width * 3;
  const piece = Math.min(width, PART) * 3; // of a row
  const rows = Math.max(1, Math.floor(PART / width));
  for (let from = 0; from < data.length; from += rows * row) {
    for (let skip = 0; skip < row; skip += piece) {
      const part = data.subarray(from + skip, from + (rows === 1 ? Math.min(skip + piece, row) : rows * row));
      bytes.set(part, AT.pixels);
      mirror(AT.pixels, AT.pixels + part.length, rows === 1 ? part.length : row, AT.results);
      const to = rows === 1 ? from + row - skip - part.length : from;
      out.set(bytes.subarray(AT.results, AT.results + part.length), to);
    }
  }
}

/**
 * Writes the value of every level to `out`, as whole planes of the first, second and third channel or pixel by pixel.
 * @param tables Values of the 256 levels of red, green and blue. @param bgr Whether blue is the first channel of `out`.
 */
export function valuesOf(
  data: Uint8Array,
  tables: readonly [red: Float32Array, green: Float32Array, blue: Float32Array],
  out: Float32Array,
  { planes, bgr }: { readonly planes: boolean; readonly bgr: boolean },
): void {
  kernels ??= load();
  const { bytes, floats, values } = kernels;
  const plane = data.length / 3;
  const apart = planes ? PLANE : 4;
  const first = AT.results + (bgr ? 2 * apart : 0);
  for (const [channel, table] of tables.entries()) floats.set(table, AT.values / 4 + 256 * channel);
  for (let from = 0; from < plane; from += PART) {
    const part = data.subarray(from * 3, (from + PART) * 3);
    const count = part.length / 3;
    bytes.set(part, AT.pixels);
    values(AT.pixels, AT.pixels + part.length, first, bgr ? -apart : apart, planes ? 4 : 12);
    for (let channel = 0; channel < (planes ? 3 : 1); channel++) {
      const at = (AT.results + channel * apart) / 4;
      out.set(floats.subarray(at, at + (planes ? count : 3 * count)), planes ? channel * plane + from : 3 * from);
    }
  }
}

/** Compiles the modules: together 4 KB, well under what browsers compile at once. */
function load(): Kernels {
  const pixels = instantiate(KERNELS) as PixelKernels; // pixel-kernels.wat declares it
  const { memory } = pixels;
  const { hue } = instantiate(HUE_KERNELS, { pixels: { memory } }) as Pick<Kernels, "hue">; // hue-kernels.wat declares it
  return { ...pixels, hue, bytes: new Uint8Array(memory.buffer), floats: new Float32Array(memory.buffer) };
}

function instantiate(base64: string, imports?: object): unknown {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;
}
