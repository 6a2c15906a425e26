/** What the columns of a table hold, found by reading it once. */
import { RootstockError } from "../../errors.ts";
import { printable } from "../../graph/printable.ts";
import type { Json } from "../../json.ts";
import { ReasonCounts } from "./row-reason.ts";
import { type BadRow, MAX_COLUMNS, type TableRow } from "./table-rows.ts";

/** What one column holds. */
export interface ColumnFacts {
  readonly name: string;
  /** Cells with a finite number, those of them with a fraction, and whether all numbers are 0 or 1. */
  readonly numbers: number;
  readonly fractions: number;
  readonly binary: boolean;
  /** Cells with text that is no number, and those of them that are one with a decimal comma. Missing values count nowhere. */
  readonly texts: number;
  readonly commas: number;
  /** Cells with a list, as JSON Lines may have. */
  readonly lists: number;
  /** The first of | ; , that stands in a cell of the column. */
  readonly separator: "|" | ";" | "," | undefined;
}

/** What a table holds. */
export interface TableFacts {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  /** Why other rows cannot be read, the most frequent reasons with a line; empty if all can. */
  readonly problems: string;
}

/** Spellings of a value that is not there. */
const MISSING: ReadonlySet<string> = new Set(["", "nan", "na", "n/a", "null", "none", "-"]);
const SEPARATORS = ["|", ";", ","] as const;

/** Whether a cell of a column of numbers says that there is none. */
export function isMissing(cell: Json | undefined): boolean {
  return cell === undefined || cell === null || (typeof cell === "string" && MISSING.has(cell.trim().toLowerCase()));
}

/** Whether a cell is a number with a comma where the point is expected. */
export function hasDecimalComma(cell: Json | undefined): boolean {
  return typeof cell === "string" && /^\s*[+-]?\d+,\d+\s*$/.test(cell);
}

/** Returns the finite number of a cell, or undefined: decimal notation with a point, or a number of JSON. */
export function numberOf(cell: Json | undefined): number | undefined {
  if (typeof cell === "number") return Number.isFinite(cell) ? cell : undefined;
  const text = typeof cell === "string" ? cell.trim() : "";
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/**
 * Reads all rows and returns what the columns hold; rows that cannot be used are passed over.
 * @throws RootstockError BAD_DATA if the rows have more than 16384 columns altogether.
 */
export async function tableFacts(file: string, rows: AsyncIterable<TableRow | BadRow>): Promise<TableFacts> {
  const columns = new Map<string, Mutable<ColumnFacts> & { marks: Set<string> }>();
  const problems = new ReasonCounts();
  let count = 0;
  for await (const row of rows) {
    if ("problem" in row) {
      problems.add(row.problem, `line ${row.line} ${row.problem}`);
      continue;
    }
    count++;
    for (const [name, cell] of row.cells) {
      let facts = columns.get(name);
      if (facts === undefined) {
        const none = { numbers: 0, fractions: 0, commas: 0, texts: 0, lists: 0 };
        facts = { name, ...none, binary: true, separator: undefined, marks: new Set() };
        columns.set(name, facts);
        if (columns.size > MAX_COLUMNS) throw tooManyColumns(file);
      }
      add(facts, cell);
    }
  }
  for (const facts of columns.values()) facts.separator = SEPARATORS.find((mark) => facts.marks.has(mark));
  return { rows: count, columns, problems: problems.describe() };
}

function tooManyColumns(file: string): RootstockError {
  return new RootstockError(
    "BAD_DATA",
    `${printable(file)} requires at most ${MAX_COLUMNS} columns, its rows have more.`,
  );
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function add(facts: Mutable<ColumnFacts> & { readonly marks: Set<string> }, cell: Json | undefined): void {
  const value = numberOf(cell);
  if (value !== undefined) {
    facts.numbers++;
    if (!Number.isInteger(value)) facts.fractions++;
    if (value !== 0 && value !== 1) facts.binary = false;
  } else if (Array.isArray(cell)) facts.lists++;
  else if (typeof cell === "string") {
    for (const mark of SEPARATORS) if (cell.includes(mark)) facts.marks.add(mark);
    if (hasDecimalComma(cell)) facts.commas++;
    if (!isMissing(cell)) facts.texts++;
  } else if (!isMissing(cell)) facts.texts++;
}
