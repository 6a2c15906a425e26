/** What runs in a decoding thread: takes tasks of a few files, decodes one picture at a time, hands the pixels over. */
import { move, transferableSymbol, valueSymbol } from "piscina";
import { useOneThreadPerImage } from "./decode.ts";
import { decodeFiles } from "./decode-file.ts";
import type { DecodeResult, DecodeTask } from "./decode-task.ts";

useOneThreadPerImage();

let queue: Promise<unknown> = Promise.resolve();

/** Decodes the files of a task; tasks that arrive meanwhile wait, so that a thread holds one decoded picture at a time. */
export function decodeTask(task: DecodeTask): Promise<unknown> {
  const result = queue.then(() => decodeFiles(task));
  queue = result;
  return result.then(transferred);
}

/** Marks the pixels to change threads without being copied. */
function transferred(results: DecodeResult): unknown {
  const buffers = results.flatMap((result) => (typeof result === "string" ? [] : [result.buffer]));
  return move({ [transferableSymbol]: buffers, [valueSymbol]: results });
}
