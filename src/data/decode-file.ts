/** One image file -> one network input: what the worker threads do, and the calling thread where there are none. */
import { messageOf } from "../errors.ts";
import { preprocess } from "../transforms/preprocess.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import { decodeOrExplain } from "./decode.ts";
import { type DecodeResult, type DecodeTask, isStopped, PROGRESS } from "./decode-task.ts";
import { readBounded } from "./inspect.ts";

/** Decodes the files of a task one after another, until the list is stopped. */
export async function decodeFiles({ files, first, preprocessing, progress }: DecodeTask): Promise<DecodeResult> {
  const results: (Float32Array | string)[] = [];
  for (const [i, file] of files.entries()) {
    if (isStopped(progress)) break; // nobody waits for the rest
    Atomics.store(progress, 1 + first + i, PROGRESS.started);
    results.push(await decodeFile(file, preprocessing));
    Atomics.store(progress, 1 + first + i, PROGRESS.done);
  }
  return results;
}

/** Reads, decodes and preprocesses a file. Never throws: a failure is a text that reads on from the file's name. */
export async function decodeFile(file: string, preprocessing: Preprocessing): Promise<Float32Array | string> {
  try {
    const read = await readBounded(file);
    if ("problem" in read) return read.problem;
    const image = await decodeOrExplain(read.content);
    return "problem" in image ? image.problem : preprocess(image, preprocessing);
  } catch (error) {
    return `cannot be loaded (${messageOf(error)})`; // out of memory, for example
  }
}
