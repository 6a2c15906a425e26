/**
 * Deletes runs that nobody needs, and nothing else: only files by the names that a run writes, only in folders whose
 * config.json says that they are a run's, never through a link, and never in a folder that a process holds.
 */
import { mkdir, rm, rmdir, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RootstockError } from "../../errors.ts";
import { RUN_FILES, TURN } from "../run-folder.ts";
import { now } from "../run-record.ts";
import { isInPlace, type RunList, sortRuns } from "./list-runs.ts";
import { type RunSummary, readRun } from "./load-run.ts";
import { CHECKPOINTS, inventory, type RunFile } from "./run-files.ts";

export interface PruneOptions {
  /**
   * All complete runs go but so many, and with them runs without a result that began before the oldest that stays.
   * Running and damaged ones stay.
   */
  readonly keep?: number | undefined;
  /** Runs without a result go, unless they have checkpoints to go on from. @default false */
  readonly incomplete?: boolean | undefined;
  /** Checkpoints of complete runs go; what was measured, and the model, stay. @default false */
  readonly checkpoints?: boolean | undefined;
  /** The order that `keep` counts in: the newest first, or the best first by this measure. @default the newest first */
  readonly sort?: string | undefined;
}

/** What of one run would go. */
export interface PruneItem {
  readonly run: RunSummary;
  readonly what: "run" | "checkpoints";
  readonly files: readonly RunFile[];
  readonly bytes: number;
  /** Names in the folder that no run writes: they stay, and the folder with them. */
  readonly foreign: readonly string[];
}

export interface PrunePlan {
  readonly folder: string;
  readonly items: readonly PruneItem[];
  /** Runs that were asked for and stay, with the reason. */
  readonly spared: readonly { readonly run: RunSummary; readonly reason: string }[];
  readonly bytes: number;
}

/** What became of one item. */
export interface Pruned {
  readonly run: RunSummary;
  /** Bytes that were freed. */
  readonly bytes: number;
  /** Why not all of it is gone, if it is not. */
  readonly problem?: string | undefined;
}

/** A lock without a process may be another machine's: it is left alone while anything in the folder changes. */
const QUIET_MS = 10 * 60 * 1000;

/**
 * Finds what would go; deletes nothing.
 * @throws RootstockError BAD_CONFIG if `keep` is no whole number from 1.
 */
export async function planPrune(
  list: RunList,
  { keep, incomplete = false, checkpoints = false, sort }: PruneOptions,
): Promise<PrunePlan> {
  if (keep !== undefined && !(Number.isSafeInteger(keep) && keep >= 1))
    throw new RootstockError("BAD_CONFIG", `keep requires a whole number from 1, got ${keep}.`);
  const ordered = sortRuns(list.runs, sort);
  const beyond = keep === undefined ? new Set() : beyondKept(ordered, keep);
  const items: PruneItem[] = [];
  const spared: { run: RunSummary; reason: string }[] = [];
  for (const run of ordered) {
    const what = ((): PruneItem["what"] | undefined => {
      if (beyond.has(run) || (incomplete && run.state === "incomplete")) return "run";
      return checkpoints && run.state === "complete" && run.checkpoints > 0 ? "checkpoints" : undefined;
    })();
    const reason = what === undefined ? reasonToStay(run, incomplete) : await reasonToSpare(list, run);
    if (reason !== undefined) spared.push({ run, reason });
    else if (what !== undefined) items.push(await itemOf(run, what));
  }
  return { folder: list.folder, items, spared, bytes: sum(items) };
}

/**
 * Deletes what a plan lists. Each run is looked at again before: one that was taken up meanwhile is left alone, and what
 * cannot be deleted is told, never thrown.
 */
export async function prune({ folder, items }: PrunePlan): Promise<Pruned[]> {
  const pruned: Pruned[] = [];
  for (const { run, what } of items) pruned.push(await pruneRun({ folder }, run, what));
  return pruned;
}

/** Runs behind the first complete ones, and the leftovers of those times. */
function beyondKept(ordered: readonly RunSummary[], keep: number): ReadonlySet<unknown> {
  const complete = ordered.filter(({ state }) => state === "complete");
  const kept = complete.slice(0, keep);
  const oldest = kept.length < keep ? "" : (kept.map(({ startedAt = "" }) => startedAt).sort()[0] ?? "");
  const left = ordered.filter(
    ({ state, startedAt }) => (state === "interrupted" || state === "incomplete") && (startedAt ?? oldest) < oldest,
  );
  return new Set([...complete.slice(keep), ...left]);
}

/** Why a run that no option chose is worth a word. */
function reasonToStay({ state, process, problems }: RunSummary, incomplete: boolean): string | undefined {
  if (state === "running") return process === 0 ? "is locked" : `is running (process ${process})`;
  if (state === "damaged") return `is damaged: ${problems[0]}`;
  return state === "interrupted" && incomplete ? "has checkpoints to go on from" : undefined;
}

/** Why a run must not be touched. */
async function reasonToSpare(list: Pick<RunList, "folder">, run: RunSummary): Promise<string | undefined> {
  if (!(await isInPlace(list, run.path))) return "is not a folder of its own: it leads to another place";
  if (run.abandonedLock && now() - (await lastChange(run.path)) < QUIET_MS)
    return "has a lock and changed in the last 10 minutes: another machine may be making it";
  return undefined;
}

async function lastChange(path: string): Promise<number> {
  const times = await Promise.all(
    [CHECKPOINTS, RUN_FILES.lock, RUN_FILES.config, RUN_FILES.metrics].map((name) =>
      stat(join(path, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return Math.max(...times);
}

async function itemOf(run: RunSummary, what: PruneItem["what"]): Promise<PruneItem> {
  const { files, checkpoints, foreign } = await inventory(run.path);
  const going = what === "run" ? [...files, ...checkpoints] : checkpoints;
  return { run, what, files: going, bytes: sum(going), foreign: what === "run" ? foreign : [] };
}

/** Deletes one run, or its checkpoints, while no other process can claim its folder. */
async function pruneRun(list: Pick<RunList, "folder">, run: RunSummary, what: PruneItem["what"]): Promise<Pruned> {
  const turn = join(run.path, TURN);
  let bytes = 0;
  let lock: string | undefined;
  try {
    await mkdir(turn);
  } catch (error) {
    return { run, bytes, problem: `cannot be taken: ${messageOf(error)}` };
  }
  try {
    const state = (await readRun(run.path))?.summary.state;
    const reason = await reasonToSpare(list, run);
    if (state !== run.state || reason !== undefined)
      return { run, bytes, problem: reason ?? `is ${state ?? "gone"} and was ${run.state} when it was chosen` };
    const { files } = await itemOf(run, what);
    lock = await takeLock(run.path);
    for (const { path, bytes: size } of inOrder(files)) {
      if (path !== RUN_FILES.lock) await unlink(join(run.path, path));
      bytes += size;
    }
    const { folders } = await inventory(run.path);
    for (const folder of what === "run" ? folders : [CHECKPOINTS]) await removeEmpty(join(run.path, folder));
  } catch (error) {
    return { run, bytes, problem: `cannot be deleted: ${messageOf(error)}` };
  } finally {
    if (lock !== undefined) await unlink(lock).catch(() => {});
    await removeEmpty(turn);
  }
  if (what === "run") await removeEmpty(run.path);
  return { run, bytes };
}

/** Puts this process's lock in the place of a dead one, so that others stay away however long deleting takes. */
async function takeLock(path: string): Promise<string> {
  const lock = join(path, RUN_FILES.lock);
  await rm(lock, { force: true }); // a link goes, not what it leads to
  await writeFile(lock, String(process.pid), { flag: "wx" });
  return lock;
}

/** The result first, so that half a run never looks complete; the mark of a run last, so that the rest can go later. */
function inOrder(files: readonly RunFile[]): RunFile[] {
  const ranks: Readonly<Record<string, number>> = { [RUN_FILES.result]: 0, [RUN_FILES.config]: 2 };
  const rank = ({ path }: RunFile): number => ranks[path] ?? 1;
  return files.toSorted((a, b) => rank(a) - rank(b));
}

/** Removes a folder if nothing is in it. */
async function removeEmpty(path: string): Promise<void> {
  await rmdir(path).catch(() => {});
}

function sum(parts: readonly { readonly bytes: number }[]): number {
  return parts.reduce((total, { bytes }) => total + bytes, 0);
}
