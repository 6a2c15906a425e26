/**
 * The feature cache on disk: one folder per (prefix, preprocessing, view, runtime), in it segments that are written once
 * and never changed. Readers see whole segments or none, so crashes and other processes can do no harm.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, rmdir, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RootstockError } from "../errors.ts";
import type { Json } from "../json.ts";
import { PARTIAL_PREFIX, writeAtomically, writeJson } from "../weights/files.ts";
import { decodeSegment, encodeSegment } from "./segment.ts";

const SEGMENT = ".features";
/** What a cache was made from, for people and `rootstock cache`. */
const ABOUT = "about.json";
/** A partial file this old belongs to nobody any more. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

export interface FeatureStoreOptions {
  /** Folder of all feature caches. */
  readonly root: string;
  /** Everything that the features depend on besides the image: equal keys must mean equal features. */
  readonly key: { readonly [name: string]: Json };
  /** What people call the network; it is shown, and decides nothing. */
  readonly label: string;
  /** Length of a feature vector. */
  readonly width: number;
  /** Size that all caches together may have; the least recently used segments go first. */
  readonly maxBytes: number;
  /** Time in milliseconds since 1970, for the order of last use. */
  readonly now: number;
}

/** Features by image hash, for one frozen prefix. */
export class FeatureStore {
  readonly #options: FeatureStoreOptions;
  readonly #folder: string;
  readonly #rows = new Map<string, Float32Array>();
  #waiting = new Map<string, Float32Array>();

  private constructor(options: FeatureStoreOptions) {
    this.#options = options;
    this.#folder = join(options.root, hashJson(options.key));
  }

  /**
   * Opens the store of a key and reads its segments; damaged ones are deleted and their rows computed again.
   * @throws RootstockError BAD_CACHE if the folder cannot be made or written.
   */
  static async open(options: FeatureStoreOptions): Promise<FeatureStore> {
    const store = new FeatureStore(options);
    await store.#load().catch((cause: unknown) => unusable(options.root, cause));
    return store;
  }

  /** The features of an image by its SHA-256, [width], or undefined. */
  get(sha256: string): Float32Array | undefined {
    return this.#rows.get(sha256);
  }

  /** Adds the features of an image. They reach the disk with the next `flush`. */
  put(sha256: string, row: Float32Array): void {
    this.#rows.set(sha256, row);
    this.#waiting.set(sha256, row);
  }

  /** Writes what is waiting, then brings all caches under the size limit. @throws RootstockError BAD_CACHE */
  async flush(): Promise<void> {
    if (this.#waiting.size === 0) return;
    const rows = this.#waiting;
    this.#waiting = new Map();
    const { root, width, maxBytes } = this.#options;
    const path = join(this.#folder, `${randomBytes(8).toString("hex")}${SEGMENT}`);
    await writeAtomically(path, encodeSegment(rows, width)).catch((cause: unknown) => unusable(root, cause));
    await evict(root, maxBytes);
  }

  async #load(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const about = join(this.#folder, ABOUT);
    await readFile(about, "utf8")
      .then(JSON.parse)
      .catch(() => writeJson(about, { backbone: this.#options.label, ...this.#options.key }));
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      if (name.startsWith(PARTIAL_PREFIX)) await this.#removeAbandoned(path);
      if (!name.endsWith(SEGMENT) || name.startsWith(PARTIAL_PREFIX)) continue;
      const bytes = await readFile(path).catch(() => undefined); // another process may have evicted it
      if (!bytes) continue;
      const rows = decodeSegment(bytes, this.#options.width);
      if (!rows) {
        await rm(path, { force: true });
        continue;
      }
      for (const [key, row] of rows) this.#rows.set(key, row);
      const now = this.#options.now / 1000;
      await utimes(path, now, now).catch(() => {});
    }
  }

  async #removeAbandoned(path: string): Promise<void> {
    const info = await stat(path).catch(() => undefined);
    if (info && this.#options.now - info.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
  }
}

/** One cached prefix, as `rootstock cache` lists it. */
export interface CacheEntry {
  readonly folder: string;
  /** The key it was made with, and the label of the run that made it. */
  readonly about: unknown;
  readonly bytes: number;
  readonly segments: number;
  /** Milliseconds since 1970. */
  readonly lastUsed: number;
}

/** Lists every cached prefix under `root`, the most recently used first. */
export async function listCaches(root: string): Promise<CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const folder of await ownFolders(root)) {
    const files = await segmentsIn(folder);
    const about: unknown = await readFile(join(folder, ABOUT), "utf8")
      .then(JSON.parse)
      .catch(() => undefined);
    if (files.length === 0 && about === undefined) continue;
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    entries.push({
      folder,
      about,
      bytes,
      segments: files.length,
      lastUsed: Math.max(0, ...files.map((file) => file.mtimeMs)),
    });
  }
  return entries.sort((a, b) => b.lastUsed - a.lastUsed);
}

/** Deletes every cached prefix under `root`, and nothing that the cache did not make. Returns the bytes freed. */
export async function clearCaches(root: string): Promise<number> {
  const entries = await listCaches(root);
  for (const { folder } of entries) {
    const own = (await readdir(folder)).filter(isOwnFile);
    for (const name of own) await rm(join(folder, name), { force: true });
    await rmdir(folder).catch(() => {}); // files of somebody else stay, and their folder with them
  }
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}

function unusable(root: string, cause: unknown): never {
  throw new RootstockError(
    "BAD_CACHE",
    `the feature cache in ${root} cannot be used (${messageOf(cause)}); features are computed without it. Set ROOTSTOCK_CACHE to a folder that can be written, or use --no-cache.`,
    { cause },
  );
}

/** Deletes the least recently used segments until all together have at most `maxBytes`. */
async function evict(root: string, maxBytes: number): Promise<void> {
  const files = (await Promise.all((await ownFolders(root)).map(segmentsIn)))
    .flat()
    .sort((a, b) => a.mtimeMs - b.mtimeMs);
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of files) {
    if (total <= maxBytes) return;
    await rm(path, { force: true });
    total -= bytes;
  }
}

/** The folders of caches: named by the hash of a key, as `hashJson` makes it. */
async function ownFolders(root: string): Promise<string[]> {
  const names = await readdir(root).catch(() => []);
  return names.filter((name) => /^[0-9a-f]{32}$/.test(name)).map((name) => join(root, name));
}

function isOwnFile(name: string): boolean {
  return name === ABOUT || name.endsWith(SEGMENT) || name.startsWith(PARTIAL_PREFIX);
}

async function segmentsIn(folder: string): Promise<{ path: string; bytes: number; mtimeMs: number }[]> {
  const names = (await readdir(folder).catch(() => [])).filter(
    (name) => name.endsWith(SEGMENT) && !name.startsWith(PARTIAL_PREFIX),
  );
  const infos = names.map(async (name) => {
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    return info ? [{ path, bytes: info.size, mtimeMs: info.mtimeMs }] : [];
  });
  return (await Promise.all(infos)).flat();
}

function hashJson(value: Json): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);
}
