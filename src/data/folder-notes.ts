/** What to tell a person about the folders of a dataset: the error if they cannot be used, the notes if they can. */

import { listed, RootstockError } from "../errors.ts";
import { printable } from "../graph/printable.ts";
import { count, lookalikeNotes, named, quoted, splitNotes } from "./dataset-notes.ts";
import type { Sample, Skipped, Split } from "./sample.ts";

/** Says how a dataset has to look, with examples below `root`. */
export function expectation(root: string): string {
  return (
    `Expected one folder of images for each class, such as ${root}/cat/1.jpg and ${root}/dog/1.jpg, ` +
    `or the same in ${root}/train and ${root}/val.`
  );
}

interface Surroundings {
  readonly purpose: "train" | "evaluate";
  /** Number of images outside the class folders. */
  readonly strays: number;
  readonly skipped: readonly Skipped[];
  /** The separate validation folder, if any. */
  readonly aside: string | undefined;
}

/**
 * Returns the class names, sorted.
 * @throws RootstockError BAD_DATA if there are fewer than two, or some that have no training images; to evaluate, if
 * there are none.
 */
export function classesOf(
  root: string,
  usable: readonly { readonly className: string; readonly split: Split }[],
  { purpose, strays, skipped, aside }: Surroundings,
): readonly string[] {
  const classes = [...new Set(usable.map(({ className }) => className))].sort();
  if (purpose === "evaluate" && classes.length > 0) return classes;
  const trained = new Set(usable.filter(({ split }) => split === "train").map(({ className }) => className));
  const untrained = classes.filter((name) => !trained.has(name));
  if (trained.size < 2) {
    const wanted =
      purpose === "train" ? "at least two class folders with training images" : "a class folder with images";
    const found = trained.size === 0 ? "none" : `only one, ${printable([...trained][0]!)}`;
    const details: string[] = [];
    if (strays > 0) details.push(`${count(strays, "image")} outside of class folders.`);
    if (skipped.length > strays) {
      const some = skipped.filter(({ reason }) => !reason.startsWith("is outside"));
      details.push(
        `Files that cannot be used: ${listed(
          some.map(({ file, reason }) => `${printable(file)} ${reason}`),
          3,
        )}.`,
      );
    }
    throw new RootstockError(
      "BAD_DATA",
      [`${printable(root)} requires ${wanted}, found ${found}.`, ...details, expectation(root)].join(" "),
    );
  }
  if (untrained.length > 0) {
    const where = aside === undefined ? "in val or test" : `in ${printable(aside)} or test`;
    throw new RootstockError(
      "BAD_DATA",
      `every class requires training images, but ${listed(untrained.map(quoted))} has images ${where} only. ` +
        `The classes with training images are ${listed([...trained].sort().map(quoted))}. Add training images, or remove that folder.`,
    );
  }
  return classes;
}

interface FolderFacts {
  readonly classes: readonly string[];
  readonly samples: readonly Sample[];
  /** Whether validation images were drawn from the training images. */
  readonly drawn: boolean;
  /** Paths of the class folders. */
  readonly folders: readonly string[];
  readonly hidden: readonly string[];
  /** Files outside the class folders that are no images. */
  readonly strays: readonly string[];
}

/** Notes on what was ignored, on classes that are thin or look like one another. */
export function folderNotes({ classes, samples, drawn, folders, hidden, strays }: FolderFacts): readonly string[] {
  const notes: string[] = [];
  const empty = folders.filter((folder) => !samples.some(({ path }) => path.startsWith(`${folder}/`)));
  if (empty.length > 0) notes.push(`Ignored ${count(empty.length, "folder")} without usable images: ${named(empty)}.`);
  if (hidden.length > 0) notes.push(`Ignored hidden and system files: ${named(hidden)}.`);
  if (strays.length > 0)
    notes.push(`Ignored ${count(strays.length, "file")} outside the class folders: ${named(strays)}.`);
  notes.push(...splitNotes({ task: "single-label", classes, samples, drawn }), ...lookalikeNotes(classes));
  return notes;
}
