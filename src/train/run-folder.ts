/** A run is a folder: claimed before it is filled, never shared by two runs, never overwritten when it is complete. */
import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { messageOf, RootstockError } from "../errors.ts";
import { cannotWrite, PARTIAL_PREFIX, writeJson } from "../weights/files.ts";
import { now } from "./run-record.ts";

/** Files of a run, by what they hold. */
export const RUN_FILES = {
  /** Held while the run is being made: the process id of its owner. */
  lock: "run.lock",
  config: "config.json",
  environment: "environment.json",
  data: "data.json",
  /** What checking the images found. */
  check: "check.json",
  metrics: "metrics.jsonl",
  /** Written last: a folder with it is a complete run. */
  result: "result.json",
  model: "model.onnx",
} as const;

/** Key of config.json by which a folder is known to be a run's. It holds the version of the folder's layout. */
export const RUN_MARK = "rootstockRun";

/** Folders that this process holds: another container may have had the same process id. */
const held = new Set<string>();

/** A folder that belongs to one run. */
export interface RunFolder {
  readonly path: string;
  readonly id: string;
  write(file: keyof typeof RUN_FILES, value: unknown): Promise<void>;
  /** Appends one line of JSON. */
  append(file: "metrics", value: unknown): Promise<void>;
  file(name: keyof typeof RUN_FILES): string;
  /** Gives up ownership; the folder stays. */
  close(): Promise<void>;
}

/**
 * Claims `path` for a new run. An incomplete run found there is started again; a complete run, another process's run
 * or foreign files are left alone, and `path-2`, `path-3`, … is claimed instead.
 * @throws RootstockError BAD_CONFIG if the folder cannot be made.
 */
export async function claimRunFolder(path: string): Promise<RunFolder> {
  const wanted = cleanPath(path);
  try {
    return await claimFirstFree(wanted);
  } catch (cause) {
    if (cause instanceof RootstockError) throw cause;
    throw new RootstockError(
      "BAD_CONFIG",
      `cannot use ${path} as the run's folder: ${messageOf(cause)}. Choose another one with --out.`,
      { cause },
    );
  }
}

async function claimFirstFree(wanted: string): Promise<RunFolder> {
  for (let attempt = 1; attempt <= 10_000; attempt++) {
    const candidate = attempt === 1 ? wanted : `${wanted}-${attempt}`;
    if (await claim(candidate)) return openFolder(candidate);
  }
  throw new RootstockError("BAD_CONFIG", `no free run folder beside ${wanted}. Choose another one with --out.`);
}

/** The path with a last part that a number can be added to: no slash at the end, and a name instead of "." or "..". */
function cleanPath(path: string): string {
  if (path.trim() === "") throw new RootstockError("BAD_CONFIG", "out requires the name of a folder, got nothing.");
  const trimmed = join(path).replace(/[\\/]+$/, "");
  return /^$|(^|[\\/])\.{1,2}$/.test(trimmed) ? resolve(path) : trimmed;
}

async function claim(path: string): Promise<boolean> {
  await mkdir(path, { recursive: true });
  if (!(await isFree(path))) return false;
  return await alone(path, async () => {
    if (!(await isFree(path))) return false; // another process was faster
    const left = (await readdir(path)).filter((name) => name !== TURN);
    for (const name of left) await rm(join(path, name), { force: true, recursive: true });
    await writeFile(join(path, RUN_FILES.lock), String(process.pid));
    return true;
  });
}

/** Held for the moment in which a folder is looked at and then taken. */
const TURN = `${PARTIAL_PREFIX}claim`;
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

/** Whether a folder is empty, or holds a run that did not end and that no process is making. */
async function isFree(path: string): Promise<boolean> {
  const names = await readdir(path);
  if (!(await isIncompleteRun(path, names))) return false;
  return !names.includes(RUN_FILES.lock) || !(await isAlive(join(path, RUN_FILES.lock)));
}

/** Whether everything in the folder was left by a run that did not end: nothing else may be cleared away. */
async function isIncompleteRun(path: string, names: readonly string[]): Promise<boolean> {
  const known = new Set<string>(Object.values(RUN_FILES));
  const ours = names.filter((name) => name !== RUN_FILES.lock && !name.startsWith(PARTIAL_PREFIX));
  if (ours.length === 0) return true;
  if (ours.includes(RUN_FILES.result) || ours.some((name) => !known.has(name))) return false;
  const config = await readFile(join(path, RUN_FILES.config), "utf8").catch(() => "");
  return config.includes(`"${RUN_MARK}"`);
}

/** Whether the process that wrote a lock still runs. */
async function isAlive(lock: string): Promise<boolean> {
  const pid = Number(await readFile(lock, "utf8").catch(() => "0"));
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return pid !== process.pid || held.has(resolve(dirname(lock)));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // it runs, as somebody else
  }
}

function openFolder(path: string): RunFolder {
  held.add(resolve(path));
  const file = (name: keyof typeof RUN_FILES): string => join(path, RUN_FILES[name]);
  return {
    path,
    id: basename(path),
    file,
    write: (name, value) => writeJson(file(name), value),
    append: (name, value) =>
      appendFile(file(name), `${JSON.stringify(value)}\n`).catch((cause: unknown) => {
        throw cannotWrite(file(name), cause);
      }),
    close: async () => {
      held.delete(resolve(path));
      await rm(file("lock"), { force: true });
    },
  };
}
