/** Lists the files below a folder: follows links without going in circles, leaves out what systems and tools hide there. */
import { open, readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemProblem } from "./inspect.ts";
import { byCodeUnits, isHidden } from "./names.ts";
import type { Skipped } from "./sample.ts";

/** A file below the folder that was walked. */
export interface FoundFile {
  /** The folder, as given, joined with `path`. */
  readonly file: string;
  /** Relative to the folder, separated by "/". */
  readonly path: string;
}

/** What stands below a folder. */
export interface Walk {
  /** Regular files, sorted by path in UTF-16 code units, so that the order does not depend on the file system. */
  readonly files: readonly FoundFile[];
  /** All folders below, by relative path, sorted. */
  readonly folders: readonly string[];
  /** Relative paths of hidden and system files and folders, and of folders of a training run; their content was not looked at. */
  readonly hidden: readonly string[];
  /** Broken links, unreadable folders, devices and so on. */
  readonly skipped: readonly Skipped[];
}

/** How a folder is walked. */
export interface WalkOptions {
  /** Real paths of folders to leave out. @default an empty set */
  readonly exclude?: ReadonlySet<string> | undefined;
  /** Whether links to files and folders are followed; otherwise they are skipped by name. @default true */
  readonly followLinks?: boolean | undefined;
}

/**
 * Walks a folder. Links to files and folders are followed; a folder that is reached a second time is skipped by name.
 * @throws the file system's error if `root` itself cannot be listed.
 */
export async function walk(
  root: string,
  { exclude = new Set<string>(), followLinks = true }: WalkOptions = {},
): Promise<Walk> {
  const found = { files: [] as FoundFile[], folders: [] as string[], hidden: [] as string[], skipped: [] as Skipped[] };
  const seen = new Set<string>(exclude);
  // Links are followed after the real folders, so that a link never takes the place of the folder it leads to.
  const folders: Pending[] = [{ path: "", real: await realpath(root) }];
  const links: Pending[] = [];
  for (let next = folders.pop() ?? links.shift(); next !== undefined; next = folders.pop() ?? links.shift()) {
    const file = join(root, next.path);
    if (seen.has(next.real)) {
      if (!exclude.has(next.real)) found.skipped.push({ file, reason: "is a link to a folder that is already listed" });
      continue;
    }
    seen.add(next.real);
    try {
      if (next.path !== "" && (await isRun(file))) {
        found.hidden.push(next.path);
        continue;
      }
      if (next.path !== "") found.folders.push(next.path);
      await list(root, next, { ...found, subfolders: folders, links, followLinks });
    } catch (error) {
      if (next.path === "") throw error;
      found.skipped.push({ file, reason: reasonFor(error, file) });
    }
  }
  found.files.sort((a, b) => byCodeUnits(a.path, b.path));
  found.skipped.sort((a, b) => byCodeUnits(a.file, b.file));
  return { ...found, folders: found.folders.sort(byCodeUnits), hidden: found.hidden.sort(byCodeUnits) };
}

/** Key near the start of the config.json that every run's folder has: see train/run-folder.ts. */
const RUN_MARK = '"rootstockRun"';
const RUN_MARK_BYTES = 1024;

/** Whether a folder was written by a run of training, which is no class of images. */
async function isRun(folder: string): Promise<boolean> {
  const config = join(folder, "config.json");
  const found = await stat(config).catch(() => undefined);
  if (!found?.isFile()) return false;
  try {
    await using handle = await open(config);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(RUN_MARK_BYTES), 0, RUN_MARK_BYTES, 0);
    return buffer.toString("latin1", 0, bytesRead).includes(RUN_MARK);
  } catch {
    return false; // what cannot be read is told when it is listed
  }
}

interface Pending {
  readonly path: string;
  readonly real: string;
}

interface Lists {
  readonly files: FoundFile[];
  readonly hidden: string[];
  readonly skipped: Skipped[];
  readonly subfolders: Pending[];
  readonly links: Pending[];
  readonly followLinks: boolean;
}

async function list(root: string, folder: Pending, to: Lists): Promise<void> {
  const entries = await readdir(join(root, folder.path), { withFileTypes: true });
  entries.sort((a, b) => byCodeUnits(a.name, b.name));
  for (const entry of entries) {
    const path = folder.path === "" ? entry.name : `${folder.path}/${entry.name}`;
    const file = join(root, path);
    if (isHidden(entry.name)) to.hidden.push(path);
    else if (entry.isFile()) to.files.push({ file, path });
    else if (entry.isDirectory()) to.subfolders.push({ path, real: join(folder.real, entry.name) });
    else if (entry.isSymbolicLink() && to.followLinks) await follow(file, path, to);
    else if (entry.isSymbolicLink()) to.skipped.push({ file, reason: "is a link, and links are not followed" });
    else to.skipped.push({ file, reason: "is not a regular file" });
  }
}

async function follow(file: string, path: string, to: Lists): Promise<void> {
  try {
    const target = await stat(file);
    if (target.isDirectory()) to.links.push({ path, real: await realpath(file) });
    else if (target.isFile()) to.files.push({ file, path });
    else to.skipped.push({ file, reason: "is a link to something that is not a regular file" });
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    to.skipped.push({ file, reason: missing ? "is a broken link" : reasonFor(error, file) });
  }
}

function reasonFor(error: unknown, file: string): string {
  const reason = systemProblem(error);
  if (reason === undefined) throw error;
  // Node replaces bytes that are not UTF-8, and then cannot find the file.
  return file.includes("\uFFFD") ? "has a name that is not valid UTF-8; rename it" : reason;
}
