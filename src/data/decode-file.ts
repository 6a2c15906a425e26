/** One image file -> one network input: what the worker threads do, and the calling thread where there are none. */
import { createHash } from "node:crypto";
import { messageOf } from "../errors.ts";
import { preprocess } from "../transforms/preprocess.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import { decodeOrExplain, pixelProblem } from "./decode.ts";
import {
  type Decoded,
  type DecodeResult,
  type DecodeTask,
  isStopped,
  LARGE_PIXELS,
  PROGRESS,
  TOO_LARGE,
} from "./decode-task.ts";
import { readBounded } from "./inspect.ts";

/** Decodes one file of a task and records its progress; does nothing once the list is stopped, when nobody waits. */
export async function decodeOne(
  { files, sha256, first, preprocessing, progress }: DecodeTask,
  index: number,
): Promise<Decoded> {
  if (isStopped(progress)) return "was left out";
  Atomics.store(progress, 1 + first + index, PROGRESS.started);
  const limits = { sha256: sha256?.[index], maxPixels: LARGE_PIXELS };
  const result = await decodeFile(files[index]!, preprocessing, limits);
  Atomics.store(progress, 1 + first + index, PROGRESS.done);
  return result === pixelProblem(LARGE_PIXELS) ? TOO_LARGE : result;
}

/** Decodes a file of a task whose outcome was `TOO_LARGE`. */
export function decodeLarge({ files, sha256, preprocessing }: DecodeTask, index: number): Promise<Decoded> {
  return decodeFile(files[index]!, preprocessing, { sha256: sha256?.[index] });
}

/** Decodes the files of a task in this thread, all at a time. */
export function decodeHere(task: DecodeTask): Promise<DecodeResult> {
  return Promise.all(task.files.map((_, index) => decodeOne(task, index)));
}

/**
 * Reads, decodes and preprocesses a file. Never throws: a failure is a text that reads on from the file's name.
 * With `sha256`, a file of other content is a failure; so is a picture of more than `maxPixels`.
 */
export async function decodeFile(
  file: string,
  preprocessing: Preprocessing,
  { sha256, maxPixels }: { readonly sha256?: string | undefined; readonly maxPixels?: number | undefined } = {},
): Promise<Decoded> {
  try {
    const read = readBounded(file);
    if ("problem" in read) return read.problem;
    if (sha256 !== undefined && createHash("sha256").update(read.content).digest("hex") !== sha256)
      return "changed while it was read; run again";
    const image = await decodeOrExplain(read.content, maxPixels);
    return "problem" in image ? image.problem : preprocess(image, preprocessing);
  } catch (error) {
    return `cannot be loaded (${messageOf(error)})`; // out of memory, for example
  }
}
