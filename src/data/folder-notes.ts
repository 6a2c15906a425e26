/** What to tell a person about the folders of a dataset: the error if they cannot be used, the notes if they can. */

import { listed, RootstockError } from "../errors.ts";
import { printable } from "../graph/printable.ts";
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
  if (empty.length > 0) notes.push(`Ignored ${count(empty.length, "folder")} without usable images: ${names(empty)}.`);
  if (hidden.length > 0) notes.push(`Ignored hidden and system files: ${names(hidden)}.`);
  if (strays.length > 0)
    notes.push(`Ignored ${count(strays.length, "file")} outside the class folders: ${names(strays)}.`);
  for (const split of ["train", "validation", "test"] as const) {
    const present = new Set(samples.filter((sample) => sample.split === split).map(({ target }) => target[0]!));
    const missing = classes.filter((_, label) => !present.has(label));
    if (present.size > 0 && missing.length > 0) notes.push(`No ${split} images of ${names(missing)}.`);
    if (present.size === 0 && split === "validation" && drawn)
      notes.push("No validation images at all: no class has two different images.");
  }
  for (const [alike, how] of lookalikes(classes)) notes.push(`The classes ${alike.map(quoted).join(" and ")} ${how}.`);
  return notes;
}

/** Notes on files with equal content: in two classes, in two splits, or plainly twice. */
export function duplicateNotes(classes: readonly string[], samples: readonly Sample[]): readonly string[] {
  const byContent = new Map<string, Sample[]>();
  for (const sample of samples) {
    const group = byContent.get(sample.sha256);
    if (group === undefined) byContent.set(sample.sha256, [sample]);
    else group.push(sample);
  }
  const conflicts: string[] = [];
  const leaks: string[] = [];
  const repeats: string[] = [];
  for (const group of byContent.values()) {
    if (group.length < 2) continue;
    const labels = new Set(group.map(({ target }) => target[0]!));
    const splits = new Set(group.map(({ split }) => split));
    const text = equated(group.map(({ path }) => printable(path)));
    if (labels.size > 1) conflicts.push(`${text} (${names([...labels].map((label) => classes[label]!))})`);
    if (splits.size > 1) leaks.push(`${text} (${[...splits].join(", ")})`);
    if (labels.size === 1 && splits.size === 1) repeats.push(text);
  }
  const notes: string[] = [];
  if (conflicts.length > 0)
    notes.push(`${count(conflicts.length, "picture")} in more than one class: ${listed(conflicts)}.`);
  if (leaks.length > 0) notes.push(`${count(leaks.length, "picture")} in more than one split: ${listed(leaks)}.`);
  if (repeats.length > 0)
    notes.push(`${count(repeats.length, "picture")} more than once in one class: ${listed(repeats)}.`);
  return notes;
}

/** Pairs of class names that a person probably means to be one class. */
function lookalikes(classes: readonly string[]): readonly (readonly [readonly string[], string])[] {
  const pairs: (readonly [readonly string[], string])[] = [];
  const byFolded = new Map<string, string>();
  for (const name of classes) {
    const folded = name.toLowerCase().trim();
    const other = byFolded.get(folded);
    if (other !== undefined) pairs.push([[other, name], "differ in upper and lower case or spaces only"]);
    else byFolded.set(folded, name);
    const original = name.replace(/(?: \(\d+\)| - copy| copy(?: \d+)?)$/i, "");
    if (original !== name && classes.includes(original))
      pairs.push([[original, name], "look like copies of one folder"]);
  }
  return pairs;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** At most three names of one content, with a count of what was left out. */
function equated(paths: readonly string[]): string {
  const rest = paths.length - 3;
  return [...paths.slice(0, 3), ...(rest > 0 ? [`${rest} more`] : [])].join(" = ");
}

function names(items: readonly string[]): string {
  return listed(items.map(printable));
}

function quoted(name: string): string {
  return `"${printable(name)}"`;
}
