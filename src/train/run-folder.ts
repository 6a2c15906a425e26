/** A run is a folder: claimed before it is filled, never shared by two runs, never overwritten when it is complete. */
import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { messageOf, RootstockError } from "../errors.ts";
import { cannotWrite, PARTIAL_PREFIX, removeAbandoned, writeAtomically, writeJson } from "../weights/files.ts";
import { now } from "./run-record.ts";
import { ownerOf } from "./runs/owner.ts";
import { readJsonFile } from "./runs/read-file.ts";

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
  /** Folder of the states from which an interrupted run goes on; it goes when the run is complete. */
  checkpoints: "checkpoints",
  /** Folder of event files. */
  tensorboard: "tensorboard",
  /** Written last: a folder with it is a complete run. */
  result: "result.json",
  model: "model.onnx",
} as const;

/** Key of config.json by which a folder is known to be a run's. It holds the version of the folder's layout. */
export const RUN_MARK = "rootstockRun";

/** A folder that belongs to one run. */
export interface RunFolder {
  readonly path: string;
  readonly id: string;
  write(file: keyof typeof RUN_FILES, value: unknown): Promise<void>;
  /** Appends one line of JSON. */
  append(file: "metrics", value: unknown): Promise<void>;
  file(name: keyof typeof RUN_FILES): string;
  read(name: keyof typeof RUN_FILES): Promise<string>;
  /** Writes the lines of "metrics" anew; without one there is no file. */
  rewrite(file: "metrics", values: readonly unknown[]): Promise<void>;
  /** Deletes the checkpoints. */
  dropCheckpoints(): Promise<void>;
  /** Gives up ownership; the folder stays. */
  close(): Promise<void>;
}

/**
 * Claims `path` for a new run. An incomplete run found there is started again if it has no checkpoints; one that can be
 * continued, a complete run, another process's run or foreign files are left alone, and `path-2`, `path-3`, … is claimed
 * instead.
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

/**
 * Claims the folder of an interrupted run, to go on with it.
 * @returns the folder and the value of its config.json.
 * @throws RootstockError BAD_CONFIG if there is no such run, if it is complete or if another process is making it.
 */
export async function reclaimRunFolder(
  path: string,
): Promise<{ readonly folder: RunFolder; readonly config: Readonly<Record<string, unknown>> }> {
  const wanted = cleanPath(path);
  const refuse = (why: string): RootstockError =>
    new RootstockError("BAD_CONFIG", `--resume requires the folder of an interrupted run, got ${path}: ${why}.`);
  const names = await readdir(wanted).catch(() => {
    throw refuse("there is no such folder");
  });
  const config = await readConfig(wanted);
  if (!config) throw refuse(`it has no ${RUN_FILES.config} of a run`);
  if (names.includes(RUN_FILES.result)) throw refuse("that run is complete");
  if (!names.includes(RUN_FILES.data))
    throw refuse("it was interrupted before it had begun. Start it again, with the same command or call");
  const lock = join(wanted, RUN_FILES.lock);
  try {
    await alone(wanted, async () => {
      const owner = await ownerOf(lock);
      if (owner.kind === "running")
        throw refuse(
          `process ${owner.process || "(unknown)"} is making that run now. If that is another program, remove ${lock}`,
        );
      await writeFile(lock, String(process.pid));
    });
    await removeAbandoned(wanted);
  } catch (cause) {
    throw cause instanceof RootstockError ? cause : cannotWrite(lock, cause);
  }
  return { folder: openFolder(wanted), config };
}

async function readConfig(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const read = await readJsonFile(join(path, RUN_FILES.config));
  const value = read && "json" in read ? read.json : undefined;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, RUN_MARK)) return undefined;
  return value as Readonly<Record<string, unknown>>; // an object
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

/** Times that a folder may be deleted while it is claimed, as `rootstock runs prune` does. */
const MOST_VANISHINGS = 10;

async function claim(path: string, vanishings = 0): Promise<boolean> {
  try {
    return await claimNow(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || vanishings === MOST_VANISHINGS) throw error; // errors of node:fs carry a code
    return await claim(path, vanishings + 1);
  }
}

async function claimNow(path: string): Promise<boolean> {
  await makeFolder(path);
  if (!(await isFree(path))) return false;
  return await alone(path, async () => {
    if (!(await isFree(path))) return false; // another process was faster
    const left = (await readdir(path)).filter((name) => name !== TURN);
    for (const name of left) await rm(join(path, name), { force: true, recursive: true });
    await writeFile(join(path, RUN_FILES.lock), String(process.pid));
    return true;
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

/** Held for the moment in which a folder is looked at and then taken, or pruned. */
export const TURN = `${PARTIAL_PREFIX}claim`;
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
  return (await ownerOf(join(path, RUN_FILES.lock))).kind !== "running";
}

/** Whether everything in the folder was left by a run that did not end: nothing else may be cleared away. */
async function isIncompleteRun(path: string, names: readonly string[]): Promise<boolean> {
  const known = new Set<string>(Object.values(RUN_FILES));
  const ours = names.filter((name) => name !== RUN_FILES.lock && !name.startsWith(PARTIAL_PREFIX));
  if (ours.length === 0) return true;
  if (ours.includes(RUN_FILES.result) || ours.some((name) => !known.has(name))) return false;
  if ((await readdir(join(path, RUN_FILES.checkpoints)).catch(() => [])).length > 0) return false; // hours may be in them
  return (await readConfig(path)) !== undefined;
}

function openFolder(path: string): RunFolder {
  const file = (name: keyof typeof RUN_FILES): string => join(path, RUN_FILES[name]);
  return {
    path,
    id: basename(path),
    file,
    read: (name) => readFile(file(name), "utf8"),
    write: (name, value) => writeJson(file(name), value),
    append: (name, value) =>
      appendFile(file(name), `${JSON.stringify(value)}\n`).catch((cause: unknown) => {
        throw cannotWrite(file(name), cause);
      }),
    rewrite: (name, values) =>
      values.length === 0
        ? rm(file(name), { force: true })
        : writeAtomically(file(name), [values.map((value) => `${JSON.stringify(value)}\n`).join("")]),
    dropCheckpoints: () => rm(file("checkpoints"), { recursive: true, force: true }),
    close: () => rm(file("lock"), { force: true }).catch(() => {}), // where nothing may be written; it is void with this process
  };
}
