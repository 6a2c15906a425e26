/** One row of a table -> what it says of one image. */
import { isAbsolute, join, posix, relative, resolve, sep } from "node:path";
import { printable } from "../../graph/printable.ts";
import type { Json } from "../../json.ts";
import type { Split } from "../sample.ts";
import type { Columns, TargetColumns } from "./table-columns.ts";
import { hasDecimalComma, isMissing, numberOf } from "./table-facts.ts";
import type { TableRow } from "./table-rows.ts";

/** What a row says of an image: names of classes, or values. */
export interface TableRecord {
  readonly line: number;
  /** Path that can be opened, and path relative to the root of the dataset, separated by "/". */
  readonly file: string;
  readonly path: string;
  readonly labels: readonly string[];
  readonly values: readonly number[];
  /** Undefined where the table has no column for it. */
  readonly split: Split | undefined;
  readonly group: string | undefined;
  readonly weight: number | undefined;
}

/** A row without a usable record. The problem reads on from the name of the image, or of the table where that is missing. */
export interface BadRecord {
  readonly line: number;
  readonly file: string | undefined;
  readonly problem: string;
}

/** What the cells of a split column may say, in lower case. */
const SPLIT_WORDS: ReadonlyMap<string, Split> = new Map([
  ["train", "train"],
  ["training", "train"],
  ["val", "validation"],
  ["valid", "validation"],
  ["validation", "validation"],
  ["validate", "validation"],
  ["dev", "validation"],
  ["development", "validation"],
  ["eval", "validation"],
  ["evaluation", "validation"],
  ["test", "test"],
  ["testing", "test"],
  ["holdout", "test"],
  ["hold-out", "test"],
  ["held-out", "test"],
]);

/** Weights that single precision still multiplies and sums without loss: it ends at 1.2e-38 and 3.4e38. */
const WEIGHTS = { least: 1e-30, most: 1e30 } as const;

/** Where the paths of a table lead. */
export interface Places {
  /** The folder that the paths are relative to, and the root of the dataset. */
  readonly images: string;
  readonly root: string;
}

/**
 * Returns the function that reads rows.
 *
 * A path may be absolute or lead out of the folder: tables list files wherever they are. A backslash, and a space around
 * a path in quotes, may be a part of the name, so `exists` decides: if there is no such file, "\" stands for "/", as in
 * tables made on Windows, and the spaces are dropped.
 */
export function recordReader(
  columns: Columns,
  { images, root }: Places,
  exists: (file: string) => boolean,
): (row: TableRow) => TableRecord | BadRecord {
  const base = resolve(root);
  const sameRoot = resolve(images) === base;
  const shared = new Map<string, string>(); // equal texts of many rows, once
  const intern = (text: string): string => {
    const known = shared.get(text);
    if (known !== undefined) return known;
    shared.set(text, text);
    return text;
  };
  const place = (text: string): { readonly file: string; readonly path: string } => {
    const inside = isAbsolute(text) ? text : posix.normalize(text.split(sep).join("/"));
    const file = isAbsolute(text) ? text : join(images, inside);
    const path = isAbsolute(text) || !sameRoot ? relative(base, resolve(file)).split(sep).join("/") : inside;
    return { file, path };
  };
  return ({ line, cells }) => {
    const text = textOf(cells.get(columns.image)) ?? "";
    const problem = pathProblem(text);
    if (problem !== undefined) return { line, file: undefined, problem };
    const given = place(text);
    const { file, path } = mayMean(text) && !exists(given.file) ? place(text.trim().replaceAll("\\", "/")) : given;
    const target = readTarget(cells, columns.target, intern);
    if ("problem" in target) return { line, file, problem: target.problem };
    const about = readRest(cells, columns, intern);
    return "problem" in about ? { line, file, problem: about.problem } : { line, file, path, ...target, ...about };
  };
}

/** Whether a path may stand for another one: with backslashes, or with spaces around it. */
function mayMean(path: string): boolean {
  return path.includes("\\") || path !== path.trim();
}

interface Problem {
  readonly problem: string;
}
type Cells = TableRow["cells"];

function pathProblem(path: string): string | undefined {
  if (path === "") return "names no image";
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) return `names a web address, ${shown(path)}: download the images first`;
  return path.includes("\0") ? "names a path with a zero character" : undefined;
}

function readTarget(
  cells: Cells,
  target: TargetColumns,
  intern: (text: string) => string,
): Pick<TableRecord, "labels" | "values"> | Problem {
  if (target.kind === "label") {
    const cell = cells.get(target.column);
    const [only, ...more] = Array.isArray(cell) ? cell : [cell];
    const label = nameOf(only);
    if (more.length > 0) return { problem: "has several labels where one is required" };
    return label === undefined ? { problem: "has no label" } : { labels: [intern(label)], values: [] };
  }
  if (target.kind === "labels") return readLabels(cells.get(target.column), target.separator, intern);
  const values: number[] = [];
  for (const column of target.columns) {
    const cell = cells.get(column);
    const value = numberOf(cell);
    if (value === undefined) return { problem: numberProblem(cell, column) };
    if (target.kind === "indicators" && value !== 0 && value !== 1)
      return { problem: `has ${value} for ${shown(column)}, where 0 or 1 is required` };
    values.push(value);
  }
  if (target.kind === "values") return { labels: [], values };
  return { labels: target.columns.filter((_, i) => values[i] === 1), values: [] };
}

/** An empty cell has none of the classes; a cell that is missing altogether tells nothing. */
function readLabels(
  cell: Json | undefined,
  separator: string | undefined,
  intern: (text: string) => string,
): Pick<TableRecord, "labels" | "values"> | Problem {
  if (cell === undefined || cell === null) return { problem: "has no labels" };
  const parts = Array.isArray(cell)
    ? cell
    : typeof cell === "string" && separator !== undefined
      ? cell.split(separator)
      : [cell];
  const labels = new Set<string>();
  for (const part of parts) {
    const label = nameOf(part);
    if (label !== undefined) labels.add(intern(label));
    else if (typeof part !== "string" && part !== null) return { problem: "has labels that are no texts" };
  }
  return { labels: [...labels], values: [] };
}

function numberProblem(cell: Json | undefined, column: string): string {
  if (isMissing(cell)) return `has no value for ${shown(column)}`;
  const text = typeof cell === "string" ? cell : JSON.stringify(cell);
  const comma = hasDecimalComma(text) ? ": write a point for the comma" : "";
  return `has ${shown(text)} for ${shown(column)}, which is no number${comma}`;
}

function readRest(
  cells: Cells,
  { split: splitColumn, group: groupColumn, weight: weightColumn }: Columns,
  intern: (text: string) => string,
): Pick<TableRecord, "split" | "group" | "weight"> | Problem {
  const word = splitColumn === undefined ? undefined : (nameOf(cells.get(splitColumn)) ?? "");
  const split = word === undefined ? undefined : SPLIT_WORDS.get(word.toLowerCase());
  if (word !== undefined && split === undefined)
    return {
      problem: word === "" ? "has no split" : `has the split ${shown(word)}, which is none of train, val, test`,
    };
  const group = groupColumn === undefined ? undefined : nameOf(cells.get(groupColumn));
  const cell = weightColumn === undefined ? undefined : cells.get(weightColumn);
  if (weightColumn === undefined || isMissing(cell)) return { split, group: group && intern(group), weight: undefined };
  const weight = numberOf(cell);
  if (weight === undefined) return { problem: numberProblem(cell, weightColumn) };
  if (!(weight > 0)) return { problem: `has the weight ${weight}, where a number above 0 is required` };
  if (!(weight >= WEIGHTS.least && weight <= WEIGHTS.most))
    return {
      problem: `has the weight ${weight}, where a number from ${WEIGHTS.least} to ${WEIGHTS.most} is required`,
    };
  return { split, group: group && intern(group), weight };
}

/** A text, a number or a truth value as text; undefined for nothing and for lists and objects. */
function textOf(cell: Json | undefined): string | undefined {
  if (typeof cell === "number" || typeof cell === "boolean") return String(cell);
  return typeof cell === "string" && cell.trim() !== "" ? cell : undefined;
}

/** A name of a class or a group, in Unicode form NFC and without spaces around it. */
function nameOf(cell: Json | undefined): string | undefined {
  return textOf(cell)?.trim().normalize("NFC");
}

function shown(text: string): string {
  return `"${printable(text.length > 80 ? `${text.slice(0, 79)}…` : text)}"`;
}
