/** Tells what is odd about a dataset, by name. */

import type { Dataset, Skipped } from "../data/sample.ts";
import { printable } from "../graph/printable.ts";
import type { Output } from "./output.ts";

/** Files shown by name before the rest is only counted. */
const SHOWN = 8;

/** Reports skipped files and notes of a dataset. */
export function reportDataset({ skipped, notes }: Dataset, output: Output): void {
  reportFiles("skipped", skipped, output);
  for (const note of notes) output.warn(note);
}

/** Reports files that turned out to be damaged when they were decoded. */
export function reportFailed(
  failed: readonly { readonly file: string; readonly error: string }[],
  output: Output,
): void {
  reportFiles(
    "left out because of damage",
    failed.map(({ file, error }) => ({ file, reason: error })),
    output,
  );
}

function reportFiles(what: string, files: readonly Skipped[], output: Output): void {
  if (files.length === 0) return;
  output.warn(`${files.length} file${files.length === 1 ? "" : "s"} ${what}:`);
  for (const { file, reason } of files.slice(0, SHOWN)) output.note(`         ${printable(file)}: ${reason}`);
  if (files.length > SHOWN) output.note(`         and ${files.length - SHOWN} more (all are in --json)`);
}
