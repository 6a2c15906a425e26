/** A folder of images, one subfolder for each class -> a dataset, with everything odd about it reported by name. */

import { realpath, stat } from "node:fs/promises";
import { relative, sep } from "node:path";
import { RootstockError } from "../errors.ts";
import { printable } from "../graph/printable.ts";
import { mapBounded } from "./bounded.ts";
import { classesOf, duplicateNotes, expectation, folderNotes } from "./folder-notes.ts";
import { headProblem, inspectFile, systemProblem } from "./inspect.ts";
import { type Layout, type PlacedFile, readLayout } from "./layout.ts";
import { byCodeUnits } from "./names.ts";
import type { Dataset, Sample, Skipped, Split } from "./sample.ts";
import { drawValidation } from "./split.ts";
import { type FoundFile, type Walk, walk } from "./walk.ts";

/** How to read a folder of images. */
export interface ImageFolderOptions {
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
  /** Stops reading. */
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_FRACTION = 0.2;
const FILES_AT_A_TIME = 16;
const DRAWN_NOTE = "No validation folder has usable images: validation images are drawn from train.";

/**
 * Reads a folder with one subfolder of images for each class, with or without train/, val/ and test/ above them.
 *
 * Each file is read once, to see that it starts like an image and to hash it; it is not decoded, so an image that is
 * damaged further on is found when it is loaded. Hidden and system files, empty class folders and files outside the
 * class folders are left out and reported. Classes are the union over the splits; each needs training images, except
 * to evaluate.
 * Links are followed. Nothing is ever written.
 * @throws RootstockError BAD_DATA if the folder cannot be read or used, BAD_CONFIG for options that cannot be, ABORTED.
 */
export async function imageFolder(root: string, options: ImageFolderOptions = {}): Promise<Dataset> {
  const { purpose = "train", validation, seed = 0, signal } = options;
  checkOptions(options);
  const apart = typeof validation === "string" ? validation : undefined;
  const found = await walkFolder(root, apart === undefined ? new Set() : new Set([await apartFrom(root, apart)]));
  const layout = readLayout(root, found, purpose);
  checkValidation(root, layout, validation);
  const aside = apart === undefined ? undefined : await readAside(root, apart);
  const skipped: Skipped[] = [...found.skipped, ...(aside?.skipped ?? [])];
  const usable = await inspectAll([...layout.placed, ...(aside?.placed ?? [])], skipped, signal);
  if (apart !== undefined && !usable.some(({ split }) => split === "validation")) {
    throw new RootstockError(
      "BAD_DATA",
      `${printable(apart)} has no usable images for validation. ${expectation(apart)}`,
    );
  }
  const strays = await inspectStrays([...layout.strays, ...(aside?.strays ?? [])], skipped, signal);
  const classes = classesOf(root, usable, { purpose, strays: strays.images, skipped, aside: apart });
  const labelled = label(usable, classes);
  const { samples, splitSource }: Pick<Dataset, "samples" | "splitSource"> =
    purpose === "evaluate" || labelled.some(({ split }) => split === "validation")
      ? { samples: labelled, splitSource: "folders" }
      : draw(labelled, typeof validation === "number" ? validation : DEFAULT_FRACTION, seed);
  const notes = [
    ...layout.notes,
    ...(splitSource !== "folders" && layout.placed.some(({ split }) => split === "validation") ? [DRAWN_NOTE] : []),
    ...folderNotes({
      classes,
      samples,
      drawn: splitSource !== "folders",
      folders: [...layout.folders, ...(aside?.folders ?? [])].map(({ path }) => path),
      hidden: [...found.hidden, ...(aside?.hidden ?? [])],
      strays: strays.others,
    }),
    ...duplicateNotes(classes, samples),
  ];
  skipped.sort((a, b) => byCodeUnits(a.file, b.file));
  return { root, task: "single-label", classes, samples, skipped, notes, splitSource };
}

function checkOptions({ purpose, validation, seed = 0 }: ImageFolderOptions): void {
  if (purpose !== undefined && purpose !== "train" && purpose !== "evaluate") {
    throw new RootstockError("BAD_CONFIG", `purpose requires "train" or "evaluate", got ${JSON.stringify(purpose)}.`);
  }
  if (purpose === "evaluate" && validation !== undefined) {
    throw new RootstockError(
      "BAD_CONFIG",
      `validation requires the purpose "train", got ${validation} with "evaluate". Leave it out, or read that folder itself.`,
    );
  }
  if (typeof validation === "number" && !(validation > 0 && validation < 1)) {
    throw new RootstockError(
      "BAD_CONFIG",
      `validation requires a fraction between 0 and 1, such as 0.2, or a folder of classes, got ${validation}.`,
    );
  }
  if (!Number.isSafeInteger(seed)) {
    throw new RootstockError("BAD_CONFIG", `seed requires a whole number, got ${seed}.`);
  }
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

async function walkFolder(folder: string, exclude: ReadonlySet<string>): Promise<Walk> {
  await realFolder(folder);
  try {
    return await walk(folder, exclude);
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
async function readAside(root: string, folder: string): Promise<Layout & Pick<Walk, "skipped" | "hidden">> {
  const found = await walkFolder(folder, new Set());
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

type UsableFile = PlacedFile & { readonly bytes: number; readonly sha256: string };

async function inspectAll(
  files: readonly PlacedFile[],
  skipped: Skipped[],
  signal: AbortSignal | undefined,
): Promise<UsableFile[]> {
  const inspected = await mapBounded(files, FILES_AT_A_TIME, ({ file }) => {
    checkSignal(signal);
    return inspectFile(file);
  });
  return files.flatMap((file, i) => {
    const result = inspected[i]!;
    if (!("problem" in result)) return [{ ...file, ...result }];
    skipped.push({ file: file.file, reason: result.problem });
    return [];
  });
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

function label(usable: readonly UsableFile[], classes: readonly string[]): readonly Sample[] {
  const labels = new Map(classes.map((name, i) => [name, i]));
  return usable
    .map(({ file, path, className, split, sha256, bytes }) => {
      return { file, path, target: [labels.get(className)!], split, sha256, bytes };
    })
    .sort((a, b) => byCodeUnits(a.path, b.path));
}

/** Makes a fraction of the training images validation images. */
function draw(samples: readonly Sample[], fraction: number, seed: number): Pick<Dataset, "samples" | "splitSource"> {
  const train = samples.filter(({ split }) => split === "train");
  const drawn = drawValidation(train, fraction, seed);
  const chosen = new Set(train.filter((_, i) => drawn[i]));
  return {
    samples: samples.map((sample) => (chosen.has(sample) ? { ...sample, split: "validation" } : sample)),
    splitSource: { seed, fraction },
  };
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new RootstockError("ABORTED", "reading the dataset was stopped.", { cause: signal.reason });
}
