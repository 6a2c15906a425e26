/** Runs the update kernels of kernels.wat over arrays of any length, through a small memory that stays in the cache. */
import { KERNELS } from "./kernels.ts";

/** What the standard library of TypeScript declares for browsers only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** The kernels and the numbers that each takes after the end of its arrays, in this order; kernels.wat has the formulas. */
export interface Constants {
  readonly sgd: readonly [rate: number, decay: number, momentum: number, nesterov: number];
  readonly adam: readonly [
    ...[l2: number, b1: number, c1: number, b2: number, c2: number],
    ...[kept: number, size: number, scale: number, epsilon: number],
  ];
  readonly rmsprop: readonly [
    ...[l2: number, a: number, c: number, epsilon: number],
    ...[rate: number, momentum: number, centered: number],
  ];
  readonly adagrad: readonly [l2: number, rate: number, initial: number, epsilon: number];
  readonly lion: readonly [b1: number, c1: number, b2: number, c2: number, kept: number, rate: number];
  readonly average: readonly [share: number];
}

type Kernels = { readonly memory: { readonly buffer: ArrayBuffer } } & {
  readonly [K in keyof Constants]: (end: number, ...constants: readonly number[]) => void;
};

/** Elements that are copied in at once: few enough for the processor's cache, many enough to hide the calls. */
const CHUNK = 8192;
/** Array k lies in page k. */
const PAGE = 65_536;

let kernels: Kernels | undefined;

/**
 * Updates arrays of one length in place, element by element in float32, four at a time.
 * @param changed all arrays of the kernel before the gradient; undefined for a slot that the constants make needless.
 * @param gradient is only read.
 */
export function updateInPlace<K extends keyof Constants>(
  kernel: K,
  changed: readonly (Float32Array | undefined)[],
  gradient: Float32Array,
  constants: Constants[K],
): void {
  kernels ??= load();
  const { memory } = kernels;
  const pages = [...changed, gradient].map((_, k) => new Float32Array(memory.buffer, k * PAGE, CHUNK));
  for (let start = 0; start < gradient.length; start += CHUNK) {
    const count = Math.min(CHUNK, gradient.length - start);
    for (const [k, array] of changed.entries()) if (array) pages[k]!.set(array.subarray(start, start + count));
    pages[changed.length]!.set(gradient.subarray(start, start + count));
    kernels[kernel](Math.ceil(count / 4) * 16, ...constants);
    for (const [k, array] of changed.entries()) array?.set(pages[k]!.subarray(0, count), start);
  }
}

/** Compiles the module: 1100 bytes, well under what browsers compile at once. */
function load(): Kernels {
  const bytes = Uint8Array.from(atob(KERNELS), (character) => character.charCodeAt(0));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Kernels; // kernels.wat declares it
}
