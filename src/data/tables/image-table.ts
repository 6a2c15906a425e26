/** A table of images with classes or values -> a dataset, with everything odd about it reported by line. */
import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { RootstockError } from "../../errors.ts";
import { printable } from "../../graph/printable.ts";
import { count, duplicateNotes, lookalikeNotes, splitNotes } from "../dataset-notes.ts";
import { checkSignal, inspectFiles } from "../inspect-files.ts";
import { byCodeUnits } from "../names.ts";
import type { Dataset, Skipped, Split } from "../sample.ts";
import { assignSplits } from "../splits/assign-splits.ts";
import { savedSplit } from "../splits/saved-split.ts";
import { checkSplitOptions, DEFAULT_FRACTION, type SplitOptions } from "../splits/split-options.ts";
import { type RowPlace, rowReason } from "./row-reason.ts";
import { type ColumnOptions, type Columns, chooseColumns } from "./table-columns.ts";
import { tableFacts } from "./table-facts.ts";
import { recordReader, type TableRecord } from "./table-record.ts";
import { readRows } from "./table-rows.ts";
import { labelImages } from "./table-samples.ts";

/** How to read a table of images. */
export interface ImageTableOptions extends ColumnOptions, SplitOptions {
  /** What the images are for. @see ImageFolderOptions.purpose. @default "train" */
  readonly purpose?: "train" | "evaluate" | undefined;
  /**
   * Where validation images come from, in a table that has none of its own: a fraction in (0, 1) of the training images,
   * stratified, or another table with the same columns. @default 0.2 without rows for validation
   */
  readonly validation?: number | string | undefined;
  /** Seed of the draw of validation images, a whole number. @default 0 */
  readonly seed?: number | undefined;
  /** The classes to read, in the order that they are to have; images of none of them are left out. @default all, sorted */
  readonly classes?: readonly string[] | undefined;
  /** The folder that the paths of images are relative to. @default the folder of the table */
  readonly images?: string | undefined;
  /** What stands between the cells of a .csv file. @default found in its first line: comma, semicolon or tab */
  readonly delimiter?: string | undefined;
  /** Stops reading. */
  readonly signal?: AbortSignal | undefined;
}

const DRAWN_NOTE = "No usable row is for validation: validation images are drawn from train.";

/**
 * Reads a table (.csv, .tsv, .jsonl or .ndjson) with one row for each image: its path, and its class, its classes or
 * its values.
 *
 * The table is read twice, once to see what its columns hold and once for its rows, and each image once, to see that it
 * starts like an image and to hash it. Rows that cannot be used are skipped with the reason and the line. Of rows
 * for one image with the same target the first is used; where the targets differ none is, as nobody can tell which one
 * is right, except that classes are joined where a column holds several. Paths are relative to the
 * table's folder, or absolute; records hold them relative to that folder, with ".." where they lead out of it.
 * Nothing is ever written.
 * @throws RootstockError BAD_DATA if the table cannot be read or used, BAD_CONFIG for options that cannot be, ABORTED.
 */
export async function imageTable(file: string, options: ImageTableOptions = {}): Promise<Dataset> {
  const { purpose = "train", validation, seed = 0, delimiter, signal } = options;
  checkSplitOptions(options);
  const saved = options.splits === undefined ? undefined : await savedSplit(options.splits);
  const facts = await tableFacts(file, readRows(file, { delimiter }));
  if (facts.rows === 0)
    throw new RootstockError(
      "BAD_DATA",
      `${printable(file)} requires rows, has none to use${facts.problems === "" ? "" : `: ${facts.problems}`}.`,
    );
  const columns = chooseColumns(file, facts, options);
  const root = options.images ?? dirname(file);
  const skipped: Skipped[] = [];
  const rows = new Rows(columns, skipped);
  await rows.read(file, { images: root, root, delimiter, signal });
  checkValidation(file, rows.records(), validation);
  if (typeof validation === "string") {
    const images = options.images ?? dirname(validation);
    await rows.read(validation, { images, root, delimiter, signal, split: "validation" });
  }
  const usable = await inspectFiles(rows.records(), skipped, signal, (record) => rowReason("", record));
  const {
    classes,
    samples: declared,
    notes: classNotes,
  } = labelImages(file, usable, columns, { classes: options.classes, purpose, skipped });
  const assigned = assignSplits(declared, {
    ...options,
    ...{ purpose, seed, saved, classes, task: columns.task, declared: "column" },
    validation: typeof validation === "number" ? validation : DEFAULT_FRACTION,
  });
  const { samples, splitSource } = assigned;
  const drawn = typeof splitSource !== "string" && "fraction" in splitSource;
  const { task } = columns;
  const notes = [
    ...columns.notes,
    ...rows.notes(),
    ...(drawn && columns.split !== undefined ? [DRAWN_NOTE] : []),
    ...classNotes,
    ...assigned.notes,
    ...splitNotes({ task, classes, samples, drawn }),
    ...(task === "regression" ? [] : lookalikeNotes(classes, "copies of one name")),
    ...duplicateNotes(classes, samples, task),
  ];
  skipped.sort((a, b) => byCodeUnits(a.file, b.file));
  return { root: file, task, classes, samples, skipped, notes, splitSource };
}

/** A record with the split it is in and the table it is from. */
export type PlacedRecord = Omit<TableRecord, "split"> & { readonly split: Split; readonly table: string };

interface Source {
  readonly images: string;
  readonly root: string;
  readonly delimiter: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** The split of all rows, where the file decides it. */
  readonly split?: Split | undefined;
}

/** The records of one or two tables, one for each image. */
class Rows {
  readonly #columns: Columns;
  readonly #skipped: Skipped[];
  readonly #byPath = new Map<string, PlacedRecord>();
  /** The first row of each image whose rows contradict each other. */
  readonly #contradicted = new Map<string, PlacedRecord>();
  #joined = 0;

  constructor(columns: Columns, skipped: Skipped[]) {
    this.#columns = columns;
    this.#skipped = skipped;
  }

  records(): readonly PlacedRecord[] {
    return [...this.#byPath.values()];
  }

  async read(table: string, { images, root, delimiter, signal, split }: Source): Promise<void> {
    const columns = split === undefined ? this.#columns : { ...this.#columns, split: undefined };
    const recordOf = recordReader(columns, { images, root }, existsSync);
    for await (const row of readRows(table, { delimiter })) {
      checkSignal(signal);
      const record = "problem" in row ? { ...row, file: undefined } : recordOf(row);
      const from = { line: record.line, table };
      if ("problem" in record) {
        this.#skipped.push({ file: record.file ?? table, reason: rowReason(record.problem, from) });
        continue;
      }
      const placed = { ...record, table, split: split ?? record.split ?? "train" };
      const earlier = this.#byPath.get(record.path) ?? this.#contradicted.get(record.path);
      if (earlier === undefined) this.#byPath.set(record.path, placed);
      else this.#repeat(earlier, placed);
    }
  }

  notes(): readonly string[] {
    const paths = [...this.#byPath.keys()];
    const outside = paths.filter((path) => path.startsWith("../")).length;
    const notes: string[] = [];
    if (this.#joined > 0)
      notes.push(`${count(this.#joined, "row")} for an image that an earlier row names: the classes were joined.`);
    if (outside > 0 && outside < paths.length)
      notes.push(`${count(outside, "image")} outside the folder of the table's images.`);
    return notes;
  }

  /** One image in two rows: several classes are joined, an equal target counts once, another one makes both useless. */
  #repeat(earlier: PlacedRecord, record: PlacedRecord): void {
    const { labels, values, split, file, path } = record;
    if (this.#columns.target.kind === "labels" && split === earlier.split) {
      this.#joined++;
      this.#byPath.set(path, { ...earlier, labels: [...new Set([...earlier.labels, ...labels])] });
      return;
    }
    const same = labels.join("\0") === earlier.labels.join("\0") && values.join() === earlier.values.join();
    if (same && this.#byPath.has(path)) {
      const place = split === earlier.split ? "" : ` for ${split}`;
      this.#skipped.push({
        file,
        reason: rowReason(`is listed again${place}, first ${onLine(earlier, record)}`, record),
      });
      return;
    }
    const lines =
      earlier.table === record.table
        ? `on lines ${earlier.line} and ${record.line}`
        : `${onLine(earlier, record)} and line ${record.line} of ${basename(record.table)}`;
    const problem = `is listed with different ${values.length > 0 ? "values" : "labels"} ${lines}`;
    if (this.#byPath.delete(path)) {
      this.#contradicted.set(path, earlier);
      this.#skipped.push({ file: earlier.file, reason: rowReason(problem, earlier) });
    }
    this.#skipped.push({ file, reason: rowReason(problem, record) });
  }
}

function onLine({ line, table }: RowPlace, beside: RowPlace): string {
  return `on line ${line}${table === beside.table ? "" : ` of ${basename(table)}`}`;
}

function checkValidation(
  file: string,
  records: readonly PlacedRecord[],
  validation: ImageTableOptions["validation"],
): void {
  if (validation === undefined || !records.some(({ split }) => split === "validation")) return;
  throw new RootstockError(
    "BAD_CONFIG",
    `${printable(file)} has rows for validation, so validation must not be given as well, got ${validation}. Leave it out.`,
  );
}
