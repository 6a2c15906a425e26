/** Looks at many files: which start like images, how large they are, and the hash of each. */
import { RootstockError } from "../errors.ts";
import { mapBounded } from "./bounded.ts";
import { inspectFile } from "./inspect.ts";
import type { Skipped } from "./sample.ts";

/** Files that are open at a time. */
export const FILES_AT_A_TIME = 16;

/** A file that can be used, with its size in bytes and its hash. */
export type Usable<T> = T & { readonly bytes: number; readonly sha256: string };

/**
 * Returns the files that start like an image, in their order; the others are added to `skipped`.
 * @param about What to add to the reason of a file, such as the line that names it.
 * @throws RootstockError ABORTED if `signal` fires.
 */
export async function inspectFiles<T extends { readonly file: string }>(
  files: readonly T[],
  skipped: Skipped[],
  signal: AbortSignal | undefined,
  about: (file: T) => string = () => "",
): Promise<Usable<T>[]> {
  const inspected = await mapBounded(files, FILES_AT_A_TIME, ({ file }) => {
    checkSignal(signal);
    return inspectFile(file);
  });
  return files.flatMap((file, i) => {
    const result = inspected[i]!;
    if (!("problem" in result)) return [{ ...file, ...result }];
    skipped.push({ file: file.file, reason: `${result.problem}${about(file)}` });
    return [];
  });
}

/** @throws RootstockError ABORTED if `signal` has fired. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new RootstockError("ABORTED", "reading the dataset was stopped.", { cause: signal.reason });
}
