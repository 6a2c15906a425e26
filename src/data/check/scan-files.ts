/** Scans many files on other threads; what is under way at any moment is bounded, and so is memory. */
import { listed, messageOf, RootstockError } from "../../errors.ts";
import { suggestThreads } from "../loader.ts";
import { type ImageSource, nameOfSource } from "../sample.ts";
import { startPool } from "../thread-pool.ts";
import { isLeftForLater, type Scanned } from "./scan-file.ts";

/** How files are scanned. */
export interface ScanOptions {
  /** Scanning threads; 0 scans in the calling thread. @default the processor's cores, at most 8; 0 for a few files */
  readonly threads?: number | undefined;
  /** The compiled worker module, for programs that were bundled into one file. @default this package's own */
  readonly workerFile?: string | undefined;
  /** Called with the number of files that are done. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Stops scanning. */
  readonly signal?: AbortSignal | undefined;
}

type ScanTask = (files: readonly ImageSource[]) => Promise<readonly Scanned[]>;

/** Files in one message to a thread. */
const TASK_FILES = 8;
/** Messages under way for each thread. */
const TASKS_AHEAD = 3;

/**
 * Scans files; results are in the files' order and do not depend on the number of threads. Pictures of more than 34
 * megapixels are scanned last, one at a time in the calling thread, so that memory does not grow with the threads.
 * @throws RootstockError ABORTED; BAD_DATA if a thread dies on a file.
 */
export async function scanFiles(files: readonly ImageSource[], options: ScanOptions = {}): Promise<Scanned[]> {
  const { threads = suggestThreads(files.length), workerFile, onProgress, signal } = options;
  if (!Number.isInteger(threads) || threads < 0 || threads > 256)
    throw new RangeError(`scanFiles requires threads to be a whole number from 0 to 256, got ${threads}.`);
  const pool =
    threads > 0
      ? startPool<readonly ImageSource[], readonly Scanned[]>({
          ...{ worker: "#scan-worker", built: "dist/data/check/scan-worker.js", name: "scanTask" },
          ...{ threads, workerFile },
        })
      : undefined;
  const scan: ScanTask = pool ? (task) => pool.run(task) : (await import("./scan-worker.ts")).scanTask;
  const results: Scanned[] = new Array(files.length);
  let done = 0;
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < files.length) {
      checkSignal(signal);
      const first = next;
      next += TASK_FILES;
      const task = files.slice(first, next);
      for (const [i, result] of (await scanned(task, scan)).entries()) results[first + i] = result;
      done += task.length;
      onProgress?.(done, files.length);
    }
  };
  try {
    const lanes = Array.from({ length: Math.max(1, threads * TASKS_AHEAD) }, work);
    const outcomes = await Promise.allSettled(lanes); // a thread must not be ended inside the decoder
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  } finally {
    await pool?.destroy();
  }
  await scanLarge(files, results, signal);
  return results;
}

async function scanLarge(
  files: readonly ImageSource[],
  results: Scanned[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const [i, result] of results.entries()) {
    if (!isLeftForLater(result)) continue;
    checkSignal(signal);
    const { scanFile } = await import("./scan-file.ts");
    results[i] = await scanFile(files[i]!);
  }
}

async function scanned(task: readonly ImageSource[], scan: ScanTask): Promise<readonly Scanned[]> {
  try {
    return await scan(task);
  } catch (cause) {
    const what = `checking one of ${listed(task.map(nameOfSource), TASK_FILES)} ended a scanning thread: ${messageOf(cause)}.`;
    throw new RootstockError("BAD_DATA", `${what} Remove the file, or save it anew with an image editor.`, { cause });
  }
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new RootstockError("ABORTED", "checking images was stopped.", { cause: signal.reason });
}
