/** Options of every command that reads labelled images, and what they ask of the reader. */
import type { OpenDatasetOptions } from "../data/open-dataset.ts";
import type { Task } from "../data/sample.ts";
import { messageOf } from "../errors.ts";
import { type Options, type OptionTable, UsageError } from "./arguments.ts";
import { choice } from "./session-options.ts";

const TASKS: Readonly<Record<Task, true>> = { "single-label": true, "multi-label": true, regression: true };

/** How the data are to be read, whatever the command does with them. */
export const dataOptions = {
  task: {
    kind: "text",
    value: "<task>",
    choices: Object.keys(TASKS),
    help: "what a table's columns mean (default: found by the columns)",
  },
  images: { kind: "text", value: "<dir>", help: "folder that a table's paths are relative to (default: the table's)" },
  "image-column": { kind: "text", value: "<name>", help: "column with the path of the image (default image)" },
  "label-column": { kind: "text", value: "<name>", help: "column with the class, or classes (default label, labels)" },
  "label-separator": { kind: "text", value: "<text>", help: "between the classes of a cell (default |, ; or comma)" },
  targets: { kind: "text", value: "<a,b>", help: "columns of numbers to predict, or of 0 and 1 for each class" },
  "split-column": { kind: "text", value: "<name>", help: "column with train, val or test (default split)" },
  "group-column": { kind: "text", value: "<name>", help: "column with the group, never divided (default group)" },
  "weight-column": { kind: "text", value: "<name>", help: "column with the weight in training (default weight)" },
  "group-by": {
    kind: "text",
    value: "<pattern>",
    help: "group the images of a folder by what a regular expression finds in their paths, such as 'patient\\d+'",
  },
  classes: { kind: "text", value: "<a,b>", help: "classes to read, in this order (default all, sorted)" },
  "no-follow-links": { kind: "flag", help: "leave links in a folder out" },
  splits: {
    kind: "text",
    value: "<run>",
    help: "use the split of another run again: its folder or its data.json",
  },
} as const satisfies OptionTable;

/** How a split is drawn, for commands that train. */
export const splitOptions = {
  val: {
    kind: "text",
    value: "<path|fraction>",
    help: "validation images: a folder of classes, a table, or a share of the training images (default 0.2 where the data have none)",
  },
  test: { kind: "text", value: "<fraction>", help: "share of all images to hold out for testing (default none)" },
  folds: { kind: "number", value: "<k>", min: 2, whole: true, help: "cross-validation: deal the images into k folds" },
  fold: { kind: "number", value: "<i>", min: 0, whole: true, help: "the fold for validation, from 0 (default 0)" },
} as const satisfies OptionTable;

/**
 * Returns what the options ask of `openDataset`.
 * @throws UsageError for a value that cannot be.
 */
export function datasetOptions(
  options: Options<typeof dataOptions> & Partial<Options<typeof splitOptions>>,
): OpenDatasetOptions {
  if (options.fold !== undefined && options.folds === undefined)
    throw new UsageError(`--fold requires --folds <k>, got --fold ${options.fold} alone.`);
  return {
    task: choice(options.task, TASKS),
    images: options.images,
    imageColumn: options["image-column"],
    labelColumn: options["label-column"],
    labelSeparator: options["label-separator"],
    targets: listOf("targets", options.targets),
    splitColumn: options["split-column"],
    groupColumn: options["group-column"],
    weightColumn: options["weight-column"],
    groupOf: options["group-by"] === undefined ? undefined : groupBy(options["group-by"]),
    classes: listOf("classes", options.classes),
    followLinks: options["no-follow-links"] ? false : undefined,
    splits: options.splits,
    validation: fractionOr("val", options.val, "a folder, a table, or a fraction between 0 and 1 such as 0.2"),
    test: fractionOf("test", options.test),
    folds: options.folds,
    fold: options.fold,
  };
}

function listOf(name: string, text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined;
  const items = text.split(",").map((item) => item.trim());
  if (items.every((item) => item !== "")) return items;
  throw new UsageError(`--${name} requires names between commas, such as a,b, got "${text}".`);
}

/** A fraction if it is a number, else a path. */
function fractionOr(name: string, text: string | undefined, wanted: string): number | string | undefined {
  if (text === undefined || text.trim() === "" || Number.isNaN(Number(text))) return text;
  const fraction = Number(text);
  if (fraction > 0 && fraction < 1) return fraction;
  throw new UsageError(`--${name} requires ${wanted}, got "${text}".`);
}

function fractionOf(name: string, text: string | undefined): number | undefined {
  const wanted = "a fraction between 0 and 1 such as 0.1";
  const value = fractionOr(name, text, wanted);
  if (typeof value !== "string") return value;
  throw new UsageError(`--${name} requires ${wanted}, got "${text}".`);
}

/** The group of a path: the first group in brackets that matched, else the whole match. */
function groupBy(pattern: string): (path: string) => string | undefined {
  let expression: RegExp;
  try {
    expression = new RegExp(pattern, "u");
  } catch (cause) {
    throw new UsageError(`--group-by requires a regular expression, got "${pattern}": ${messageOf(cause)}.`, { cause });
  }
  return (path) => {
    const found = expression.exec(path);
    return found?.slice(1).find((part) => part !== undefined) ?? found?.[0];
  };
}
