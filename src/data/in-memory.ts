/** A list of images with classes or values, in files or in memory -> a dataset. */
import { relative, resolve, sep } from "node:path";
import { isArrayBuffer } from "node:util/types";
import { RootstockError } from "../errors.ts";
import { checkChoice, checkKeys, shown } from "../transforms/known-options.ts";
import { mapBounded } from "./bounded.ts";
import { duplicateNotes, lookalikeNotes, splitNotes } from "./dataset-notes.ts";
import { inspectContent, inspectFile } from "./inspect.ts";
import { checkSignal, FILES_AT_A_TIME } from "./inspect-files.ts";
import type { Dataset, ImageSource, Skipped, Split, Task } from "./sample.ts";
import { assignSplits } from "./splits/assign-splits.ts";
import { savedSplit } from "./splits/saved-split.ts";
import { checkSplitOptions, DEFAULT_FRACTION, type SplitOptions } from "./splits/split-options.ts";
import type { TargetColumns } from "./tables/table-columns.ts";
import { type LabelledImage, labelImages } from "./tables/table-samples.ts";

/** One image of a dataset in memory, with one of `label`, `labels` and `values`. */
export interface InMemoryImage {
  /** Path of an image file, or the bytes of one, as `fetch` gives them too: JPEG, PNG and so on, not pixels. */
  readonly image: ImageSource | ArrayBuffer;
  /** What to call bytes in messages and records; different for every image. @default image-<index> */
  readonly name?: string | undefined;
  /** The class, of single-label data: its name, not empty. */
  readonly label?: string | undefined;
  /** The classes, possibly none, of multi-label data. */
  readonly labels?: readonly string[] | undefined;
  /** One finite number for each target, of regression. */
  readonly values?: readonly number[] | undefined;
  /** @default "train" */
  readonly split?: Split | undefined;
  /** Images of one group are in one split. */
  readonly group?: string | undefined;
  /** How much the image counts in training, above 0. */
  readonly weight?: number | undefined;
}

const ITEM_KEYS: Readonly<Record<keyof InMemoryImage, true>> = {
  image: true,
  name: true,
  label: true,
  labels: true,
  values: true,
  split: true,
  group: true,
  weight: true,
};

/** How a list of images becomes a dataset. */
export interface InMemoryOptions extends SplitOptions {
  /** Names of the values of regression. @default value, or value 1, value 2 and so on */
  readonly targets?: readonly string[] | undefined;
  /** What the images are for. @see ImageFolderOptions.purpose. @default "train" */
  readonly purpose?: "train" | "evaluate" | undefined;
  /** Share in (0, 1) that is drawn for validation where no image is for validation. @default 0.2 without such images */
  readonly validation?: number | undefined;
  /** Seed of the draw of validation images, a whole number. @default 0 */
  readonly seed?: number | undefined;
  /** The classes to read, in the order that they are to have. @default all, sorted */
  readonly classes?: readonly string[] | undefined;
  /** Stops reading. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns a dataset of the given images. The first one decides the task: `label`, `labels` or `values`.
 *
 * Files are treated as `imageFolder` treats them, and so are bytes, which stay in memory for as long as the dataset:
 * what is no image is in `skipped`. The bytes are not copied and must not be changed.
 * @throws RootstockError BAD_CONFIG for an item of another task, a value that is no finite number, a name given twice or
 * options that cannot be; BAD_DATA if the images cannot be used; ABORTED.
 */
export async function inMemoryDataset(
  images: readonly InMemoryImage[],
  options: InMemoryOptions = {},
): Promise<Dataset> {
  const { purpose = "train", validation, seed = 0, signal } = options;
  checkSplitOptions(options);
  const saved = options.splits === undefined ? undefined : await savedSplit(options.splits);
  if (!Array.isArray(images))
    throw new RootstockError("BAD_CONFIG", `inMemoryDataset requires a list of images, got ${shown(images)}.`);
  for (const [i, item] of images.entries()) checkForm(item, i);
  const [first]: readonly InMemoryImage[] = images;
  if (first === undefined) throw new RootstockError("BAD_DATA", "inMemoryDataset requires images, got none.");
  const task = taskOf(first, 0);
  const named = namesOf(images);
  for (const [i, item] of images.entries()) checkItem(item, i, { task, width: first.values?.length ?? 0 });
  const skipped: Skipped[] = [];
  const inspected = await mapBounded(named, FILES_AT_A_TIME, async ({ image, file }) => {
    checkSignal(signal);
    return typeof image === "string" ? await inspectFile(file) : inspectContent(image);
  });
  const usable = named.flatMap(({ image, file, path, item }, i): LabelledImage[] => {
    const result = inspected[i]!;
    if ("problem" in result) {
      skipped.push({ file, reason: result.problem });
      return [];
    }
    const { label, labels = label === undefined ? [] : [label], values = [], split = "train", group, weight } = item;
    const content = typeof image === "string" ? undefined : image;
    return [{ ...result, file, path, labels: [...new Set(labels)], values, split, group, weight, content }];
  });
  const target = targetOf(task, first, options.targets);
  const labelled = labelImages("the list", usable, { task, target }, { classes: options.classes, purpose, skipped });
  const { classes } = labelled;
  const assigned = assignSplits(labelled.samples, {
    ...options,
    ...{ purpose, seed, saved, classes, task, declared: "column" },
    validation: validation ?? DEFAULT_FRACTION,
  });
  const { samples, splitSource } = assigned;
  const drawn = typeof splitSource !== "string" && "fraction" in splitSource;
  const notes = [
    ...labelled.notes,
    ...assigned.notes,
    ...splitNotes({ task, classes, samples, drawn }),
    ...(task === "regression" ? [] : lookalikeNotes(classes, "copies of one name")),
    ...duplicateNotes(classes, samples, task),
  ];
  return { root: ".", task, classes, samples, skipped, notes, splitSource };
}

function taskOf({ label, labels, values }: InMemoryImage, index: number): Task {
  const given = [label, labels, values].filter((item) => item !== undefined).length;
  if (given === 1) return label !== undefined ? "single-label" : labels !== undefined ? "multi-label" : "regression";
  throw new RootstockError(
    "BAD_CONFIG",
    `an image requires exactly one of label, labels and values, image ${index} has ${given}.`,
  );
}

/** Throws unless an item of the list is one at all. */
function checkForm(item: InMemoryImage, index: number): void {
  checkKeys(`image ${index}`, item, ITEM_KEYS);
  const { image, label, labels, values, split = "train" } = item;
  const refuse = (message: string, got: unknown, hint = ""): never => {
    throw new RootstockError("BAD_CONFIG", `${message}, got ${shown(got)} (image ${index}).${hint}`);
  };
  if (!(typeof image === "string" ? image !== "" : image instanceof Uint8Array || isArrayBuffer(image)))
    refuse("image requires a path, or the bytes of an image file as a Uint8Array or ArrayBuffer", image);
  if (label !== undefined && !isName(label)) {
    const hint = typeof label === "number" ? ` Write label: "${label}" for a class, or values: [${label}].` : "";
    refuse("label requires the name of a class", label, hint);
  }
  if (labels !== undefined && !(Array.isArray(labels) && labels.every(isName)))
    refuse(
      "labels requires a list of names of classes",
      Array.isArray(labels) ? labels.find((x) => !isName(x)) : labels,
    );
  if (values !== undefined && !Array.isArray(values)) refuse("values requires a list of numbers", values);
  for (const key of ["name", "group"] as const)
    if (item[key] !== undefined && !isName(item[key])) refuse(`${key} requires a text that is not empty`, item[key]);
  checkChoice(`split of image ${index}`, split, ["train", "validation", "test"]);
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value.trim() !== "";
}

function checkItem(
  item: InMemoryImage,
  index: number,
  { task, width }: { readonly task: Task; readonly width: number },
): void {
  const own = taskOf(item, index);
  const refuse = (message: string): never => {
    throw new RootstockError("BAD_CONFIG", `${message} (image ${index}).`);
  };
  if (own !== task) refuse(`all images require the task of the first one, ${task}, got ${own}`);
  if (item.values !== undefined && (item.values.length !== width || !item.values.every(Number.isFinite)))
    refuse(`values requires ${width} finite numbers, got ${JSON.stringify(item.values)}`);
  if (item.weight !== undefined && !(item.weight > 0 && Number.isFinite(item.weight)))
    refuse(`weight requires a number above 0, got ${item.weight}`);
}

interface Named {
  readonly item: InMemoryImage;
  readonly image: ImageSource;
  readonly file: string;
  readonly path: string;
}

/** The path of a file, relative to the current folder, or the name of bytes: all different. */
function namesOf(images: readonly InMemoryImage[]): readonly Named[] {
  const known = new Set<string>();
  return images.map((item, i) => {
    const { image: given, name = `image-${i}` } = item;
    const image = isArrayBuffer(given) ? new Uint8Array(given) : given;
    const file = typeof image === "string" ? image : name;
    const path = typeof image === "string" ? relative(".", resolve(image)).split(sep).join("/") : name;
    if (known.has(path))
      throw new RootstockError(
        "BAD_CONFIG",
        `images require different paths and names, got ${path} twice (image ${i}).`,
      );
    known.add(path);
    return { item, image, file, path };
  });
}

function targetOf(task: Task, { values = [] }: InMemoryImage, names: readonly string[] | undefined): TargetColumns {
  if (task !== "regression") {
    if (names !== undefined)
      throw new RootstockError("BAD_CONFIG", `targets requires images with values, got ${task} data. Leave it out.`);
    return task === "single-label"
      ? { kind: "label", column: "label" }
      : { kind: "labels", column: "labels", separator: undefined };
  }
  if (names !== undefined && (names.length !== values.length || new Set(names).size !== names.length))
    throw new RootstockError(
      "BAD_CONFIG",
      `targets requires ${values.length} different names, one for each value, got ${JSON.stringify(names)}.`,
    );
  const numbered = values.map((_, i) => (values.length === 1 ? "value" : `value ${i + 1}`));
  if (values.length === 0) throw new RootstockError("BAD_CONFIG", "values requires at least one number, got none.");
  return { kind: "values", columns: names ?? numbered };
}
