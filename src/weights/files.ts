/**
 * Writing files so that nothing is ever half there: a temporary name beside the target, then a rename. Both the bytes
 * and the name are on the disk before a write is over.
 */
import { randomBytes } from "node:crypto";
import { statfsSync } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf, RootstockError } from "../errors.ts";
import { isRunning } from "./is-running.ts";

/** Files being written start with this; whoever finds an old one may delete it. */
export const PARTIAL_PREFIX = ".partial-";

/** A temporary name with its writer's process id. */
const TEMPORARY = /^\.partial-(\d{1,10})-[0-9a-f]{12}-/;

/** Temporary names that this process is writing to: another container may have had the same process id. */
const writing = new Set<string>();

/** What systems answer that have nothing to bring to the disk, or folders that cannot be opened like files. */
const NO_FOLDER_SYNC = new Set(["EACCES", "EBADF", "EINVAL", "EISDIR", "ENOTSUP", "EPERM"]);

/**
 * Writes chunks to `path` through a temporary file in the same folder, which is made if needed.
 * @throws RootstockError CANNOT_WRITE, or what `accept` throws.
 * @param accept looks at the finished temporary file before it takes the name; if it throws, `path` stays as it was.
 */
export async function writeAtomically(
  path: string,
  chunks: readonly (Uint8Array | string)[],
  accept: (temporary: string) => Promise<void> = async () => {},
): Promise<void> {
  await mkdir(dirname(path), { recursive: true }).catch((cause: unknown) => {
    throw cannotWrite(path, cause);
  });
  const name = `${PARTIAL_PREFIX}${process.pid}-${randomBytes(6).toString("hex")}-${basename(path)}`;
  const temporary = join(dirname(path), name);
  writing.add(name);
  try {
    const file = await open(temporary, "wx");
    try {
      for (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await accept(temporary);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // what went wrong first is what counts
    throw error instanceof Error && "syscall" in error ? cannotWrite(path, error, sizeOf(chunks)) : error;
  } finally {
    writing.delete(name);
  }
}

/** Brings the names in a folder to the disk, where the system can. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, "r");
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code; // errors of node:fs carry a code
    if (!NO_FOLDER_SYNC.has(code ?? "")) throw error;
  }
}

/**
 * Deletes what processes that are gone were writing into a folder with `writeAtomically`. Files of processes that run
 * on this machine stay; those of another machine that shares the folder look like those of the dead.
 */
export async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = Number(TEMPORARY.exec(name)?.[1]);
    if (!(pid > 0) || writing.has(name) || (pid !== process.pid && isRunning(pid))) continue;
    await rm(join(folder, name), { force: true }).catch(() => {}); // a folder that may only be read keeps it
  }
}

/** What a file that found no room would have taken, and what was left of its disk: both in bytes. */
export interface Room {
  readonly bytes: number;
  readonly free: number;
}

const rooms = new WeakMap<RootstockError, Room>();

/**
 * The error for a file that the system did not let us write. Where its disk is full, it says what is free of it.
 * @param bytes Size of what was to be written, if it is known.
 */
export function cannotWrite(path: string, cause: unknown, bytes?: number): RootstockError {
  const free = isFull(cause) ? bytesFree(dirname(path)) : undefined;
  const wanted = bytes === undefined ? "" : `${bytes} bytes were to be written, `;
  const room = free === undefined ? "" : ` (${wanted}${free} are free on its disk)`;
  const error = new RootstockError(
    "CANNOT_WRITE",
    `cannot write ${path}: ${messageOf(cause)}${room}. Choose another place, or make room.`,
    { cause },
  );
  if (bytes !== undefined && free !== undefined) rooms.set(error, { bytes, free });
  return error;
}

/** The room that a file did not find, if that is why `cannotWrite` gave this error. */
export function missingRoom(error: unknown): Room | undefined {
  return error instanceof RootstockError ? rooms.get(error) : undefined;
}

/** Whether the system said that a disk, or what a person may use of it, is full. */
function isFull(cause: unknown): boolean {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT";
}

/** Bytes that may still be written to the disk of a folder; undefined where the system does not say. */
function bytesFree(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

function sizeOf(chunks: readonly (Uint8Array | string)[]): number {
  return chunks.reduce((sum, chunk) => sum + Buffer.byteLength(chunk), 0);
}

/** Writes a value as indented JSON, atomically. */
export function writeJson(path: string, value: unknown): Promise<void> {
  return writeAtomically(path, [`${JSON.stringify(value, undefined, 2)}\n`]);
}
