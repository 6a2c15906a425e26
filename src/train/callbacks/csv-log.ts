/** A table of the run that spreadsheets and pandas read: one row per epoch. */
import type { Callback, EpochReport } from "../callback.ts";
import { type RecordFileOptions, recordFile } from "./record-file.ts";

const NAME = "csv-log";

/** Columns that every epoch has; those of validation follow. */
const COLUMNS = ["phase", "epoch", "steps", "learningRate", "trainLoss", "best"] as const;

/**
 * Writes one row per epoch to a CSV file: phase, epoch, steps, learningRate, trainLoss, best, and `validation.<measure>`
 * for each measure. A measure that a later phase brings is a further column, empty above. Each row is on the disk before
 * training goes on; a continued run has no row twice.
 * The callback throws RootstockError CANNOT_WRITE, or BAD_CONFIG if there is a file of that name already.
 * @throws RangeError if the file has no name; RootstockError BAD_CONFIG without options, or for one that there is not.
 */
export function csvLog(options: RecordFileOptions): Callback {
  const file = recordFile(NAME, options, { header: 1 });
  return {
    name: NAME,
    onPhaseStart: () => file.open(),
    onEpochEnd: async (report) => {
      await file.open();
      const row = rowOf(report);
      const columns = file.lines.length > 0 ? fieldsOf(file.lines[0]!) : [];
      const added = [...row.keys()].filter((name) => !columns.includes(name));
      columns.push(...added);
      const line = lineOf(columns.map((name) => row.get(name) ?? ""));
      if (added.length === 0) return await file.append(line);
      const above = file.lines.slice(1).map((old) => old + ",".repeat(added.length));
      await file.replace([lineOf(columns), ...above, line]);
    },
    state: () => file.state(),
    restore: (state) => file.restore(state),
  };
}

/** Values by column. */
function rowOf(report: EpochReport): Map<string, string> {
  return new Map([
    ...COLUMNS.map((name) => [name, String(report[name])] as const),
    ...Object.entries(report.validation).map(
      ([name, value]) => [oneLine(`validation.${name}`), String(value)] as const,
    ),
  ]);
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, " ");
}

/** A line by RFC 4180: fields with commas or quotes are quoted, and quotes in them doubled. No field has two lines. */
function lineOf(fields: readonly string[]): string {
  return fields
    .map(oneLine)
    .map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(",");
}

/** The fields of a line that `lineOf` made. */
function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!, // one of the two matched
  );
}
