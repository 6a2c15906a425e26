/** A path as a person gives it, a folder of classes or a table -> a dataset. */
import { stat } from "node:fs/promises";
import { RootstockError } from "../errors.ts";
import { printable } from "../graph/printable.ts";
import { expectation } from "./folder-notes.ts";
import { type ImageFolderOptions, imageFolder } from "./image-folder.ts";
import { systemProblem } from "./inspect.ts";
import type { Dataset } from "./sample.ts";
import { type ImageTableOptions, imageTable } from "./tables/image-table.ts";
import { kindOfTable, TABLE_KINDS } from "./tables/table-rows.ts";

/** How to read a dataset: the options of folders and of tables; `validation` is a path of the same kind. */
export interface OpenDatasetOptions extends ImageFolderOptions, ImageTableOptions {
  /** Where validation images come from: a fraction in (0, 1), or a folder beside a folder, or a table beside a table. @default 0.2 without validation images in the data */
  readonly validation?: number | string | undefined;
}

/** What only a table can use, and what only a folder can; `task` of a folder may be single-label. */
const TABLE_ONLY: readonly string[] = [
  ...["imageColumn", "labelColumn", "targets", "labelSeparator", "splitColumn", "groupColumn", "weightColumn"],
  ...["images", "delimiter"],
];
const FOLDER_ONLY: readonly string[] = ["followLinks", "groupOf"];

/**
 * Reads a dataset: a folder as `imageFolder` does, a table (.csv, .tsv, .jsonl, .ndjson) as `imageTable` does.
 * @throws RootstockError BAD_DATA if there is neither, or it cannot be used; BAD_CONFIG for options that are not for
 * this kind of data; ABORTED.
 */
export async function openDataset(path: string, options: OpenDatasetOptions = {}): Promise<Dataset> {
  if (await isFolder(path)) {
    refuse(path, "folder", "table", options, TABLE_ONLY);
    if (options.task !== undefined && options.task !== "single-label")
      throw new RootstockError(
        "BAD_CONFIG",
        `a folder of classes is single-label data, got the task ${options.task} for ${printable(path)}. Give a table with the labels or values of each image.`,
      );
    return await imageFolder(path, options);
  }
  refuse(path, "table", "folder", options, FOLDER_ONLY);
  return await imageTable(path, options);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (cause) {
    const problem = systemProblem(cause);
    if (problem === undefined) throw cause;
    throw new RootstockError("BAD_DATA", `${printable(path)} ${problem}. ${expectation("photos")}`, { cause });
  }
  if (kindOfTable(path) !== undefined) return false;
  const endings = Object.keys(TABLE_KINDS).join(", ");
  const json = /\.json$/i.test(path) ? " A list in JSON becomes JSON Lines with one object on each line." : "";
  throw new RootstockError(
    "BAD_DATA",
    `${printable(path)} is neither a folder nor a table with a name that ends in ${endings}.${json} ${expectation("photos")}`,
  );
}

function refuse(
  path: string,
  got: string,
  wanted: string,
  options: OpenDatasetOptions,
  names: readonly string[],
): void {
  const given = Object.entries(options).find(([name, value]) => value !== undefined && names.includes(name));
  if (given === undefined) return;
  throw new RootstockError(
    "BAD_CONFIG",
    `${given[0]} requires a ${wanted} of images, ${printable(path)} is a ${got}. Leave it out.`,
  );
}
