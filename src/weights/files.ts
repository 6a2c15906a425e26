/** Writing files so that nothing is ever half there: a temporary name beside the target, then a rename. */
import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf, RootstockError } from "../errors.ts";

/** Files being written start with this; whoever finds an old one may delete it. */
export const PARTIAL_PREFIX = ".partial-";

/**
 * Writes chunks to `path` through a temporary file in the same folder, which is made if needed.
 * @throws RootstockError CANNOT_WRITE, or what `accept` throws.
 * @param accept looks at the finished temporary file before it takes the name; if it throws, `path` stays as it was.
 */
export async function writeAtomically(
  path: string,
  chunks: readonly (Uint8Array | string)[],
  accept: (temporary: string) => Promise<void> = async () => {},
): Promise<void> {
  await mkdir(dirname(path), { recursive: true }).catch((cause: unknown) => {
    throw cannotWrite(path, cause);
  });
  const temporary = join(dirname(path), `${PARTIAL_PREFIX}${randomBytes(6).toString("hex")}-${basename(path)}`);
  try {
    const file = await open(temporary, "wx");
    try {
      for (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await accept(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error instanceof Error && "syscall" in error ? cannotWrite(path, error) : error;
  }
}

/** The error for a file that the system did not let us write. */
export function cannotWrite(path: string, cause: unknown): RootstockError {
  return new RootstockError(
    "CANNOT_WRITE",
    `cannot write ${path}: ${messageOf(cause)}. Choose another place, or make room.`,
    { cause },
  );
}

/** Writes a value as indented JSON, atomically. */
export function writeJson(path: string, value: unknown): Promise<void> {
  return writeAtomically(path, [`${JSON.stringify(value, undefined, 2)}\n`]);
}
