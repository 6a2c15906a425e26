/** Whether a process is making a run: read from the lock in its folder. */
import { lstat } from "node:fs/promises";
import { isRunning } from "../../weights/is-running.ts";
import { now } from "../run-record.ts";
import { readWhole } from "./read-file.ts";

/** A process id and some white space. */
const MAX_LOCK_BYTES = 64;

/** What the lock of a run's folder says. */
export type Owner =
  | { readonly kind: "none" }
  /** A process of this machine that lives. */
  | { readonly kind: "running"; readonly process: number }
  /** No process of this machine that lives; another machine or container may still hold it. */
  | { readonly kind: "gone" };

/** Reads the lock in a run's folder. A lock that cannot be read belongs to somebody: `process` is 0 then. */
export async function ownerOf(lock: string): Promise<Owner> {
  const read = await readWhole(lock, MAX_LOCK_BYTES);
  if (read === undefined) return { kind: "none" };
  if ("problem" in read) return { kind: "running", process: 0 };
  const text = read.content.toString("latin1").trim();
  const id = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (id === 0 || !isRunning(id)) return { kind: "gone" };
  if (id === process.pid && (await isOlderThanThisProcess(lock))) return { kind: "gone" };
  return { kind: "running", process: id };
}

/** Another container may have had this process's id. */
async function isOlderThanThisProcess(path: string): Promise<boolean> {
  const began = now() - 1000 * process.uptime();
  const written = await lstat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => began,
  );
  return written < began - 2000; // file systems round times
}
