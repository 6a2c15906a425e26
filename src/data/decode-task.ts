/** What the calling thread and the decoding threads say to each other. */
import type { Preprocessing } from "../transforms/preprocessing.ts";

/** A few files to decode, in order. */
export interface DecodeTask {
  readonly files: readonly string[];
  /** The hash that each file must have, where it is known. */
  readonly sha256?: readonly string[] | undefined;
  /** Index of the first of them in the whole list. */
  readonly first: number;
  readonly preprocessing: Preprocessing;
  /** Shared memory: place 0 becomes 1 to stop the whole list, place 1 + index tells how far a file is. */
  readonly progress: Uint8Array;
}

/** The pixels of a file, or why there are none in words that read on from its name. */
export type Decoded = Float32Array | string;

/** The largest picture that is decoded beside others, in pixels: 2^25, 34 megapixels, 101 MB of RGB. */
export const LARGE_PIXELS = 2 ** 25;

/** The outcome of a task for a larger picture, which `decodeLarge` then decodes. */
export const TOO_LARGE = "has too many pixels to be decoded beside others";

/** The outcome for each file of a task. */
export type DecodeResult = readonly Decoded[];

/** Values of `DecodeTask.progress` beyond place 0; files that were not begun have 0. */
export const PROGRESS = { started: 1, done: 2 } as const;

/** Makes the memory for a list of files. */
export function newProgress(fileCount: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(1 + fileCount));
}

/** Asks the threads to skip what they have not begun. */
export function stop(progress: Uint8Array): void {
  Atomics.store(progress, 0, 1);
}

/** Whether `stop` was called. */
export function isStopped(progress: Uint8Array): boolean {
  return Atomics.load(progress, 0) === 1;
}
