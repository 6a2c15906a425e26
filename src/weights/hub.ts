/** Weights from anywhere: the file in the cache where it is right, else one download for all processes. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { RootstockError } from "../errors.ts";
import { addressOf, shownUrl } from "./addresses.ts";
import { checkCached, lockPath, noteRight, removeWeights, weightsPath } from "./cache.ts";
import { cacheFolder } from "./cache-folder.ts";
import { describeChecksum } from "./checksum.ts";
import { type DownloadOptions, download } from "./download.ts";
import { cannotWrite } from "./files.ts";
import { acquireLock } from "./lock.ts";
import { checkWeightsFile, type WeightsFile } from "./weights-file.ts";

export interface FetchOptions extends DownloadOptions {
  /** Folder of the files. @default cacheFolder("weights", environment) */
  readonly folder?: string | undefined;
  /** Called if another process downloads the same file; this one waits and uses what it gets. */
  readonly onWait?: (() => void) | undefined;
}

/**
 * Returns the path of a file of weights in the cache, and downloads it first where it is missing or wrong.
 *
 * Every byte is compared with the record's sum before the file takes its name; an interrupted download goes on where it
 * stopped. ROOTSTOCK_OFFLINE=1 forbids the network: the error says which file to put where.
 * @throws RootstockError DOWNLOAD, CHECKSUM_MISMATCH, CANNOT_WRITE, BAD_CONFIG or ABORTED.
 */
export async function fetchWeights(record: WeightsFile, options: FetchOptions = {}): Promise<string> {
  checkWeightsFile(record);
  const { environment = process.env, signal, onWait } = options;
  const { folder = cacheFolder("weights", environment) } = options;
  const path = weightsPath(folder, record);
  for (;;) {
    const cached = await stoppable(record, signal, () => checkCached(folder, record, signal));
    if (cached.kind === "right") return path;
    if (isOffline(environment)) throw offline(record, folder, cached.kind === "wrong" ? cached.got : undefined);
    await mkdir(dirname(path), { recursive: true }).catch((cause: unknown) => {
      throw cannotWrite(path, cause);
    });
    await using lock = await acquireLock(lockPath(folder, record), { signal, onWait });
    const now = await stoppable(record, signal, () => checkCached(folder, record, signal));
    if (now.kind === "right") return path; // another process was faster
    if (now.kind === "wrong") await removeWeights(folder, record.file);
    const stop = signal ? AbortSignal.any([signal, lock.lost]) : lock.lost;
    try {
      await noteRight(folder, record, await download(record, path, { ...options, signal: stop }));
      return path;
    } catch (error) {
      if (lock.lost.aborted && !signal?.aborted) continue; // another process goes on with it
      throw withPlace(error, record, folder);
    }
  }
}

/** Whether the environment forbids the network. */
export function isOffline(environment: NodeJS.ProcessEnv = process.env): boolean {
  return !/^(|0|false|no|off)$/i.test(environment["ROOTSTOCK_OFFLINE"]?.trim() ?? "");
}

function offline(record: WeightsFile, folder: string, got: string | undefined): RootstockError {
  const there = got === undefined ? "is not in the cache" : `is in the cache with other content (${got})`;
  return new RootstockError(
    "DOWNLOAD",
    `${record.file} ${there}, and ROOTSTOCK_OFFLINE forbids the network. Load ${sourceOf(record)} elsewhere, and put it at ${weightsPath(folder, record)}.`,
  );
}

/** The address that publishes a file, with what is known of its bytes: it goes to people without our settings. */
function sourceOf({ url, bytes, hash }: WeightsFile): string {
  const known = [
    ...(bytes === undefined ? [] : [`${bytes} bytes`]),
    ...(hash === undefined ? [] : [describeChecksum(hash)]),
  ];
  return `${shownUrl(addressOf(url, {}).url)}${known.length > 0 ? ` (${known.join(", ")})` : ""}`;
}

/** The same error, for one that another way to the file would help with. */
function withPlace(error: unknown, record: WeightsFile, folder: string): unknown {
  if (!(error instanceof RootstockError) || error.code !== "DOWNLOAD") return error;
  const advice = `Without this server, put ${sourceOf(record)} at ${weightsPath(folder, record)}.`;
  return new RootstockError(error.code, `${error.message} ${advice}`, { cause: error });
}

async function stoppable<T>(
  { file }: WeightsFile,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!signal?.aborted) throw cause;
    throw new RootstockError("ABORTED", `stopped while ${file} was compared with its checksum.`, { cause });
  }
}
