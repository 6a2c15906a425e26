/** Reads files of run folders, which may be old, half-written or made by somebody else: within limits, links not followed. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { messageOf } from "../../errors.ts";
import type { Json } from "../../json.ts";
import { jsonExcess } from "../../weights/json-scan.ts";

/** What could not be used and why, in words that read on from the file's name. */
export interface Problem {
  readonly problem: string;
}

/** A confusion matrix of 2000 classes has 4 million numbers, and takes 45 MB as indented text. */
const JSON_LIMITS = { depth: 64, values: 2 ** 22 };
const MAX_JSON_BYTES = 2 ** 26;

/** Both are absent on Windows. Without the first, opening a named pipe would wait for a writer. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/** The JSON value in a file of at most 64 MiB, a problem, or undefined where there is no such file. */
export async function readJsonFile(path: string): Promise<{ readonly json: Json } | Problem | undefined> {
  const read = await readWhole(path, MAX_JSON_BYTES);
  if (read === undefined || "problem" in read) return read;
  const excess = jsonExcess(read.content, JSON_LIMITS);
  if (excess !== undefined) return { problem: `${excess}, which no record of a run has` };
  try {
    return { json: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(read.content)) as Json }; // what JSON.parse gives
  } catch (error) {
    return { problem: read.content.length === 0 ? "is empty" : `is no JSON (${messageOf(error).slice(0, 120)})` };
  }
}

/** A regular file of at most `limit` bytes, a problem, or undefined where there is no such file. */
export async function readWhole(
  path: string,
  limit: number,
): Promise<{ readonly content: Buffer } | Problem | undefined> {
  return await reading(path, async (handle, size) => {
    if (size > limit) return { problem: `has ${size} bytes, more than the ${limit} that are read` };
    return { content: await readStart(handle, size) };
  });
}

async function readStart(handle: FileHandle, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  let done = 0;
  while (done < bytes) {
    const { bytesRead } = await handle.read(buffer, done, bytes - done, done);
    if (bytesRead === 0) break; // it became shorter while it was read
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

async function reading<T>(
  path: string,
  use: (handle: FileHandle, size: number) => Promise<T | Problem>,
): Promise<T | Problem | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, OPEN_FLAGS);
    const status = await handle.stat();
    return status.isFile() ? await use(handle, status.size) : { problem: "is not a regular file" };
  } catch (error) {
    return problemOf(error);
  } finally {
    await handle?.close();
  }
}

/** Words for an error of the file system; undefined where there is no such file. */
export function problemOf(error: unknown): Problem | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  if (code === undefined) throw error;
  if (code === "ENOENT" || code === "ENOTDIR") return undefined;
  const words: Readonly<Record<string, string>> = {
    ELOOP: "is a symbolic link, which is not followed",
    EACCES: "cannot be read (permission denied)",
    EPERM: "cannot be read (not permitted)",
    ENXIO: "is not a regular file",
  };
  return { problem: (Object.hasOwn(words, code) ? words[code] : undefined) ?? `cannot be read (${code})` };
}
