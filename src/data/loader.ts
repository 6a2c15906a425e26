/** Image files -> network inputs, decoded ahead of time on other threads, in the order of the list. */
import { availableParallelism } from "node:os";
import type { Piscina } from "piscina";
import { listed, messageOf, RootstockError } from "../errors.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import {
  type Decoded,
  type DecodeResult,
  type DecodeTask,
  type FileViews,
  newProgress,
  PROGRESS,
  stop,
  TOO_LARGE,
} from "./decode-task.ts";
import { AHEAD_PER_THREAD, type Entry, entriesOf, imagesOf, readAhead, TASK_IMAGES, taskLength } from "./read-ahead.ts";
import { type ImageSource, nameOfSource } from "./sample.ts";
import { startPool } from "./thread-pool.ts";

/** One preprocessed image. */
export interface LoadedImage {
  /** Index into the list of files. */
  readonly index: number;
  /** The network's input, 3 * height * width values, in memory that at most other views of the same file share. */
  readonly pixels: Float32Array;
  /** Which view it is, where views were asked for. */
  readonly view?: number | undefined;
}

/** An image that could not be loaded. */
export interface FailedImage {
  /** Index into the list of files. */
  readonly index: number;
  /** Why, in words that read on from the file's name. */
  readonly error: string;
}

/** How an `ImageLoader` works. */
export interface ImageLoaderOptions {
  /** Decoding threads; 0 decodes in the calling thread, see `suggestThreads`. @default the processor's cores, at most 8 */
  readonly threads?: number | undefined;
  /** The compiled worker module, for programs that were bundled into one file. @default this package's own */
  readonly workerFile?: string | undefined;
}

/** Below this many files, starting threads costs more than it saves. */
const FEW_FILES = 24;

/** Returns how many threads are worth starting for so many files: 0 for a few, else the cores, at most 8. */
export function suggestThreads(fileCount: number): number {
  if (fileCount < FEW_FILES) return 0;
  return Math.min(availableParallelism(), 8, Math.ceil(fileCount / TASK_IMAGES));
}

/**
 * Decodes and preprocesses images. With threads, work is posted to them well ahead of the consumer, so that they keep
 * decoding while the calling thread is blocked, as it is inside ONNX Runtime. Results never depend on `threads`.
 * Pictures of more than 34 megapixels are decoded in the calling thread, one at a time, when it is their turn, so that
 * memory does not grow with the number of threads.
 */
export class ImageLoader {
  readonly threads: number;
  readonly #pool: Piscina<DecodeTask, DecodeResult> | undefined;
  /** The progress of each list under way. */
  readonly #lists = new Set<Uint8Array>();
  readonly #pending = new Set<Promise<unknown>>();
  #closed = false;

  /** Starts the threads. @throws RangeError if `threads` is not a whole number from 0 to 256. */
  constructor({ threads = Math.min(availableParallelism(), 8), workerFile }: ImageLoaderOptions = {}) {
    if (!Number.isInteger(threads) || threads < 0 || threads > 256) {
      throw new RangeError(`ImageLoader requires threads to be a whole number from 0 to 256, got ${threads}.`);
    }
    this.threads = threads;
    if (threads === 0) return;
    this.#pool = startPool({
      ...{ worker: "#decode-worker", built: "dist/data/decode-worker.js", name: "decodeTask" },
      ...{ threads, workerFile },
      // Tasks wait in the threads, not here: this thread may be blocked when one of them becomes free.
      tasksPerThread: AHEAD_PER_THREAD,
    });
  }

  /**
   * Yields one result for each file, or encoded image in memory, in the order given; reads ahead a bounded number of images.
   * With `views`, yields each view of a file in turn, decoding the file once; a file that cannot be loaded fails once.
   * Leaving the loop early stops the threads' work on the list.
   * @param sha256 The hash that each file must have; a file that has changed since is a `FailedImage`.
   * @param views The views of each file, made by augmentation; without them, the clean images.
   * @throws RootstockError ABORTED if `signal` fires or the loader is closed; BAD_DATA if a thread dies on a file.
   */
  async *load(
    files: readonly ImageSource[],
    preprocessing: Preprocessing,
    signal?: AbortSignal,
    sha256?: readonly string[] | undefined,
    views?: FileViews | undefined,
  ): AsyncGenerator<LoadedImage | FailedImage, void, undefined> {
    this.#check(signal);
    const decode = this.#pool ? inThread(this.#pool) : (await import("./decode-file.ts")).decodeHere;
    const { ahead, taskImages, fileImages } = readAhead(preprocessing, this.threads);
    const entries = entriesOf(files.length, views, fileImages);
    const progress = newProgress(entries.length);
    const tasks: Posted[] = [];
    let posted = 0;
    let waiting = 0;
    const post = (): void => {
      while (posted < entries.length) {
        const part = entries.slice(posted, posted + taskLength(entries, posted, taskImages));
        const images = part.reduce((sum, entry) => sum + imagesOf(entry), 0);
        if (waiting > 0 && waiting + Math.max(images, taskImages) > ahead) return;
        const task: DecodeTask = {
          files: part.map(({ index }) => compact(files[index]!)),
          sha256: sha256 && part.map(({ index }) => sha256[index]!),
          views: views && { ...views, views: part.map((entry) => entry.views!) },
          first: posted,
          preprocessing,
          progress,
        };
        tasks.push({ task, result: this.#track(decode(task)) });
        posted += part.length;
        waiting += images;
      }
    };
    let failed = -1;
    this.#lists.add(progress);
    try {
      post();
      for (let next = tasks.shift(); next !== undefined; next = tasks.shift()) {
        const results = await resultOf(next);
        for (const [i, outcome] of results.entries()) {
          this.#check(signal);
          const entry = entries[next.task.first + i]!;
          waiting -= imagesOf(entry);
          post(); // before the consumer gets to work
          const result = outcome === TOO_LARGE ? await decodeLarge(next.task, i) : outcome;
          this.#check(signal);
          if (typeof result !== "string") yield* imagesIn(entry, result);
          else if (entry.index !== failed) yield { index: entry.index, error: result };
          if (typeof result === "string") failed = entry.index;
        }
        this.#check(signal);
      }
    } finally {
      stop(progress);
      this.#lists.delete(progress);
    }
  }

  /** Stops all lists under way, then the threads. May be called twice. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const progress of this.#lists) stop(progress);
    await Promise.allSettled(this.#pending); // a thread must not be ended inside the decoder
    await this.#pool?.destroy();
  }

  #track(result: Promise<DecodeResult>): Promise<DecodeResult> {
    this.#pending.add(result);
    const forget = (): boolean => this.#pending.delete(result);
    result.then(forget, forget); // a failure is reported when its turn comes, unless the list is left before
    return result;
  }

  #check(signal: AbortSignal | undefined): void {
    if (signal?.aborted) throw new RootstockError("ABORTED", "loading images was stopped.", { cause: signal.reason });
    if (this.#closed) throw new RootstockError("ABORTED", "loading images ended because the loader was closed.");
  }
}

/** One at a time, in this thread: a thread's pixels stay in memory until it collects its garbage. */
async function decodeLarge(task: DecodeTask, index: number): Promise<Decoded> {
  return await (await import("./decode-file.ts")).decodeLarge(task, index);
}

/** The images of an entry, one for each view. */
function* imagesIn({ index, views }: Entry, pixels: Float32Array): Generator<LoadedImage, void, undefined> {
  if (!views) return yield { index, pixels };
  const size = pixels.length / views.length;
  for (const [i, view] of views.entries()) yield { index, view, pixels: pixels.subarray(i * size, (i + 1) * size) };
}

/** An image in memory by itself: what is sent to a thread takes the whole array that it is a part of along. */
function compact(source: ImageSource): ImageSource {
  return typeof source === "string" || source.byteLength === source.buffer.byteLength
    ? source
    : Uint8Array.from(source);
}

interface Posted {
  readonly task: DecodeTask;
  readonly result: Promise<DecodeResult>;
}

function inThread(pool: Piscina<DecodeTask, DecodeResult>): (task: DecodeTask) => Promise<DecodeResult> {
  return (task) => pool.run(task);
}

async function resultOf({ task, result }: Posted): Promise<DecodeResult> {
  try {
    return await result;
  } catch (cause) {
    throw threadFailure(task, cause);
  }
}

/** An error that names the file at which a thread ended, as far as the shared progress tells. */
function threadFailure({ files, first, progress }: DecodeTask, cause: unknown): RootstockError {
  const at = files.map(nameOfSource).filter((_, i) => progress[1 + first + i] === PROGRESS.started);
  const why = messageOf(cause);
  if (at.length === 0) return new RootstockError("INTERNAL", `internal: a decoding thread failed: ${why}.`, { cause });
  const todo = "Remove the file, or save it anew with an image editor.";
  return new RootstockError("BAD_DATA", `decoding ${listed(at)} ended a decoding thread: ${why}. ${todo}`, { cause });
}
