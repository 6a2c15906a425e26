/** Looks at one file without decoding it: its size, its sha256 and whether it starts like an image. */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { ImageSource } from "./sample.ts";
import { SNIFFED_BYTES, sniffImage } from "./sniff.ts";

/** The largest file that is read, in bytes: 256 MiB. */
export const MAX_FILE_BYTES = 2 ** 28;

/** O_NONBLOCK, absent on Windows: opening a named pipe would wait for a writer otherwise. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** What is known of a file that starts like an image; a problem reads on from the file's name. */
export type Inspected = { readonly bytes: number; readonly sha256: string } | { readonly problem: string };

/** Reads a file once, in pieces of at most 1 MiB, and never writes. */
export async function inspectFile(file: string): Promise<Inspected> {
  return await reading(file, inspectHandle);
}

/** Looks at an encoded image in memory as `inspectFile` looks at a file. */
export function inspectContent(content: Uint8Array): Inspected {
  if (content.length > MAX_FILE_BYTES) return { problem: sizeProblem(content.length) };
  const sniffed = sniffImage(content);
  if ("problem" in sniffed) return sniffed;
  return { bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
}

/** Returns why a file cannot be an image, in words that read on from its name, or undefined; reads its start only. */
export async function headProblem(file: string): Promise<string | undefined> {
  const result = await reading(file, async (handle) => {
    const buffer = Buffer.allocUnsafe(SNIFFED_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return sniffImage(buffer.subarray(0, bytesRead));
  });
  return "problem" in result ? result.problem : undefined;
}

/**
 * Reads a whole file of at most `MAX_FILE_BYTES`, blocking this thread: four times faster than without, and decoding
 * waits anyway. Bytes in memory are returned as they are, within the same limit.
 */
export function readBounded(source: ImageSource): { readonly content: Uint8Array } | { readonly problem: string } {
  if (typeof source !== "string")
    return source.length > MAX_FILE_BYTES ? { problem: sizeProblem(source.length) } : { content: source };
  let handle: number | undefined;
  try {
    handle = openSync(source, OPEN_FLAGS);
    const problem = statProblem(fstatSync(handle));
    return problem === undefined ? { content: readFileSync(handle) } : { problem };
  } catch (error) {
    const problem = systemProblem(error);
    if (problem === undefined) throw error;
    return { problem };
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** Opens a regular file of bearable size for reading; what the file system refuses becomes a problem in words. */
async function reading<T>(
  file: string,
  use: (handle: FileHandle, size: number) => Promise<T>,
): Promise<T | { readonly problem: string }> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, OPEN_FLAGS);
    const stat = await handle.stat();
    const problem = statProblem(stat);
    return problem === undefined ? await use(handle, stat.size) : { problem };
  } catch (error) {
    const problem = systemProblem(error);
    if (problem === undefined) throw error;
    return { problem };
  } finally {
    await handle?.close();
  }
}

function statProblem(stat: Stats): string | undefined {
  if (stat.isDirectory()) return "is a folder, not an image file";
  if (!stat.isFile()) return "is not a regular file";
  return stat.size > MAX_FILE_BYTES ? sizeProblem(stat.size) : undefined;
}

function sizeProblem(bytes: number): string {
  return `is ${Math.ceil(bytes / 2 ** 20)} MiB, more than the ${MAX_FILE_BYTES / 2 ** 20} MiB that are read`;
}

/** Words for an error of the file system, reading on from the file's name; undefined for any other error. */
export function systemProblem(error: unknown): string | undefined {
  if (!(error instanceof Error && "code" in error && typeof error.code === "string")) return undefined;
  const words: Record<string, string> = {
    ENOENT: "does not exist",
    EACCES: "cannot be read (permission denied)",
    EPERM: "cannot be read (not permitted)",
    EISDIR: "is a folder, not an image file",
    ENOTDIR: "does not exist (a part of its path is a file)",
    ELOOP: "is a link that leads to itself",
    ENAMETOOLONG: "has too long a name",
    EMFILE: "cannot be read (too many open files)",
    ERR_INVALID_ARG_VALUE: "is not a possible path (it has a zero character)",
  };
  if (error.code in words) return words[error.code];
  return /^E[A-Z0-9]+$/.test(error.code) ? `cannot be read (${error.code})` : undefined;
}

async function inspectHandle(handle: FileHandle, size: number): Promise<Inspected> {
  const buffer = Buffer.allocUnsafe(Math.min(Math.max(size, SNIFFED_BYTES), 2 ** 20));
  const hash = createHash("sha256");
  let bytes = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, bytes);
    const piece = buffer.subarray(0, bytesRead);
    const sniffed = bytes === 0 ? sniffImage(piece) : undefined;
    if (sniffed && "problem" in sniffed) return sniffed;
    if (bytesRead === 0) return { bytes, sha256: hash.digest("hex") };
    hash.update(piece);
    bytes += bytesRead;
    if (bytes > MAX_FILE_BYTES) return { problem: sizeProblem(bytes) }; // it grew while it was read
  }
}
