/** One image file -> one network input: what the worker threads do, and the calling thread where there are none. */
import { messageOf } from "../errors.ts";
import { preprocess } from "../transforms/preprocess.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import { decodeOrExplain } from "./decode.ts";
import { type Decoded, type DecodeResult, type DecodeTask, isStopped, PROGRESS } from "./decode-task.ts";
import { readBounded } from "./inspect.ts";

/** Decodes one file of a task and records its progress; does nothing once the list is stopped, when nobody waits. */
export async function decodeOne(
  { files, first, preprocessing, progress }: DecodeTask,
  index: number,
): Promise<Decoded> {
  if (isStopped(progress)) return "was left out";
  Atomics.store(progress, 1 + first + index, PROGRESS.started);
  const result = await decodeFile(files[index]!, preprocessing);
  Atomics.store(progress, 1 + first + index, PROGRESS.done);
  return result;
}

/** Decodes the files of a task in this thread, all at a time. */
export function decodeHere(task: DecodeTask): Promise<DecodeResult> {
  return Promise.all(task.files.map((_, index) => decodeOne(task, index)));
}

/** Reads, decodes and preprocesses a file. Never throws: a failure is a text that reads on from the file's name. */
export async function decodeFile(file: string, preprocessing: Preprocessing): Promise<Decoded> {
  try {
    const read = readBounded(file);
    if ("problem" in read) return read.problem;
    const image = await decodeOrExplain(read.content);
    return "problem" in image ? image.problem : preprocess(image, preprocessing);
  } catch (error) {
    return `cannot be loaded (${messageOf(error)})`; // out of memory, for example
  }
}
