/** Downloads one file: how often it is tried, and how long is waited in between. The caller holds the target's lock. */
import { setTimeout as wait } from "node:timers/promises";
import { RootstockError } from "../errors.ts";
import { type Rng, rng } from "../random.ts";
import { type Address, addressOf, shownUrl } from "./addresses.ts";
import { openClient } from "./request.ts";
import { type Downloaded, type DownloadProgress, Transfer } from "./transfer.ts";
import type { WeightsFile } from "./weights-file.ts";

export interface DownloadOptions {
  /** Mirrors, tokens and proxies are read from here. @default process.env */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /** Stops the download; what has arrived is kept, and the next call goes on from there. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Attempts in a row that bring less than a megabyte before it is given up, from 1. @default 5 */
  readonly attempts?: number | undefined;
  /** Milliseconds without a byte after which an attempt has failed. @default 30000 */
  readonly stallMs?: number | undefined;
  /** Most bytes of a file whose size is not known; about twice `approximateBytes` where the record has it. @default 10e9 */
  readonly maxBytes?: number | undefined;
  /** Waits between attempts, in milliseconds. @default a timer */
  readonly sleep?: ((ms: number, signal: AbortSignal | undefined) => Promise<void>) | undefined;
  /** Decides how much each wait differs from its plan: differently in every process, so that they do not come back together. @default process.pid */
  readonly seed?: number | string | undefined;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 60_000;
/** Bytes by which an attempt must get further than all before it to count as a success. */
const STEP = 1e6;

/**
 * Downloads `file` to `target` and returns its size and sum.
 * @throws RootstockError DOWNLOAD, CHECKSUM_MISMATCH, CANNOT_WRITE, BAD_CONFIG or ABORTED.
 */
export async function download(
  file: WeightsFile,
  target: string,
  {
    environment = process.env,
    signal,
    onProgress,
    attempts = 5,
    stallMs = 30_000,
    maxBytes = 10e9,
    sleep = (ms, stop) => wait(ms, undefined, { signal: stop }),
    seed = process.pid,
  }: DownloadOptions = {},
): Promise<Downloaded> {
  const address = addressOf(file.url, environment);
  const client = await openClient({ environment, stallMs });
  const jitter = rng(seed).fork(file.file);
  const transfer = new Transfer({ file, target, address, client, signal, onProgress, maxBytes });
  try {
    let reached = 0;
    for (let failures = 0; ; ) {
      const outcome = await transfer.attempt();
      if (outcome.kind === "done") return outcome.downloaded;
      failures = transfer.furthest >= reached + STEP ? 1 : failures + 1;
      reached = Math.max(reached, transfer.furthest);
      if (failures >= attempts) throw givenUp(outcome.why, failures, transfer, address);
      await sleep(waitBefore(failures, outcome.waitMs, jitter), signal);
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new RootstockError("ABORTED", `the download of ${file.file} stopped ${transfer.progress()}.`, {
      cause: error,
    });
  } finally {
    await transfer.close();
    await client.close();
  }
}

/** Twice as long after every failure, less up to half of it; at least what the server asked for, within the limit. */
function waitBefore(failures: number, asked: number | undefined, jitter: Rng): number {
  const planned = FIRST_WAIT_MS * 2 ** (failures - 1) * (1 - jitter.next() / 2);
  return Math.min(LONGEST_WAIT_MS, Math.max(planned, asked ?? 0));
}

function givenUp(why: string, failures: number, transfer: Transfer, address: Address): RootstockError {
  const times = failures === 1 ? "" : ` ${failures} times`;
  return new RootstockError(
    "DOWNLOAD",
    `cannot download ${shownUrl(address.url)}: ${why}${times}. It stopped ${transfer.progress()}; run it again to go on.`,
  );
}
