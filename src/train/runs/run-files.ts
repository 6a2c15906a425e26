/** What of a folder a run wrote itself, and how much all of it takes. */
import type { Dirent } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import { PARTIAL_PREFIX } from "../../weights/files.ts";
import { RUN_FILES, TURN } from "../run-folder.ts";

/** Folder of a run's checkpoints. */
export const CHECKPOINTS = RUN_FILES.checkpoints;

/** Entries that are looked at in one folder; what is beyond is not counted. */
const MAX_ENTRIES = 100_000;
const MAX_DEPTH = 16;

/** A file below a run's folder, by its path from there. */
export interface RunFile {
  readonly path: string;
  readonly bytes: number;
}

/** Files that a run wrote, and names in its folder that are somebody else's. */
export interface Inventory {
  readonly files: readonly RunFile[];
  readonly checkpoints: readonly RunFile[];
  /** Folders below that a run makes, the innermost first. */
  readonly folders: readonly string[];
  readonly foreign: readonly string[];
}

/** What `writeAtomically` puts before the name of a file until it is whole, with its process id in later releases. */
const PARTIAL = /^(?:\d{1,10}-)?[0-9a-f]{12}-(.+)$/;
/** Names that CheckpointStore gives: a checkpoint, and what belongs to some. */
const CHECKPOINT = /^\d+(-\d+)*\.safetensors$/;
const BESIDE = /^(snapshot-[0-9a-f]{16}\.safetensors|\d+(-\d+)*\.safetensors\.unreadable)$/;
const EVENTS = /^events\.out\.tfevents\.\d{10}\.rootstock$/;

/** Which files in the folders of a run are its own, and how many levels of folders it makes there. */
const OWN_FOLDERS: Readonly<Record<string, { readonly depth: number; isOwn(name: string): boolean }>> = {
  [CHECKPOINTS]: { depth: 0, isOwn: (name) => CHECKPOINT.test(name) || BESIDE.test(name) },
  [RUN_FILES.tensorboard]: { depth: 1, isOwn: (name) => EVENTS.test(name) },
};
const OWN_FILES = new Set<string>(Object.values(RUN_FILES).filter((name) => !Object.hasOwn(OWN_FOLDERS, name)));

/** Lists a run's folder. Only regular files by the names that a run uses are its own: never links, never other folders. */
export async function inventory(folder: string): Promise<Inventory> {
  const found = { files: [] as RunFile[], folders: [] as string[], foreign: [] as string[] };
  const visit = async (path: string, isOwn: (name: string) => boolean, depth: number): Promise<void> => {
    for await (const entry of entries(join(folder, path))) {
      const inner = join(path, entry.name);
      if (entry.isFile() && isOwn(partialOf(entry.name) ?? entry.name))
        found.files.push({ path: inner, bytes: await sizeOf(join(folder, inner)) });
      else if (entry.isDirectory() && depth > 0) {
        await visit(inner, isOwn, depth - 1);
        found.folders.push(inner);
      } else found.foreign.push(inner);
    }
  };
  for await (const entry of entries(folder)) {
    const below = Object.hasOwn(OWN_FOLDERS, entry.name) ? OWN_FOLDERS[entry.name] : undefined;
    if (below && entry.isDirectory()) {
      await visit(entry.name, below.isOwn, below.depth);
      found.folders.push(entry.name);
    } else if (entry.isFile() && OWN_FILES.has(partialOf(entry.name) ?? entry.name))
      found.files.push({ path: entry.name, bytes: await sizeOf(join(folder, entry.name)) });
    else if (entry.name !== TURN) found.foreign.push(entry.name);
  }
  const isCheckpoint = ({ path }: RunFile): boolean => path.startsWith(join(CHECKPOINTS, "/"));
  const { files, ...rest } = found;
  return { ...rest, files: files.filter((file) => !isCheckpoint(file)), checkpoints: files.filter(isCheckpoint) };
}

/** How many checkpoints a run has; none are behind a link. */
export async function countCheckpoints(folder: string): Promise<number> {
  let count = 0;
  const status = await lstat(join(folder, CHECKPOINTS)).catch(() => undefined);
  if (status?.isDirectory() !== true) return count;
  for await (const entry of entries(join(folder, CHECKPOINTS)))
    if (entry.isFile() && CHECKPOINT.test(entry.name)) count++;
  return count;
}

/** Bytes of all regular files below a folder, links not followed; at least that many where `whole` is false. */
export async function sizeOfFolder(folder: string): Promise<{ readonly bytes: number; readonly whole: boolean }> {
  let bytes = 0;
  let seen = 0;
  let whole = true;
  const waiting = [{ path: folder, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for await (const entry of entries(next.path)) {
      if (++seen > MAX_ENTRIES) return { bytes, whole: false };
      const path = join(next.path, entry.name);
      if (entry.isFile()) bytes += await sizeOf(path);
      else if (entry.isDirectory() && next.depth < MAX_DEPTH) waiting.push({ path, depth: next.depth + 1 });
      else if (entry.isDirectory()) whole = false;
    }
  }
  return { bytes, whole };
}

/** The name that a file being written would have got. */
function partialOf(name: string): string | undefined {
  return name.startsWith(PARTIAL_PREFIX) ? PARTIAL.exec(name.slice(PARTIAL_PREFIX.length))?.[1] : undefined;
}

/** The entries of a folder; none of one that is absent or cannot be read. */
async function* entries(folder: string): AsyncGenerator<Dirent> {
  try {
    let count = 0;
    for await (const entry of await opendir(folder)) {
      if (++count > MAX_ENTRIES) return;
      yield entry;
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
  }
}

/** Files may vanish while they are listed. */
async function sizeOf(path: string): Promise<number> {
  return await lstat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
