/** A run's folder is claimed before it is filled: never shared by two runs, never overwritten when it is complete. */
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { messageOf, RootstockError } from "../errors.ts";
import { cannotWrite, PARTIAL_PREFIX, removeAbandoned } from "../weights/files.ts";
import { checkpointsIn, interruptedRun, notResumable, readRunConfig } from "./interrupted-run.ts";
import {
  openFolder,
  RUN_FILES,
  RUN_LAYOUT,
  RUN_MARK,
  type RunFolder,
  type RunFolderOptions,
  TURN,
} from "./run-folder.ts";
import { now } from "./run-record.ts";
import { ownerOf } from "./runs/owner.ts";

/**
 * Claims `path` for a new run. An incomplete run found there is started again if it has no checkpoints; one that can be
 * continued, a complete run, another process's run or foreign files are left alone, and `path-2`, `path-3`, … is claimed
 * instead, with a warning.
 * @throws RootstockError BAD_CONFIG if the folder cannot be made.
 */
export async function claimRunFolder(path: string, options: RunFolderOptions = {}): Promise<RunFolder> {
  const wanted = cleanPath(path);
  try {
    return await claimFirstFree(wanted, options);
  } catch (cause) {
    if (cause instanceof RootstockError) throw cause;
    throw new RootstockError(
      "BAD_CONFIG",
      `cannot use ${path} as the run's folder: ${messageOf(cause)}. Choose another one with --out.`,
      { cause },
    );
  }
}

/**
 * Claims the folder of an interrupted run, to go on with it.
 * @returns the folder and the value of its config.json.
 * @throws RootstockError BAD_CONFIG if there is no such run, if it is complete or if another process is making it.
 */
export async function reclaimRunFolder(
  path: string,
  options: RunFolderOptions = {},
): Promise<{ readonly folder: RunFolder; readonly config: Readonly<Record<string, unknown>> }> {
  const wanted = cleanPath(path);
  const config = await interruptedRun(path);
  const lock = join(wanted, RUN_FILES.lock);
  try {
    await alone(wanted, async () => {
      const owner = await ownerOf(lock);
      if (owner.kind === "running")
        throw notResumable(
          path,
          `process ${owner.process || "(unknown)"} is making that run now. If that is another program, remove ${lock}`,
        );
      await writeFile(lock, String(process.pid));
    });
    await removeAbandoned(wanted);
  } catch (cause) {
    throw cause instanceof RootstockError ? cause : cannotWrite(lock, cause);
  }
  return { folder: openFolder(wanted, options), config };
}

async function claimFirstFree(wanted: string, options: RunFolderOptions): Promise<RunFolder> {
  let taken = "";
  for (let attempt = 1; attempt <= 10_000; attempt++) {
    const candidate = attempt === 1 ? wanted : `${wanted}-${attempt}`;
    const why = await claim(candidate);
    if (why !== undefined) {
      taken ||= why;
      continue;
    }
    if (taken !== "") options.onWarning?.(`${wanted} ${taken} and stays as it is: this run is in ${candidate}.`);
    return openFolder(candidate, options);
  }
  throw new RootstockError("BAD_CONFIG", `no free run folder beside ${wanted}. Choose another one with --out.`);
}

/** The path with a last part that a number can be added to: no slash at the end, and a name instead of "." or "..". */
function cleanPath(path: string): string {
  if (path.trim() === "") throw new RootstockError("BAD_CONFIG", "out requires the name of a folder, got nothing.");
  const trimmed = join(path).replace(/[\\/]+$/, "");
  return /^$|(^|[\\/])\.{1,2}$/.test(trimmed) ? resolve(path) : trimmed;
}

/** Times that a folder may be deleted while it is claimed, as `rootstock runs prune` does. */
const MOST_VANISHINGS = 10;

/** Claims one folder. @returns why it cannot be had, if it cannot. */
async function claim(path: string, vanishings = 0): Promise<string | undefined> {
  try {
    return await claimNow(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || vanishings === MOST_VANISHINGS) throw error; // errors of node:fs carry a code
    return await claim(path, vanishings + 1);
  }
}

async function claimNow(path: string): Promise<string | undefined> {
  await makeFolder(path);
  const taken = await contentOf(path);
  if (taken !== undefined) return taken;
  return await alone(path, async () => {
    const since = await contentOf(path);
    if (since !== undefined) return since; // another process was faster
    const left = (await readdir(path)).filter((name) => name !== TURN);
    for (const name of left) await rm(join(path, name), { force: true, recursive: true });
    await writeFile(join(path, RUN_FILES.lock), String(process.pid));
    return undefined;
  });
}

/** Makes a folder and those above it. On a disk that may only be read, Node says of that no more than ENOENT. */
async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch(async (cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
    await mkdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  });
}

/** Milliseconds after which the turn of a process that died in that moment is over. */
const TURN_MS = 5000;

/** Runs `work` while no other process claims the same folder. */
async function alone<T>(path: string, work: () => Promise<T>): Promise<T> {
  const turn = join(path, TURN);
  while (!(await mkdir(turn).then(() => true, isTaken))) {
    const since = await stat(turn).then(({ mtimeMs }) => mtimeMs, now); // it may have ended meanwhile
    if (now() - since > TURN_MS) await rm(turn, { recursive: true, force: true });
    await new Promise((done) => setTimeout(done, 5));
  }
  try {
    return await work();
  } finally {
    await rm(turn, { recursive: true, force: true });
  }
}

function isTaken(error: unknown): false {
  if ((error as NodeJS.ErrnoException).code === "EEXIST") return false; // errors of node:fs carry a code
  throw error;
}

/** What a folder has that must not be cleared away, if it has such: all but a run that did not end and that nobody makes. */
async function contentOf(path: string): Promise<string | undefined> {
  const names = await readdir(path);
  const known = new Set<string>(Object.values(RUN_FILES));
  const ours = names.filter((name) => name !== RUN_FILES.lock && !name.startsWith(PARTIAL_PREFIX));
  const read = await readRunConfig(path);
  const isRun = read.kind === "run" && read.config[RUN_MARK] === RUN_LAYOUT;
  if (isRun && ours.includes(RUN_FILES.result)) return "holds a complete run";
  if ((ours.length > 0 && !isRun) || ours.some((name) => !known.has(name)))
    return "holds files that no unfinished run has left";
  const owner = await ownerOf(join(path, RUN_FILES.lock));
  if (owner.kind === "running")
    return owner.process ? `holds the run that process ${owner.process} is making` : "has a lock that cannot be read";
  if ((await checkpointsIn(path)) > 0) return "holds a run that can go on with --resume"; // hours may be in it
  return undefined;
}
