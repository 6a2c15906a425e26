/** Lists the runs in a folder, whatever else is in it. */
import { lstat, opendir, realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import { RootstockError } from "../../errors.ts";
import { type RunSummary, readRun } from "./load-run.ts";
import { isHigherBetter, type Measure } from "./measures.ts";
import { problemOf } from "./read-file.ts";

/** Folders beyond are not looked at: nobody keeps so many runs in one place. */
const MAX_FOLDERS = 100_000;

export interface RunList {
  readonly folder: string;
  /** The newest first. */
  readonly runs: readonly RunSummary[];
  /** Names of symbolic links in the folder: they are not followed. */
  readonly links: readonly string[];
}

export interface ListRunsOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Lists every run directly in `folder`, or the folder itself if it is a run's. Broken runs are listed with their problems.
 * @throws RootstockError BAD_CONFIG if the folder cannot be read, ABORTED through `signal`.
 */
export async function listRuns(folder: string, { signal }: ListRunsOptions = {}): Promise<RunList> {
  const itself = await readRun(folder);
  if (itself) return { folder, runs: [itself.summary], links: [] };
  const { folders, links } = await foldersIn(folder);
  const runs: RunSummary[] = [];
  for (const name of folders) {
    if (signal?.aborted) throw new RootstockError("ABORTED", `stopped after ${runs.length} runs.`);
    const record = await readRun(join(folder, name));
    if (record) runs.push(record.summary);
  }
  return { folder, runs: sortRuns(runs), links: links.sort() };
}

/** Sorts runs: the newest first, or the best first by a measure. Runs without that measure come last, the newest first. */
export function sortRuns(runs: readonly RunSummary[], measure?: string): RunSummary[] {
  const newest = runs.toSorted(
    (a, b) => compare(b.startedAt ?? "", a.startedAt ?? "") || compare(b.id, a.id) || compare(b.path, a.path),
  );
  if (measure === undefined) return newest;
  const sign = isHigherBetter(measure) ? -1 : 1;
  const key = (run: RunSummary): number => {
    const value = measureOf(run, measure)?.value;
    return value === undefined ? Number.POSITIVE_INFINITY : sign * value;
  };
  return newest.toSorted((a, b) => compare(key(a), key(b)));
}

/** The measure of a run by its name. */
export function measureOf({ measures }: Pick<RunSummary, "measures">, name: string): Measure | undefined {
  return measures.find((measure) => measure.name === name);
}

/** Whether a listed run's folder still is a folder directly in the list's, and no link to another place. */
export async function isInPlace(list: Pick<RunList, "folder">, path: string): Promise<boolean> {
  const status = await lstat(path).catch(() => undefined);
  if (path === list.folder) return status !== undefined; // a person named it
  const [root, real] = await Promise.all([list.folder, path].map((part) => realpath(part).catch(() => undefined)));
  return status?.isDirectory() === true && root !== undefined && real === join(root, basename(path));
}

async function foldersIn(folder: string): Promise<{ folders: string[]; links: string[] }> {
  const folders: string[] = [];
  const links: string[] = [];
  try {
    for await (const entry of await opendir(folder)) {
      if (entry.isDirectory()) folders.push(entry.name);
      else if (entry.isSymbolicLink()) links.push(entry.name);
      if (folders.length + links.length >= MAX_FOLDERS) break;
    }
  } catch (cause) {
    const problem = problemOf(cause)?.problem ?? "does not exist or is no folder";
    throw new RootstockError("BAD_CONFIG", `runs requires a folder with runs, got ${folder}, which ${problem}.`, {
      cause,
    });
  }
  return { folders, links };
}

function compare<T extends string | number>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
