/** What to tell a person about a dataset, wherever it was read from: thin splits, equal pictures, names that look alike. */
import { listed } from "../errors.ts";
import { printable } from "../graph/printable.ts";
import type { Dataset, Sample, Task } from "./sample.ts";

const SPLITS = ["train", "validation", "test"] as const;

/** Notes on classes without images in a split that has others. `drawn`: validation images were drawn from train. */
export function splitNotes({
  task,
  classes,
  samples,
  drawn,
}: Pick<Dataset, "task" | "classes" | "samples"> & { readonly drawn: boolean }): readonly string[] {
  const notes: string[] = [];
  for (const split of SPLITS) {
    const members = samples.filter((sample) => sample.split === split);
    if (members.length > 0 && task !== "regression") {
      const present = new Set(members.flatMap(({ target }) => target));
      const missing = classes.filter((_, label) => !present.has(label));
      if (missing.length > 0) notes.push(`No ${split} images of ${named(missing)}.`);
    }
    if (members.length === 0 && split === "validation" && drawn)
      notes.push(
        task === "single-label"
          ? "No validation images at all: no class has two different images."
          : "No validation images at all: no two images may be held apart.",
      );
  }
  return notes;
}

/** Notes on pairs of class names that a person probably means to be one class. */
export function lookalikeNotes(classes: readonly string[], copies = "copies of one folder"): readonly string[] {
  const notes: string[] = [];
  const byFolded = new Map<string, string>();
  const known = new Set(classes);
  const note = (a: string, b: string, how: string): unknown =>
    notes.push(`The classes ${quoted(a)} and ${quoted(b)} ${how}.`);
  for (const name of classes) {
    const folded = name.toLowerCase().trim();
    const other = byFolded.get(folded);
    if (other !== undefined) note(other, name, "differ in upper and lower case or spaces only");
    else byFolded.set(folded, name);
    const original = name.replace(/(?: \(\d+\)| - copy| copy(?: \d+)?)$/i, "");
    if (original !== name && known.has(original)) note(original, name, `look like ${copies}`);
  }
  return notes;
}

/** Notes on files with equal content: with two targets, in two splits, or plainly twice. */
export function duplicateNotes(
  classes: readonly string[],
  samples: readonly Sample[],
  task: Task = "single-label",
): readonly string[] {
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
    const targets = new Map(group.map(({ target }) => [target.join(), target]));
    const splits = new Set(group.map(({ split }) => split));
    const text = equated(group.map(({ path }) => printable(path)));
    if (targets.size > 1) conflicts.push(`${text}${differing([...targets.values()], classes, task)}`);
    if (splits.size > 1) leaks.push(`${text} (${[...splits].join(", ")})`);
    if (targets.size === 1 && splits.size === 1) repeats.push(text);
  }
  const notes: string[] = [];
  if (conflicts.length > 0)
    notes.push(`${count(conflicts.length, "picture")} ${CONFLICT[task]}: ${listed(conflicts)}.`);
  if (leaks.length > 0) notes.push(`${count(leaks.length, "picture")} in more than one split: ${listed(leaks)}.`);
  if (repeats.length > 0) notes.push(`${count(repeats.length, "picture")} ${REPEAT[task]}: ${listed(repeats)}.`);
  return notes;
}

const CONFLICT: Readonly<Record<Task, string>> = {
  "single-label": "in more than one class",
  "multi-label": "more than once with different labels",
  regression: "more than once with different values",
};
const REPEAT: Readonly<Record<Task, string>> = {
  "single-label": "more than once in one class",
  "multi-label": "more than once with the same labels",
  regression: "more than once with the same values",
};

function differing(targets: readonly (readonly number[])[], classes: readonly string[], task: Task): string {
  if (task === "single-label") return ` (${named(targets.map(([label]) => classes[label!]!))})`;
  const shown = targets
    .slice(0, 3)
    .map((target) => (task === "regression" ? target : target.map((label) => printable(classes[label]!))).join("+"));
  return ` (${listed(shown.map((text) => text || "none"))})`;
}

/** Steps of single precision across all values of a target below which a model's outputs are too coarse for it. */
export const FEW_STEPS = 64;

/** Returns how many steps of single precision (float32), as wide as those at the larger bound, lie between two numbers. */
export function float32Steps(low: number, high: number): number {
  const size = Math.max(Math.abs(low), Math.abs(high));
  const exponent = Math.max(-126, Math.floor(Math.log2(size)));
  return (high - low) / 2 ** (exponent - 23);
}

/** "1 file", "2 files". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** At most three names of one content, with a count of what was left out. */
function equated(paths: readonly string[]): string {
  const rest = paths.length - 3;
  return [...paths.slice(0, 3), ...(rest > 0 ? [`${rest} more`] : [])].join(" = ");
}

/** At most five names, harmless in a line of text, with a count of what was left out. */
export function named(items: readonly string[]): string {
  return listed(items.map(printable));
}

/** A name in quotation marks, harmless in a line of text. */
export function quoted(name: string): string {
  return `"${printable(name)}"`;
}
