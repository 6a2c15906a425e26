/** Image files -> network inputs, decoded ahead of time on other threads, in the order of the list. */
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import type { Piscina } from "piscina";
import { listed, messageOf, RootstockError } from "../errors.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import {
  type Decoded,
  type DecodeResult,
  type DecodeTask,
  newProgress,
  PROGRESS,
  stop,
  TOO_LARGE,
} from "./decode-task.ts";

/** One preprocessed image. */
export interface LoadedImage {
  /** Index into the list of files. */
  readonly index: number;
  /** The network's input, 3 * height * width values, in memory of its own. */
  readonly pixels: Float32Array;
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

/** Files in one message to a thread. */
const TASK_FILES = 4;
/** Most preprocessed images that wait to be taken, as a count for each thread and as bytes altogether. */
const AHEAD_PER_THREAD = 32;
const AHEAD_BYTES = 2 ** 28;
/** Images under way in the calling thread when there are no others; the decoder works on them in parallel. */
const AHEAD_HERE = 4;
/** Below this many files, starting threads costs more than it saves. */
const FEW_FILES = 24;

/** Returns how many threads are worth starting for so many files: 0 for a few, else the cores, at most 8. */
export function suggestThreads(fileCount: number): number {
  if (fileCount < FEW_FILES) return 0;
  return Math.min(availableParallelism(), 8, Math.ceil(fileCount / TASK_FILES));
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
    this.#pool = startPool(threads, workerFile ?? ownWorkerFile());
    // A thread that fails while idle is replaced; one that fails at work rejects its tasks.
    this.#pool.on("error", () => undefined);
  }

  /**
   * Yields one result for each file, in the order given; reads ahead a bounded number of images.
   * Leaving the loop early stops the threads' work on the list.
   * @param sha256 The hash that each file must have; a file that has changed since is a `FailedImage`.
   * @throws RootstockError ABORTED if `signal` fires or the loader is closed; BAD_DATA if a thread dies on a file.
   */
  async *load(
    files: readonly string[],
    preprocessing: Preprocessing,
    signal?: AbortSignal,
    sha256?: readonly string[] | undefined,
  ): AsyncGenerator<LoadedImage | FailedImage, void, undefined> {
    this.#check(signal);
    const decode = this.#pool ? inThread(this.#pool) : (await import("./decode-file.ts")).decodeHere;
    const progress = newProgress(files.length);
    const { ahead, taskFiles } = readAhead(preprocessing, this.threads);
    const tasks: Posted[] = [];
    let posted = 0;
    let taken = 0;
    const post = (): void => {
      while (posted < files.length && (posted === taken || posted - taken + taskFiles <= ahead)) {
        const part = <T>(list: readonly T[]): readonly T[] => list.slice(posted, posted + taskFiles);
        const task = { files: part(files), sha256: sha256 && part(sha256), first: posted, preprocessing, progress };
        tasks.push({ task, result: this.#track(decode(task)) });
        posted += task.files.length;
      }
    };
    this.#lists.add(progress);
    try {
      post();
      for (let next = tasks.shift(); next !== undefined; next = tasks.shift()) {
        const results = await resultOf(next);
        for (const [i, outcome] of results.entries()) {
          this.#check(signal);
          taken++;
          post(); // before the consumer gets to work
          const result = outcome === TOO_LARGE ? await decodeLarge(next.task, i) : outcome;
          this.#check(signal);
          const index = next.task.first + i;
          yield typeof result === "string" ? { index, error: result } : { index, pixels: result };
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

interface Posted {
  readonly task: DecodeTask;
  readonly result: Promise<DecodeResult>;
}

/** Starts the threads at once; without threads, the pool's code is not even loaded. */
function startPool(threads: number, filename: string): Piscina<DecodeTask, DecodeResult> {
  // `require` returns what the package's types say, but is not typed itself.
  const { Piscina } = createRequire(import.meta.url)("piscina") as typeof import("piscina");
  return new Piscina({
    filename,
    name: "decodeTask",
    minThreads: threads,
    maxThreads: threads,
    // Tasks wait in the threads, not here: this thread may be blocked when one of them becomes free.
    concurrentTasksPerWorker: AHEAD_PER_THREAD,
    recordTiming: false,
    execArgv: [],
  });
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
  const at = files.filter((_, i) => progress[1 + first + i] === PROGRESS.started);
  const why = messageOf(cause);
  if (at.length === 0) return new RootstockError("INTERNAL", `internal: a decoding thread failed: ${why}.`, { cause });
  const todo = "Remove the file, or save it anew with an image editor.";
  return new RootstockError("BAD_DATA", `decoding ${listed(at)} ended a decoding thread: ${why}. ${todo}`, { cause });
}

/** How many images may be under way or waiting, and how many go into a task. */
function readAhead(
  { inputSize }: Preprocessing,
  threads: number,
): { readonly ahead: number; readonly taskFiles: number } {
  const fitting = Math.floor(AHEAD_BYTES / (inputSize[0] * inputSize[1] * 12));
  const wanted = threads === 0 ? AHEAD_HERE : Math.max(64, threads * AHEAD_PER_THREAD);
  const ahead = Math.max(1, Math.min(fitting, wanted));
  return { ahead, taskFiles: threads === 0 ? 1 : Math.max(1, Math.min(TASK_FILES, Math.floor(ahead / threads / 2))) };
}

function ownWorkerFile(): string {
  try {
    return createRequire(import.meta.url).resolve("#decode-worker");
  } catch (cause) {
    throw noWorkerFile(cause);
  }
}

function noWorkerFile(cause: unknown): RootstockError {
  const todo = "In a checkout run npm run build; in a bundled program pass workerFile.";
  return new RootstockError("INTERNAL", `internal: dist/data/decode-worker.js is missing. ${todo}`, { cause });
}
