/** Reads classes and splits off the names of folders, without opening any file. */

import { RootstockError } from "../errors.ts";
import { printable } from "../graph/printable.ts";
import { splitNamed } from "./names.ts";
import type { Split } from "./sample.ts";
import type { FoundFile, Walk } from "./walk.ts";

/** A file in a class folder. */
export interface PlacedFile extends FoundFile {
  /** Name of the class folder in Unicode form NFC, since some systems store names decomposed. */
  readonly className: string;
  readonly split: Split;
}

/** What the folders of a dataset say. */
export interface Layout {
  /** Whether there are train/, val/ or test/ folders above the class folders. */
  readonly kind: "classes" | "splits";
  readonly placed: readonly PlacedFile[];
  /** Files that are in no class folder. */
  readonly strays: readonly FoundFile[];
  /** The class folders: class name, split, and path relative to the root. */
  readonly folders: readonly { readonly className: string; readonly split: Split; readonly path: string }[];
  readonly notes: readonly string[];
}

/**
 * Decides whether the folders below a root are classes, or splits with classes in them.
 *
 * They are splits if there is a train folder and nothing beside it but other split folders and folders without files;
 * or a train folder with class folders in it, beside a val or test folder (what stands beside is then ignored, and noted).
 * Otherwise they are classes, so that "train" may be a kind of vehicle. Subfolders of a class belong to the class.
 * To evaluate, val and test folders with class folders in them are splits without a train folder, too.
 * @throws RootstockError BAD_DATA for two folders of one split, or, to train, val and test folders without a train folder.
 */
export function readLayout(root: string, { files, folders }: Walk, purpose: "train" | "evaluate"): Layout {
  const top = folders.filter((path) => !path.includes("/"));
  const used = top.filter((name) => files.some(({ path }) => path.startsWith(`${name}/`)));
  const splits = used.filter((name) => splitNamed(name) !== undefined);
  const others = used.filter((name) => splitNamed(name) === undefined);
  const train = splits.find((name) => splitNamed(name) === "train");
  if (train === undefined) {
    const nested = splits.length > 0 && others.length === 0 && files.some(({ path }) => path.split("/").length > 2);
    if (!nested) return classLayout(files, top, []);
    if (purpose === "evaluate") return splitLayout(root, files, folders, splits, []);
    throw new RootstockError(
      "BAD_DATA",
      `${root} has a folder ${splits.map(printable).join(" and ")}, but no train folder with images to learn from. Add ${root}/train.`,
    );
  }
  const trainHasClasses = files.some(({ path }) => path.startsWith(`${train}/`) && path.split("/").length > 2);
  if (others.length > 0 && !(splits.length > 1 && trainHasClasses)) {
    return classLayout(files, top, [
      `The folder ${train} is taken as a class, since it stands beside other folders with files.`,
    ]);
  }
  return splitLayout(root, files, folders, splits, others);
}

function classLayout(files: readonly FoundFile[], top: readonly string[], notes: readonly string[]): Layout {
  const split: Split = "train";
  return {
    kind: "classes",
    placed: files
      .filter(({ path }) => path.includes("/"))
      .map((file) => ({ ...file, split, className: part(file, 0) })),
    strays: files.filter(({ path }) => !path.includes("/")),
    folders: top.map((path) => ({ className: path.normalize("NFC"), split, path })),
    notes,
  };
}

function splitLayout(
  root: string,
  files: readonly FoundFile[],
  folders: readonly string[],
  splits: readonly string[],
  others: readonly string[],
): Layout {
  const bySplit = new Map<Split, string>();
  for (const name of splits) {
    const split = splitNamed(name)!;
    const earlier = bySplit.get(split);
    if (earlier !== undefined) {
      throw new RootstockError(
        "BAD_DATA",
        `${root} has two folders of ${split} images: ${printable(earlier)} and ${printable(name)}. Keep one of them.`,
      );
    }
    bySplit.set(split, name);
  }
  const splitOf = (path: string): Split | undefined =>
    [...bySplit].find(([, name]) => path.startsWith(`${name}/`))?.[0];
  const placed: PlacedFile[] = [];
  const strays: FoundFile[] = [];
  for (const file of files) {
    const split = splitOf(file.path);
    if (split !== undefined && file.path.split("/").length > 2)
      placed.push({ ...file, split, className: part(file, 1) });
    else if (split !== undefined || !file.path.includes("/")) strays.push(file);
  }
  const classFolders = folders.flatMap((path) => {
    const split = splitOf(path);
    const parts = path.split("/");
    return split !== undefined && parts.length === 2 ? [{ className: parts[1]!.normalize("NFC"), split, path }] : [];
  });
  const ignored = others.map(printable).join(", ");
  const notes = others.length > 0 ? [`Ignored beside ${splits.map(printable).join(", ")}: ${ignored}.`] : [];
  const empty = folders.filter((path) => splitNamed(path) !== undefined && !splits.includes(path));
  if (empty.length > 0) notes.push(`Ignored without any files: ${empty.map(printable).join(", ")}.`);
  return { kind: "splits", placed, strays, folders: classFolders, notes };
}

function part({ path }: FoundFile, index: number): string {
  return path.split("/")[index]!.normalize("NFC");
}
