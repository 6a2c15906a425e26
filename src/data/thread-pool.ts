/** Starts the worker threads of this package, each kind from a compiled module of its own. */
import { createRequire } from "node:module";
import type { Piscina } from "piscina";
import { RootstockError } from "../errors.ts";

export interface ThreadPoolOptions {
  /** The worker's name in package.json's imports, such as "#decode-worker". */
  readonly worker: string;
  /** The file that the name stands for, for the message where it is missing. */
  readonly built: string;
  /** The function of the module that takes the tasks. */
  readonly name: string;
  readonly threads: number;
  /** Tasks that one thread may hold at a time. @default 1 */
  readonly tasksPerThread?: number | undefined;
  /** The compiled module, for programs that were bundled into one file. @default this package's own */
  readonly workerFile?: string | undefined;
}

/**
 * Starts the threads at once; without a call, the pool's code is not even loaded. A thread that fails while idle is
 * replaced; one that fails at work rejects its tasks.
 * @throws RootstockError INTERNAL if the compiled module is missing.
 */
export function startPool<Task, Result>({
  worker,
  built,
  name,
  threads,
  tasksPerThread = 1,
  workerFile,
}: ThreadPoolOptions): Piscina<Task, Result> {
  const require = createRequire(import.meta.url);
  // `require` returns what the package's types say, but is not typed itself.
  const { Piscina } = require("piscina") as typeof import("piscina");
  const pool = new Piscina<Task, Result>({
    filename: workerFile ?? ownWorkerFile(require, worker, built),
    name,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: tasksPerThread,
    recordTiming: false,
    execArgv: [],
  });
  pool.on("error", () => undefined);
  return pool;
}

function ownWorkerFile(require: NodeJS.Require, worker: string, built: string): string {
  try {
    return require.resolve(worker);
  } catch (cause) {
    const todo = "In a checkout run npm run build; in a bundled program leave this package out of the bundle.";
    throw new RootstockError("INTERNAL", `internal: ${built} is missing. ${todo}`, { cause });
  }
}
