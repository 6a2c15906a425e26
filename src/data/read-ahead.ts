/** How a loader's list is cut into tasks: by images, not by files, so that memory is bounded whatever the number of views. */
import type { Preprocessing } from "../transforms/preprocessing.ts";
import type { FileViews } from "./decode-task.ts";

/** Images in one message to a thread. */
export const TASK_IMAGES = 4;
/** Most preprocessed images that wait to be taken, for each thread. */
export const AHEAD_PER_THREAD = 32;
/** Most bytes of preprocessed images that wait to be taken, altogether. */
const AHEAD_BYTES = 2 ** 28;
/** Images under way in the calling thread when there are no others; the decoder works on them in parallel. */
const AHEAD_HERE = 4;

/** How much a loader does ahead of its consumer. */
export interface ReadAhead {
  /** Images that may be under way or waiting. */
  readonly ahead: number;
  /** Images of one task. */
  readonly taskImages: number;
  /** Views that are made of one file at a time. */
  readonly fileImages: number;
}

/** Returns how many images may be under way or waiting, how many go into a task, and how many may come from one file. */
export function readAhead({ inputSize }: Preprocessing, threads: number): ReadAhead {
  const fitting = Math.max(1, Math.floor(AHEAD_BYTES / (inputSize[0] * inputSize[1] * 12)));
  const wanted = threads === 0 ? AHEAD_HERE : Math.max(64, threads * AHEAD_PER_THREAD);
  const ahead = Math.min(fitting, wanted);
  const taskImages = threads === 0 ? 1 : Math.max(1, Math.min(TASK_IMAGES, Math.floor(ahead / threads / 2)));
  return { ahead, taskImages, fileImages: fitting };
}

/** A file to decode, and which views of it. */
export interface Entry {
  readonly index: number;
  readonly views: readonly number[] | undefined;
}

/** One entry for each file; a file with more than `most` views is decoded again for the rest. */
export function entriesOf(count: number, views: FileViews | undefined, most: number): Entry[] {
  const entries: Entry[] = [];
  for (let index = 0; index < count; index++) {
    const own = views?.views[index];
    if (!own) entries.push({ index, views: undefined });
    else for (let at = 0; at < own.length; at += most) entries.push({ index, views: own.slice(at, at + most) });
  }
  return entries;
}

/** How many images an entry gives. */
export function imagesOf({ views }: Entry): number {
  return views?.length ?? 1;
}

/** How many entries from `start` on make a task of about `taskImages` images, at least one. */
export function taskLength(entries: readonly Entry[], start: number, taskImages: number): number {
  let count = 1;
  let images = imagesOf(entries[start]!);
  for (let at = start + 1; at < entries.length; at++, count++) {
    images += imagesOf(entries[at]!);
    if (images > taskImages) break;
  }
  return count;
}
