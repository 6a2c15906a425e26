/** What runs in a decoding thread: takes tasks of a few files, decodes them, hands the pixels over. */
import { move, transferableSymbol, valueSymbol } from "piscina";
import { useOneThreadPerImage } from "./decode.ts";
import { decodeOne } from "./decode-file.ts";
import type { DecodeResult, DecodeTask } from "./decode-task.ts";

useOneThreadPerImage();

/** Two pictures at a time: while the decoder works on one, in a thread of its own, this thread resizes the other. */
const lanes: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];
let turn = 0;

/** Decodes the files of a task after those of earlier tasks. */
export async function decodeTask(task: DecodeTask): Promise<unknown> {
  return transferred(await Promise.all(task.files.map((_, index) => inLane(() => decodeOne(task, index)))));
}

function inLane<T>(work: () => Promise<T>): Promise<T> {
  const lane = turn++ % lanes.length;
  const result = lanes[lane]!.then(work);
  lanes[lane] = result;
  return result;
}

/** Marks the pixels to change threads without being copied. */
function transferred(results: DecodeResult): unknown {
  const buffers = results.flatMap((result) => (typeof result === "string" ? [] : [result.buffer]));
  return move({ [transferableSymbol]: buffers, [valueSymbol]: results });
}
