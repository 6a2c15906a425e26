/** The weights in the cache folder: which of them are known to be right, and what there is. */
import { randomBytes } from "node:crypto";
import { constants, copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { shownUrl } from "./addresses.ts";
import {
  algorithmOf,
  createDigest,
  type DigestAlgorithm,
  describeChecksum,
  digestFile,
  matchesChecksum,
} from "./checksum.ts";
import { cannotWrite, PARTIAL_PREFIX } from "./files.ts";
import { isLocked } from "./lock.ts";
import { removePartial } from "./partial.ts";
import type { Downloaded } from "./transfer.ts";
import { isSafeName, type WeightsFile } from "./weights-file.ts";

const ABOUT_PREFIX = ".about-";
const LOCK_PREFIX = ".lock-";

/** What was found out about a file when all of it was read, and by which it is known to be the same still. */
const stamp = z.object({
  /** Where it came from, for people. */
  url: z.string(),
  bytes: z.number(),
  /** Time of the last change, in milliseconds since 1970, as the file system has it. */
  modified: z.number(),
  sha256: z.string().optional(),
  md5: z.string().optional(),
  /** The published sum that it was compared with, for people. */
  checked: z.string().optional(),
});

/** Where a file of weights is, or would be, in the cache. */
export function weightsPath(folder: string, { file }: WeightsFile): string {
  return join(folder, file);
}

/** The lock that the process which downloads a file holds. */
export function lockPath(folder: string, { file }: WeightsFile): string {
  return join(folder, LOCK_PREFIX + file);
}

/** A file in the cache, compared with its record. */
export type CachedFile =
  | { readonly kind: "absent" }
  | { readonly kind: "right" }
  /** It has another size or sum; `got` says which. */
  | { readonly kind: "wrong"; readonly got: string };

/** Compares a cached file with its record. All of it is read once; later its size and time of change are enough. */
export async function checkCached(folder: string, record: WeightsFile, signal?: AbortSignal): Promise<CachedFile> {
  const path = weightsPath(folder, record);
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) return { kind: "absent" };
  if (info.size === 0 || (record.bytes !== undefined && info.size !== record.bytes))
    return { kind: "wrong", got: `${info.size} bytes` };
  const algorithm = algorithmOf(record.hash);
  const known = await readStamp(folder, record.file);
  const unchanged = known?.bytes === info.size && known.modified === info.mtimeMs;
  const hex = (unchanged ? known[algorithm] : undefined) ?? (await readSum(path, algorithm, signal));
  if (record.hash && !matchesChecksum(record.hash, hex)) return { kind: "wrong", got: `${algorithm} ${hex}` };
  if (!unchanged || known[algorithm] === undefined)
    await noteRight(folder, record, { algorithm, hex, expected: record.hash });
  return { kind: "right" };
}

/** Notes that a file is right, so that the next reader need not read all of it. */
export async function noteRight(
  folder: string,
  { file, url }: WeightsFile,
  { algorithm, hex, expected }: Pick<Downloaded, "algorithm" | "hex" | "expected">,
): Promise<void> {
  const info = await stat(join(folder, file));
  const about = { url: url.startsWith("hf:") ? url : shownUrl(url), bytes: info.size, modified: info.mtimeMs };
  const note = { ...about, [algorithm]: hex, checked: expected && describeChecksum(expected) };
  // Without the note the file is read again next time: a cache that cannot be written still serves.
  await writeFile(aboutPath(folder, file), JSON.stringify(note)).catch(() => {});
}

/**
 * Copies a cached file to `target`, or into it where it is a folder, and returns the path.
 * @throws RootstockError CANNOT_WRITE
 */
export async function copyWeights(path: string, target: string): Promise<string> {
  const isFolder = /[\\/]$/.test(target) || (await stat(target).catch(() => undefined))?.isDirectory() === true;
  const to = isFolder ? join(target, basename(path)) : target;
  const temporary = join(dirname(to), `${PARTIAL_PREFIX}${randomBytes(6).toString("hex")}-${basename(to)}`);
  try {
    await mkdir(dirname(to), { recursive: true });
    await copyFile(path, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw cannotWrite(to, error);
  }
  return to;
}

/** Deletes a file and what is known about it. */
export async function removeWeights(folder: string, name: string): Promise<void> {
  await rm(join(folder, name), { force: true });
  await rm(aboutPath(folder, name), { force: true });
}

/** A file of weights in the cache, or the part of one. */
export interface WeightsEntry {
  readonly file: string;
  readonly path: string;
  readonly bytes: number;
  /** Where it came from; undefined if somebody put it there and nothing has used it. */
  readonly url: string | undefined;
  readonly sha256: string | undefined;
  /** The published sum that it was compared with, as "sha256 …", where there was one. */
  readonly checked: string | undefined;
  /** Whether it is the rest of a download that was interrupted, or is running. */
  readonly partial: boolean;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** Lists the cached weights by name, and what is left of interrupted downloads. */
export async function listWeights(folder: string): Promise<WeightsEntry[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const entries: WeightsEntry[] = [];
  for (const name of names.sort()) {
    const partial = name.startsWith(PARTIAL_PREFIX);
    const file = partial ? name.slice(PARTIAL_PREFIX.length) : name;
    if (!isSafeName(file) || (partial && names.includes(name.replace(/\.json$/, "")) && name.endsWith(".json")))
      continue;
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (!info?.isFile()) continue;
    const { url, sha256, checked } = (partial ? undefined : await readStamp(folder, file)) ?? {};
    entries.push({ file, path, bytes: info.size, url, sha256, checked, partial, modified: info.mtimeMs });
  }
  return entries;
}

/**
 * Deletes cached weights: all, or those of a name. Downloads that run, and files that somebody put there and nothing
 * has used, stay. Returns the bytes freed.
 */
export async function clearWeights(folder: string, name?: string): Promise<number> {
  let freed = 0;
  for (const { file, bytes, partial, url } of await listWeights(folder)) {
    if (name !== undefined && file !== name) continue;
    if (partial && (await isLocked(join(folder, LOCK_PREFIX + file)))) continue;
    if (!partial && url === undefined && name === undefined) continue;
    if (partial) await removePartial(join(folder, file));
    else await removeWeights(folder, file);
    freed += bytes;
  }
  return freed;
}

function aboutPath(folder: string, file: string): string {
  return join(folder, `${ABOUT_PREFIX}${file}.json`);
}

async function readStamp(folder: string, file: string): Promise<z.infer<typeof stamp> | undefined> {
  try {
    return stamp.safeParse(JSON.parse(await readFile(aboutPath(folder, file), "utf8"))).data;
  } catch {
    return undefined; // none, or cut off
  }
}

async function readSum(path: string, algorithm: DigestAlgorithm, signal: AbortSignal | undefined): Promise<string> {
  const digest = createDigest(algorithm);
  await digestFile(path, digest, { signal });
  return digest.hex();
}
