/** Finds the images to predict on: files and folders as a person names them. */
import { stat } from "node:fs/promises";
import { mapBounded } from "./bounded.ts";
import { headProblem, systemProblem } from "./inspect.ts";
import type { Skipped } from "./sample.ts";
import { walk } from "./walk.ts";

/** Image files, and what is none. */
export interface ListedImages {
  /** Paths that can be opened: a named file as given, a file in a named folder as that folder joined with its path. */
  readonly files: string[];
  /** Named paths that do not exist, and files in folders that are not images. */
  readonly failed: Skipped[];
}

/**
 * Lists images in the order of `paths`; the files of a folder, and of its subfolders, are sorted by path.
 *
 * Hidden and system files in folders are left out. Files in folders that do not start like an image are in `failed`. A
 * file that was named itself is always in `files`, so that it gets a prediction or an error of its own when it is read.
 */
export async function listImages(paths: readonly string[]): Promise<ListedImages> {
  const files: string[] = [];
  const failed: Skipped[] = [];
  for (const path of paths) {
    try {
      if ((await stat(path)).isDirectory()) await listFolder(path, files, failed);
      else files.push(path);
    } catch (error) {
      const reason = systemProblem(error);
      if (reason === undefined) throw error;
      failed.push({ file: path, reason });
    }
  }
  return { files, failed };
}

async function listFolder(folder: string, files: string[], failed: Skipped[]): Promise<void> {
  const found = await walk(folder);
  const problems = await mapBounded(found.files, 16, ({ file }) => headProblem(file));
  for (const [i, { file }] of found.files.entries()) {
    const reason = problems[i];
    if (reason === undefined) files.push(file);
    else failed.push({ file, reason });
  }
  failed.push(...found.skipped);
  if (found.files.length === 0 && found.skipped.length === 0)
    failed.push({ file: folder, reason: "has no files in it" });
}
