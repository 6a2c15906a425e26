/** CSV, TSV and JSON Lines files -> rows, one at a time: whatever their size, only one row is in memory. */
import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { pipeline } from "node:stream/promises";
import { type CsvError, parse } from "csv-parse";
import { messageOf, RootstockError } from "../../errors.ts";
import { printable } from "../../graph/printable.ts";
import type { Json } from "../../json.ts";
import { systemProblem } from "../inspect.ts";
import { jsonRow } from "./json-row.ts";
import { textOf } from "./table-text.ts";

/** The endings of tables, and what is in them. */
export const TABLE_KINDS = { ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl" } as const;

/** The longest row, in characters of UTF-16: 2^20. */
export const MAX_ROW = 2 ** 20;
/** Most columns of a table. */
export const MAX_COLUMNS = 2 ** 14;
/** Most rows of a table. */
export const MAX_ROWS = 20_000_000;

/** A row of a table. */
export interface TableRow {
  /** Line of the file on which the row begins, from 1. */
  readonly line: number;
  /** The cells by column. A cell of CSV is a text, without the spaces around it that stand outside of quotes. */
  readonly cells: ReadonlyMap<string, Json>;
}

/** A row that cannot be used; the problem reads on from the name of the table. */
export interface BadRow {
  readonly line: number;
  readonly problem: string;
}

/** How a table is read. */
export interface TableRowsOptions {
  /** What stands between the cells of a .csv file. @default found in its first line: comma, semicolon or tab */
  readonly delimiter?: string | undefined;
}

/**
 * Yields the rows of a table; a row with too few or too many cells, or a line that is no JSON object, is a `BadRow`.
 *
 * The first row of CSV (RFC 4180) and TSV names the columns, without spaces around the names; columns without a name are left out. Every line of JSON
 * Lines is an object. Files are UTF-8, with or without a byte order mark; lines end in LF, CRLF or CR. Empty lines and
 * a line such as `sep=;` before the header are passed over.
 * @throws RootstockError BAD_DATA if the file cannot be read, is in another encoding or another format, has no header,
 * two columns of one name, a quote that is not closed, a row of more than 2^20 characters, more than 16384 columns or
 * more than 20 million rows.
 */
export async function* readRows(
  file: string,
  { delimiter }: TableRowsOptions = {},
): AsyncGenerator<TableRow | BadRow, void, undefined> {
  const kind = tableKind(file);
  await checkFile(file);
  const rows = kind === "jsonl" ? jsonRows(file) : csvRows(file, kind === "tsv" ? "\t" : delimiter);
  let count = 0;
  for await (const row of rows) {
    if (++count > MAX_ROWS)
      throw new RootstockError(
        "BAD_DATA",
        `${printable(file)} requires at most ${MAX_ROWS} rows, got more. Divide it.`,
      );
    yield row;
  }
}

/** Returns the kind of a table by the ending of its name, in any case, or undefined for another file. */
export function kindOfTable(file: string): "csv" | "tsv" | "jsonl" | undefined {
  const ending = extname(file).toLowerCase();
  return Object.entries(TABLE_KINDS).find(([known]) => known === ending)?.[1];
}

function tableKind(file: string): "csv" | "tsv" | "jsonl" {
  const kind = kindOfTable(file);
  if (kind !== undefined) return kind;
  const endings = Object.keys(TABLE_KINDS).join(", ");
  throw new RootstockError("BAD_DATA", `a table requires a name that ends in ${endings}, got ${printable(file)}.`);
}

async function checkFile(file: string): Promise<void> {
  let problem: string | undefined;
  try {
    const found = await stat(file);
    problem = found.isDirectory() ? "is a folder, not a table" : found.isFile() ? undefined : "is not a regular file";
  } catch (cause) {
    problem = systemProblem(cause);
    if (problem === undefined) throw cause;
  }
  if (problem !== undefined) throw new RootstockError("BAD_DATA", `${printable(file)} ${problem}.`);
}

async function* jsonRows(file: string): AsyncGenerator<TableRow | BadRow, void, undefined> {
  let line = 0;
  let rest = "";
  const parsed = function* (lines: readonly string[]): Generator<TableRow | BadRow> {
    for (const text of lines) {
      line++;
      checkLength(file, text.length, line);
      if (text.trim() !== "") yield jsonRow(text, line);
    }
  };
  for await (const text of textOf(file)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* parsed(lines);
    checkLength(file, rest.length, line + 1);
  }
  yield* parsed([rest]);
}

async function* csvRows(file: string, given: string | undefined): AsyncGenerator<TableRow | BadRow, void, undefined> {
  const text = textOf(file);
  const { head, skipped, delimiter } = await sniff(text, given);
  const ends: number[] = []; // the last line of each row that was parsed and not yet taken
  let before = 0; // the last line of the last row that was parsed
  const parser = parse({
    delimiter,
    max_record_size: MAX_ROW,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    on_record: (record: string[], { lines }) => {
      before = lines;
      ends.push(lines);
      return record;
    },
  });
  const feeding = pipeline(limited(file, head, text), parser);
  feeding.catch(() => undefined); // the loop below throws the same error
  let columns: readonly string[] | undefined;
  try {
    for await (const item of parser) {
      const record: readonly string[] = item; // cells are cast to nothing
      const breaks = record.reduce((sum, cell) => sum + (cell.includes("\n") ? cell.split("\n").length - 1 : 0), 0);
      const line = ends.shift()! - breaks + skipped;
      if (columns === undefined) columns = header(file, record);
      else yield csvRow(record, columns, line);
    }
  } catch (cause) {
    throw isCsvError(cause) ? csvFailure(file, cause, before + skipped) : cause;
  } finally {
    parser.destroy();
  }
  if (columns === undefined)
    throw new RootstockError(
      "BAD_DATA",
      `${printable(file)} requires a first line with the names of its columns, is empty.`,
    );
}

function csvRow(record: readonly string[], columns: readonly string[], line: number): TableRow | BadRow {
  if (record.length !== columns.length)
    return { line, problem: `has ${record.length} cells where the header has ${columns.length}` };
  const cells = new Map<string, Json>();
  for (const [i, name] of columns.entries()) if (name !== "") cells.set(name, record[i]!);
  return { line, cells };
}

function header(file: string, cells: readonly string[]): readonly string[] {
  const names = cells.map((cell) => cell.trim());
  if (names.length > MAX_COLUMNS)
    throw new RootstockError(
      "BAD_DATA",
      `${printable(file)} requires at most ${MAX_COLUMNS} columns, got ${names.length}.`,
    );
  const seen = new Set<string>();
  const repeated = names.find((name) => name !== "" && seen.size === seen.add(name).size);
  if (repeated !== undefined)
    throw new RootstockError(
      "BAD_DATA",
      `${printable(file)} requires columns of different names, has "${printable(repeated)}" twice. Rename one of them.`,
    );
  return names;
}

/** The text before the first end of a line, with what was read beyond it, and what stands between its cells. */
async function sniff(
  text: AsyncIterator<string>,
  given: string | undefined,
): Promise<{ readonly head: string; readonly skipped: number; readonly delimiter: string }> {
  let head = "";
  while (!/[\n\r]/.test(head.trimStart()) && head.length <= MAX_ROW) {
    const next = await text.next();
    if (next.done) break;
    head += next.value;
  }
  const hint = /^sep=(.)\r?\n/i.exec(head); // as spreadsheets write it
  const rest = hint ? head.slice(hint[0].length) : head;
  const first = rest
    .trimStart()
    .split(/[\n\r]/, 1)[0]!
    .replace(/"[^"]*"/g, "");
  const [most] = [",", ";", "\t"]
    .map((delimiter) => ({ delimiter, count: first.split(delimiter).length }))
    .sort((a, b) => b.count - a.count);
  return { head: rest, skipped: hint ? 1 : 0, delimiter: given ?? hint?.[1] ?? most!.delimiter };
}

/** The text as it was read; what is too long for a row without any end of a line never reaches the parser. */
async function* limited(file: string, head: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  let length = 0; // since the last end of a line
  const check = (text: string): string => {
    const pieces = text.split(/[\n\r]/);
    for (const [i, piece] of pieces.entries()) {
      length = (i === 0 ? length : 0) + piece.length;
      if (length > MAX_ROW) throw tooLong(file);
    }
    return text;
  };
  yield check(head);
  for await (const text of rest) yield check(text);
}

function checkLength(file: string, length: number, line: number): void {
  if (length > MAX_ROW) throw tooLong(file, line);
}

function tooLong(file: string, line?: number): RootstockError {
  const where = line === undefined ? "a row" : `line ${line}`;
  return new RootstockError(
    "BAD_DATA",
    `${printable(file)} requires rows of at most ${MAX_ROW} characters, ${where} is longer.`,
  );
}

function isCsvError(error: unknown): error is CsvError {
  return error instanceof Error && "code" in error && /^(CSV_|INVALID_OPENING_QUOTE)/.test(String(error.code));
}

/** What to do about text that is no CSV; `before` is the last line of the last good row. */
function csvFailure(file: string, cause: CsvError, before: number): RootstockError {
  const row = `${printable(file)}, in the row from line ${before + 1}`;
  const code = String(cause.code);
  if (code === "CSV_QUOTE_NOT_CLOSED" || code === "CSV_MAX_RECORD_SIZE")
    return new RootstockError(
      "BAD_DATA",
      `${row}: a quote is not closed${code === "CSV_MAX_RECORD_SIZE" ? `, or the row has more than ${MAX_ROW} characters` : ""}. Close it, or double it where it belongs to the text.`,
      { cause },
    );
  if (code.endsWith("_QUOTE"))
    return new RootstockError(
      "BAD_DATA",
      `${row}: a quote stands inside a cell. Put the whole cell into quotes and double those inside it.`,
      { cause },
    );
  return new RootstockError("BAD_DATA", `${row}: ${messageOf(cause)}.`, { cause });
}
