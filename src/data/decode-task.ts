/** What the calling thread and the decoding threads say to each other. */
import type { Preprocessing } from "../transforms/preprocessing.ts";
import type { Augmentation } from "../transforms/transform.ts";
import type { ImageSource } from "./sample.ts";

/** How random views of images are made; the same recipe gives the same pixels, whatever thread, batch or order. */
export interface ViewRecipe {
  readonly augmentation: Augmentation;
  /** Decides, with the number of the view and the hash of the file, every random choice. */
  readonly seed: number | string;
}

/** Which views of each file to make: 0 is the clean image, as validation sees it, 1 and up are random. */
export interface FileViews extends ViewRecipe {
  /** The numbers of the views of each file, at least one. */
  readonly views: readonly (readonly number[])[];
}

/** A few files, or encoded images in memory, to decode in order. */
export interface DecodeTask {
  readonly files: readonly ImageSource[];
  /** The hash that each file must have, where it is known. */
  readonly sha256?: readonly string[] | undefined;
  /** Index of the first of them in the whole list. */
  readonly first: number;
  readonly preprocessing: Preprocessing;
  /** The views of each file; without them, the clean image alone. */
  readonly views?: FileViews | undefined;
  /** Shared memory: place 0 becomes 1 to stop the whole list, place 1 + index tells how far a file is. */
  readonly progress: Uint8Array;
}

/** The pixels of a file, one view after the other, or why there are none in words that read on from its name. */
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
