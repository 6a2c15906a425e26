/** Which column of a table is the image, which the target: by option, else by name, else by what the cells hold. */
import { RootstockError } from "../../errors.ts";
import { nearest } from "../../graph/nearest.ts";
import { printable } from "../../graph/printable.ts";
import { named, quoted } from "../dataset-notes.ts";
import type { Task } from "../sample.ts";
import type { ColumnFacts, TableFacts } from "./table-facts.ts";

/** Which columns of a table are what. Names of columns are compared exactly. */
export interface ColumnOptions {
  /** @default found: single-label, multi-label or regression, by the columns that are there */
  readonly task?: Task | undefined;
  /** Column with the path of the image. @default image, file, filename, path, filepath or image_path, in any case */
  readonly imageColumn?: string | undefined;
  /** Column with the class, or the classes of multi-label data. @default label or class; labels or tags */
  readonly labelColumn?: string | undefined;
  /** Columns with numbers: the values of regression, or 0 and 1 for each class. @default without labels, the columns of numbers */
  readonly targets?: readonly string[] | undefined;
  /** What stands between the classes of one cell. @default | or else ; or else , as far as the column has them */
  readonly labelSeparator?: string | undefined;
  /** Column with train, val or test. @default the column split */
  readonly splitColumn?: string | undefined;
  /** Column with the group, such as the patient: a group is in one split. @default the column group */
  readonly groupColumn?: string | undefined;
  /** Column with the weight of the image in training, above 0. @default the column weight */
  readonly weightColumn?: string | undefined;
}

/** Where the target of a row is: one class, several classes, a 0 or 1 for each class, or values. */
export type TargetColumns =
  | { readonly kind: "label"; readonly column: string }
  | { readonly kind: "labels"; readonly column: string; readonly separator: string | undefined }
  | { readonly kind: "indicators"; readonly columns: readonly string[] }
  | { readonly kind: "values"; readonly columns: readonly string[] };

/** What the columns of a table are for. */
export interface Columns {
  readonly task: Task;
  readonly image: string;
  readonly target: TargetColumns;
  readonly split: string | undefined;
  readonly group: string | undefined;
  readonly weight: string | undefined;
  /** What was decided that a person may want otherwise. One sentence each. */
  readonly notes: readonly string[];
}

const IMAGE_NAMES = ["image", "file", "filename", "path", "filepath", "image_path", "file_name", "image_name"];
const LABEL_NAMES = ["label", "class"];
const LABELS_NAMES = ["labels", "tags"];
/** Columns of numbers that count rows and are nobody's target. */
const INDEX_NAMES = ["id", "index", "row", "line", "unnamed: 0"];

/**
 * Decides what the columns of a table are.
 *
 * The target: `targets` where they are given; else the label column, given or found by name; else all columns of
 * numbers that have no other use. The task, where it is not given: a column `label` is single-label, `labels` (or any
 * label column that holds lists) is multi-label; columns of numbers are regression, except that two or more columns of
 * nothing but 0 and 1 are the classes of multi-label data, and one such column is single-label.
 * @throws RootstockError BAD_DATA if there is no image or no target among the columns; BAD_CONFIG for a column that
 * is not there, or a task that its columns cannot have.
 */
export function chooseColumns(table: string, facts: TableFacts, options: ColumnOptions): Columns {
  const notes: string[] = [];
  const find = new ColumnFinder(table, facts, notes);
  const image = find.given("imageColumn", options.imageColumn) ?? find.named(IMAGE_NAMES);
  if (image === undefined)
    throw new RootstockError(
      "BAD_DATA",
      `${printable(table)} requires a column with the paths of images, such as image, has ${named([...facts.columns.keys()])}. Name it with imageColumn.`,
    );
  const split = find.given("splitColumn", options.splitColumn) ?? find.named(["split"]);
  const group = find.given("groupColumn", options.groupColumn) ?? find.named(["group"]);
  const weight = find.given("weightColumn", options.weightColumn) ?? find.named(["weight"]);
  const used = new Set([image, split, group, weight].filter((name) => name !== undefined));
  return { ...chooseTarget(table, facts, options, { find, used, notes }), image, split, group, weight, notes };
}

interface Search {
  readonly find: ColumnFinder;
  readonly used: ReadonlySet<string>;
  readonly notes: string[];
}

function chooseTarget(
  table: string,
  facts: TableFacts,
  options: ColumnOptions,
  { find, used, notes }: Search,
): Pick<Columns, "task" | "target"> {
  const { task, targets } = options;
  if (targets !== undefined && options.labelColumn !== undefined)
    throw new RootstockError("BAD_CONFIG", "targets must not be given with labelColumn. Leave one of them out.");
  if (targets !== undefined) return numberTarget(checkTargets(facts, targets, find), facts, task, notes);
  const single = options.labelColumn === undefined ? find.named(LABEL_NAMES, used) : undefined;
  const multiple = options.labelColumn === undefined ? find.named(LABELS_NAMES, used) : undefined;
  const label = find.given("labelColumn", options.labelColumn) ?? pickLabel(table, single, multiple, task);
  if (label !== undefined && (task !== "regression" || isNumeric(facts.columns.get(label)!)))
    return labelTarget(label, facts, options, notes);
  const rest = [...facts.columns.values()].filter(({ name }) => !used.has(name));
  const counts = (name: string): boolean => INDEX_NAMES.includes(name.toLowerCase());
  const numbers = rest.filter((column) => isNumeric(column) && !counts(column.name)).map(({ name }) => name);
  if (numbers.length === 0) {
    const commas = rest.filter(({ commas: found }) => found > 0).map(({ name }) => name);
    const hint = commas.length > 0 ? ` ${DECIMAL_COMMA(named(commas))}` : "";
    throw new RootstockError(
      "BAD_DATA",
      `${printable(table)} requires a column label or labels, or columns of numbers, has ${named([...facts.columns.keys()])}.${hint} Name the column with labelColumn, or the columns with targets.`,
    );
  }
  const taken = new Set(numbers);
  const others = rest.filter(({ name }) => !taken.has(name)).map(({ name }) => name);
  notes.push(
    `Columns taken as targets: ${named(numbers)}${others.length > 0 ? `; not taken: ${named(others)}` : ""}. Choose with targets.`,
  );
  return numberTarget(numbers, facts, task, notes);
}

function pickLabel(
  table: string,
  single: string | undefined,
  multiple: string | undefined,
  task: Task | undefined,
): string | undefined {
  if (single === undefined || multiple === undefined) return single ?? multiple;
  if (task !== undefined) return task === "multi-label" ? multiple : single;
  throw new RootstockError(
    "BAD_DATA",
    `${printable(table)} has the columns ${quoted(single)} and ${quoted(multiple)}. Say which one counts with labelColumn.`,
  );
}

function labelTarget(
  column: string,
  facts: TableFacts,
  { task, labelSeparator }: ColumnOptions,
  notes: string[],
): Pick<Columns, "task" | "target"> {
  const about = facts.columns.get(column)!;
  const several = about.lists > 0 || LABELS_NAMES.includes(column.toLowerCase());
  const chosen = task ?? (several || labelSeparator !== undefined ? "multi-label" : "single-label");
  if (chosen === "regression") return { task: chosen, target: { kind: "values", columns: [column] } };
  if (chosen === "multi-label") {
    const separator = labelSeparator ?? about.separator;
    if (separator === undefined && about.lists === 0)
      notes.push(
        `No cell of ${quoted(column)} has several classes between |, ; or commas: each one is taken whole. Another separator is named with labelSeparator.`,
      );
    return { task: chosen, target: { kind: "labels", column, separator } };
  }
  if (isNumeric(about) && about.fractions > 0)
    notes.push(
      `The numbers of ${quoted(column)} are taken as names of classes. To predict values, ask for regression.`,
    );
  return { task: chosen, target: { kind: "label", column } };
}

function numberTarget(
  columns: readonly string[],
  facts: TableFacts,
  task: Task | undefined,
  notes: string[],
): Pick<Columns, "task" | "target"> {
  const binary = columns.every((name) => isBinary(facts.columns.get(name)!));
  if (task === "regression" || (task === undefined && !binary))
    return { task: "regression", target: { kind: "values", columns } };
  const [only] = columns;
  if (columns.length === 1 && only !== undefined && task !== "multi-label") {
    notes.push(`${quoted(only)} holds nothing but 0 and 1, which are taken as two classes. Or ask for regression.`);
    return { task: "single-label", target: { kind: "label", column: only } };
  }
  if (!binary)
    throw new RootstockError(
      "BAD_CONFIG",
      `${task} with targets requires columns of 0 and 1, but ${named(columns.filter((name) => !isBinary(facts.columns.get(name)!)))} holds other values. Ask for regression.`,
    );
  if (task === undefined)
    notes.push(`${named(columns)} hold nothing but 0 and 1 and are taken as classes. Or ask for regression.`);
  return { task: task ?? "multi-label", target: { kind: "indicators", columns } };
}

function checkTargets(facts: TableFacts, targets: readonly string[], find: ColumnFinder): readonly string[] {
  if (targets.length === 0) throw new RootstockError("BAD_CONFIG", "targets requires at least one column, got none.");
  const seen = new Set<string>();
  const repeated = targets.find((name) => seen.size === seen.add(name).size);
  if (repeated !== undefined)
    throw new RootstockError("BAD_CONFIG", `targets requires different columns, got ${quoted(repeated)} twice.`);
  for (const name of targets) {
    find.given("targets", name);
    const { numbers, commas } = facts.columns.get(name)!;
    if (numbers > 0) continue;
    const advice = commas > 0 ? DECIMAL_COMMA(quoted(name)) : "A class is named with labelColumn.";
    throw new RootstockError("BAD_CONFIG", `targets requires columns of numbers, ${quoted(name)} has none. ${advice}`);
  }
  return targets;
}

const DECIMAL_COMMA = (column: string): string =>
  `The numbers of ${column} have a decimal comma: write a point, as in 0.5.`;

/** A column with numbers and otherwise nothing but missing values. */
function isNumeric({ numbers, texts, lists }: ColumnFacts): boolean {
  return numbers > 0 && texts === 0 && lists === 0;
}

function isBinary(column: ColumnFacts): boolean {
  return isNumeric(column) && column.binary;
}

/** Looks columns up, and notes where two names would do. */
class ColumnFinder {
  readonly #table: string;
  readonly #columns: readonly string[];
  readonly #known: ReadonlyMap<string, unknown>;
  readonly #notes: string[];

  constructor(table: string, { columns }: TableFacts, notes: string[]) {
    this.#table = table;
    this.#columns = [...columns.keys()];
    this.#known = columns;
    this.#notes = notes;
  }

  /** The column that an option names. */
  given(option: string, name: string | undefined): string | undefined {
    if (name === undefined || this.#known.has(name)) return name;
    const near = nearest(name, this.#columns);
    const rest =
      near.length > 0 ? `Closest columns: ${near.map(quoted).join(", ")}.` : `It has ${named(this.#columns)}.`;
    throw new RootstockError(
      "BAD_CONFIG",
      `${option} names ${quoted(name)}, which ${printable(this.#table)} has not. ${rest}`,
    );
  }

  /** The first of these names that is a column, in any case. */
  named(names: readonly string[], except: ReadonlySet<string> = new Set()): string | undefined {
    const found = names.flatMap((name) =>
      this.#columns.filter((column) => column.toLowerCase() === name && !except.has(column)),
    );
    const [first, ...others] = found;
    if (others.length > 0)
      this.#notes.push(`The column ${quoted(first!)} is taken before ${others.map(quoted).join(", ")}.`);
    return first;
  }
}
