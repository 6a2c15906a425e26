/** The records of a table -> samples: names of classes become indices, and what cannot be learned is refused. */
import { listed, RootstockError } from "../../errors.ts";
import { printable } from "../../graph/printable.ts";
import { checkClasses } from "../check-classes.ts";
import { count, named, quoted } from "../dataset-notes.ts";
import type { Usable } from "../inspect-files.ts";
import { byCodeUnits } from "../names.ts";
import type { Dataset, Sample, Skipped, Split } from "../sample.ts";
import { describeReasons } from "./row-reason.ts";
import type { Columns } from "./table-columns.ts";
import type { TableRecord } from "./table-record.ts";

/** What samples are made from: an image that can be used, and what its row says. */
export type LabelledImage = Usable<
  Pick<TableRecord, "file" | "path" | "labels" | "values" | "group" | "weight"> & {
    readonly split: Split;
    readonly content?: Uint8Array | undefined;
  }
>;

interface LabelRequest {
  readonly purpose: "train" | "evaluate";
  readonly classes?: readonly string[] | undefined;
  /** Why others are not used. */
  readonly skipped: readonly Skipped[];
}

/**
 * Returns the classes and the samples, sorted by path.
 * @throws RootstockError BAD_DATA without any image; for training, with fewer than two classes of a single label, or
 * with single-label classes that have no training images: of several labels, one may well be rare. BAD_CONFIG for `classes` that are not there.
 */
export function labelImages(
  source: string,
  images: readonly LabelledImage[],
  { task, target }: Pick<Columns, "task" | "target">,
  { purpose, classes: asked, skipped }: LabelRequest,
): Pick<Dataset, "classes" | "samples" | "notes"> {
  if (images.length === 0) throw nothingUsable(source, skipped);
  if (target.kind === "values") {
    if (asked !== undefined)
      throw new RootstockError(
        "BAD_CONFIG",
        "classes must not be given for regression, whose targets are named by targets.",
      );
    return { classes: target.columns, samples: samplesOf(images, ({ values }) => values), notes: [] };
  }
  const there = new Set(target.kind === "indicators" ? target.columns : images.flatMap(({ labels }) => labels));
  const present = [...there].sort(byCodeUnits);
  if (asked !== undefined) checkClasses(asked, present, source);
  const classes = asked ?? present;
  const index = new Map(classes.map((name, i) => [name, i]));
  const notes: string[] = [];
  let usable = images;
  if (task === "single-label") {
    usable = images.filter(({ labels }) => labels.length === 1 && index.has(labels[0]!));
    const several = images.filter(({ labels }) => labels.length !== 1);
    if (several.length > 0)
      throw new RootstockError(
        "BAD_DATA",
        `single-label requires exactly one class for each image, ${printable(source)} has ${several.length} images with none or several, such as ${printable(several[0]!.path)}. Ask for multi-label.`,
      );
  }
  const others = present.filter((name) => !index.has(name));
  if (others.length > 0) {
    const left = images.length - usable.length;
    const what = task === "single-label" ? `${count(left, "image")} of ` : "";
    notes.push(`Left out ${what}${count(others.length, "class").replace(/classs$/, "classes")}: ${named(others)}.`);
  }
  const samples = samplesOf(usable, ({ labels }) =>
    labels.flatMap((name) => index.get(name) ?? []).sort((a, b) => a - b),
  );
  if (purpose === "train") checkTrained(source, { task, classes, samples }, skipped);
  const empty = task === "multi-label" ? samples.filter(({ target: labels }) => labels.length === 0).length : 0;
  if (empty > 0) notes.push(`${count(empty, "image")} with none of the classes.`);
  return { classes, samples, notes };
}

function samplesOf(images: readonly LabelledImage[], targetOf: (image: LabelledImage) => readonly number[]): Sample[] {
  const shared = new Map<string, readonly number[]>(); // equal targets of many images, once
  return images
    .map((image): Sample => {
      const { file, path, split, sha256, bytes, group, weight, content } = image;
      const target = targetOf(image);
      const key = target.join();
      if (!shared.has(key) && shared.size < 10_000) shared.set(key, target);
      return {
        ...{ file, path, target: shared.get(key) ?? target, split, sha256, bytes },
        ...(group === undefined ? {} : { group }),
        ...(weight === undefined ? {} : { weight }),
        ...(content === undefined ? {} : { content }),
      };
    })
    .sort((a, b) => byCodeUnits(a.path, b.path));
}

function checkTrained(
  source: string,
  { task, classes, samples }: Pick<Dataset, "task" | "classes" | "samples">,
  skipped: readonly Skipped[],
): void {
  const trained = new Set(samples.flatMap(({ target, split }) => (split === "train" ? target : [])));
  const least = task === "single-label" ? 2 : 1;
  if (trained.size < least) {
    const found = trained.size === 0 ? "none" : `only one, ${named([...trained].map((label) => classes[label]!))}`;
    throw new RootstockError(
      "BAD_DATA",
      `${printable(source)} requires at least ${least === 2 ? "two classes" : "one class"} with training images, found ${found}.${skipped.length > 0 ? ` ${count(skipped.length, "other")} cannot be used: ${reasonsOf(skipped)}.` : ""}`,
    );
  }
  const untrained = classes.filter((_, label) => !trained.has(label));
  if (untrained.length === 0 || task === "multi-label") return; // splitNotes names them
  throw new RootstockError(
    "BAD_DATA",
    `every class requires training images, but ${listed(untrained.map(quoted))} has none. ` +
      `The classes with training images are ${listed([...trained].sort((a, b) => a - b).map((label) => quoted(classes[label]!)))}. Add training images, or leave these classes out.`,
  );
}

/** Says why no row can be used; paths that lead nowhere are most often relative to another folder. */
function nothingUsable(source: string, skipped: readonly Skipped[]): RootstockError {
  const missing = skipped.filter(({ reason }) => reason.startsWith("does not exist")).length;
  const advice =
    missing * 2 > skipped.length ? " Paths are relative to the table's folder: name another one with images." : "";
  return new RootstockError(
    "BAD_DATA",
    `${printable(source)} has no image that can be used: ${reasonsOf(skipped)}.${advice}`,
  );
}

function reasonsOf(skipped: readonly Skipped[]): string {
  return describeReasons(skipped.map(({ file, reason }) => ({ reason, name: printable(file) })));
}
