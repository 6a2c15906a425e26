/** A folder of images, one subfolder for each class -> a dataset, with everything odd about it reported by name. */

import { realpath, stat } from "node:fs/promises";
import { relative, sep } from "node:path";
import { RootstockError } from "../errors.ts";
import { printable } from "../graph/printable.ts";
import { mapBounded } from "./bounded.ts";
import { checkClasses } from "./check-classes.ts";
import { count, duplicateNotes, named } from "./dataset-notes.ts";
import { classesOf, expectation, folderNotes } from "./folder-notes.ts";
import { headProblem, systemProblem } from "./inspect.ts";
import { checkSignal, FILES_AT_A_TIME, inspectFiles, type Usable } from "./inspect-files.ts";
import { type Layout, type PlacedFile, readLayout } from "./layout.ts";
import { byCodeUnits } from "./names.ts";
import type { Dataset, Sample, Skipped, Split } from "./sample.ts";
import { assignSplits } from "./splits/assign-splits.ts";
import { savedSplit } from "./splits/saved-split.ts";
import { checkSplitOptions, DEFAULT_FRACTION, type SplitOptions } from "./splits/split-options.ts";
import { type FoundFile, type Walk, type WalkOptions, walk } from "./walk.ts";

/** How to read a folder of images. */
export interface ImageFolderOptions extends SplitOptions {
  /**
   * What the images are for. With "evaluate" one class is enough, classes and folders without training images are
   * accepted, and no validation images are drawn: a folder without splits is all of the split "train". @default "train"
   */
  readonly purpose?: "train" | "evaluate" | undefined;
  /**
   * Where validation images come from: a fraction in (0, 1) of the training images of each class, or a folder of classes.
   * A val, valid or validation folder beside train has the same role; naming both is an error. @default 0.2 without such a folder
   */
  readonly validation?: number | string | undefined;
  /** Seed of the draw of validation images, a whole number. @default 0 */
  readonly seed?: number | undefined;
  /**
   * The classes to read, in the order that they are to have: images of other classes are left out. @default all, sorted
   */
  readonly classes?: readonly string[] | undefined;
  /** Whether links to files and folders are followed. @default true */
  readonly followLinks?: boolean | undefined;
  /**
   * The group of an image by its path relative to the root, such as the patient: a group is in one split. Undefined for
   * none. @default no groups
   */
  readonly groupOf?: ((path: string) => string | undefined) | undefined;
  /** Stops reading. */
  readonly signal?: AbortSignal | undefined;
}

const NO_GROUP_NOTE = "No image has a group: what tells groups by paths fits none of them.";
const DRAWN_NOTE = "No validation folder has usable images: validation images are drawn from train.";

/**
 * Reads a folder with one subfolder of images for each class, with or without train/, val/ and test/ above them.
 *
 * Each file is read once, to see that it starts like an image and to hash it; it is not decoded, so an image that is
 * damaged further on is found when it is loaded. Hidden and system files, empty class folders and files outside the
 * class folders are left out and reported. Classes are the union over the splits; each needs training images, except
 * to evaluate.
 * Links are followed unless told otherwise. Nothing is ever written.
 * @throws RootstockError BAD_DATA if the folder cannot be read or used, BAD_CONFIG for options that cannot be, ABORTED.
 */
export async function imageFolder(
  root: string,
  options: ImageFolderOptions = {},
): Promise<Dataset & { readonly task: "single-label" }> {
  const { purpose = "train", validation, seed = 0, followLinks = true, groupOf = () => undefined, signal } = options;
  checkSplitOptions(options);
  const saved = options.splits === undefined ? undefined : await savedSplit(options.splits);
  const apart = typeof validation === "string" ? validation : undefined;
  const { layout, aside, found } = await readFolders(root, { purpose, validation, apart, followLinks });
  const skipped: Skipped[] = [...found.skipped, ...(aside?.skipped ?? [])];
  const all = [...layout.placed, ...(aside?.placed ?? [])];
  const { files, notes: chosen } = ofClasses(root, all, options.classes);
  const usable = await inspectFiles(files, skipped, signal);
  if (apart !== undefined && !usable.some(({ split }) => split === "validation")) {
    throw new RootstockError(
      "BAD_DATA",
      `${printable(apart)} has no usable images for validation. ${expectation(apart)}`,
    );
  }
  const strays = await inspectStrays([...layout.strays, ...(aside?.strays ?? [])], skipped, signal);
  const present = classesOf(root, usable, { purpose, strays: strays.images, skipped, aside: apart });
  const classes = options.classes ?? present;
  const assigned = assignSplits(label(usable, classes, groupOf), {
    ...options,
    ...{ purpose, seed, saved, classes, task: "single-label", declared: "folders" },
    validation: typeof validation === "number" ? validation : DEFAULT_FRACTION,
  });
  const { samples, splitSource } = assigned;
  const drawn = typeof splitSource !== "string" && "fraction" in splitSource;
  const notes = [
    ...layout.notes,
    ...chosen,
    ...(options.groupOf !== undefined && samples.every(({ group }) => group === undefined) ? [NO_GROUP_NOTE] : []),
    ...(drawn && layout.placed.some(({ split }) => split === "validation") ? [DRAWN_NOTE] : []),
    ...assigned.notes,
    ...folderNotes({
      classes,
      samples,
      drawn,
      folders: foldersOf([...layout.folders, ...(aside?.folders ?? [])], options.classes),
      hidden: [...found.hidden, ...(aside?.hidden ?? [])],
      strays: strays.others,
    }),
    ...duplicateNotes(classes, samples),
  ];
  skipped.sort((a, b) => byCodeUnits(a.file, b.file));
  return { root, task: "single-label", classes, samples, skipped, notes, splitSource };
}

interface Folders {
  readonly found: Walk;
  readonly layout: Layout;
  readonly aside: (Layout & Pick<Walk, "skipped" | "hidden">) | undefined;
}

interface FoldersRequest {
  readonly purpose: "train" | "evaluate";
  readonly validation: number | string | undefined;
  /** The validation folder, if that is what `validation` is. */
  readonly apart: string | undefined;
  readonly followLinks: boolean;
}

async function readFolders(
  root: string,
  { purpose, validation, apart, followLinks }: FoldersRequest,
): Promise<Folders> {
  const exclude = apart === undefined ? new Set<string>() : new Set([await apartFrom(root, apart)]);
  const found = await walkFolder(root, { exclude, followLinks });
  const layout = readLayout(root, found, purpose);
  checkValidation(root, layout, validation);
  return { found, layout, aside: apart === undefined ? undefined : await readAside(root, apart, followLinks) };
}

/** Paths of the class folders, of all classes or of those that were asked for. */
function foldersOf(folders: Layout["folders"], asked: readonly string[] | undefined): readonly string[] {
  return folders.filter(({ className }) => asked?.includes(className) ?? true).map(({ path }) => path);
}

/** The files of the classes that were asked for, and a note on those left out. */
function ofClasses(
  root: string,
  placed: readonly PlacedFile[],
  asked: readonly string[] | undefined,
): { readonly files: readonly PlacedFile[]; readonly notes: readonly string[] } {
  if (asked === undefined) return { files: placed, notes: [] };
  const there = [...new Set(placed.map(({ className }) => className))].sort();
  checkClasses(asked, there, root);
  const others = there.filter((name) => !asked.includes(name));
  const files = placed.filter(({ className }) => asked.includes(className));
  if (others.length === 0) return { files, notes: [] };
  const left = count(placed.length - files.length, "file");
  return { files, notes: [`Left out ${left} of ${count(others.length, "other folder")}: ${named(others)}.`] };
}

function checkValidation(root: string, layout: Layout, validation: number | string | undefined): void {
  if (validation === undefined || !layout.placed.some(({ split }) => split === "validation")) return;
  throw new RootstockError(
    "BAD_CONFIG",
    `${root} has a folder of validation images beside train, so validation must not be given as well, got ${validation}. ` +
      "Leave it out, or give the train folder itself as the dataset.",
  );
}

async function realFolder(folder: string): Promise<string> {
  try {
    if ((await stat(folder)).isDirectory()) return await realpath(folder);
  } catch (cause) {
    throw unreadable(folder, cause);
  }
  throw new RootstockError("BAD_DATA", `${printable(folder)} is a file, not a folder. ${expectation("photos")}`);
}

/** The real path of the validation folder, which may lie in the root, but not around it. */
async function apartFrom(root: string, folder: string): Promise<string> {
  const [whole, part] = [await realFolder(root), await realFolder(folder)];
  if (whole !== part && !whole.startsWith(part + sep)) return part;
  throw new RootstockError(
    "BAD_CONFIG",
    `validation requires a folder apart from the training images, got ${printable(folder)}, which contains ${printable(root)}.`,
  );
}

async function walkFolder(folder: string, options: WalkOptions): Promise<Walk> {
  await realFolder(folder);
  try {
    return await walk(folder, options);
  } catch (cause) {
    throw unreadable(folder, cause);
  }
}

function unreadable(folder: string, cause: unknown): unknown {
  const problem = systemProblem(cause);
  if (problem === undefined) return cause;
  return new RootstockError("BAD_DATA", `${printable(folder)} ${problem}. ${expectation("photos")}`, { cause });
}

/** Reads a folder of validation classes; paths are relative to the root of the dataset, with ".." where needed. */
async function readAside(
  root: string,
  folder: string,
  followLinks: boolean,
): Promise<Layout & Pick<Walk, "skipped" | "hidden">> {
  const found = await walkFolder(folder, { followLinks });
  const layout = readLayout(folder, found, "train");
  if (layout.kind === "splits") {
    throw new RootstockError(
      "BAD_CONFIG",
      `validation requires a folder with one subfolder per class, got ${printable(folder)}, which has train folders of its own. ` +
        "Give one of its subfolders.",
    );
  }
  const prefix = relative(root, folder).split(sep).join("/");
  const inRoot = (path: string): string => `${prefix}/${path}`;
  const split: Split = "validation";
  return {
    ...layout,
    placed: layout.placed.map((file) => ({ ...file, split, path: inRoot(file.path) })),
    strays: layout.strays.map((file) => ({ ...file, path: inRoot(file.path) })),
    folders: layout.folders.map((entry) => ({ ...entry, split, path: inRoot(entry.path) })),
    skipped: found.skipped,
    hidden: found.hidden.map(inRoot),
  };
}

/** Images outside the class folders are skipped by name; other files there are only noted. */
async function inspectStrays(
  strays: readonly FoundFile[],
  skipped: Skipped[],
  signal: AbortSignal | undefined,
): Promise<{ readonly images: number; readonly others: readonly string[] }> {
  const problems = await mapBounded(strays, FILES_AT_A_TIME, ({ file }) => {
    checkSignal(signal);
    return headProblem(file);
  });
  const others: string[] = [];
  for (const [i, { file, path }] of strays.entries()) {
    if (problems[i] === undefined) skipped.push({ file, reason: "is outside the class folders; move it into one" });
    else others.push(path);
  }
  return { images: strays.length - others.length, others };
}

function label(
  usable: readonly Usable<PlacedFile>[],
  classes: readonly string[],
  groupOf: (path: string) => string | undefined,
): readonly Sample[] {
  const labels = new Map(classes.map((name, i) => [name, i]));
  return usable
    .map(({ file, path, className, split, sha256, bytes }) => {
      const group = groupOf(path);
      const sample = { file, path, target: [labels.get(className)!], split, sha256, bytes };
      return group === undefined ? sample : { ...sample, group };
    })
    .sort((a, b) => byCodeUnits(a.path, b.path));
}
