/** Why rows of a table are not used: the reason with its line, recognized again, and many of them in few words. */
import { basename } from "node:path";

/** Where a row is. */
export interface RowPlace {
  readonly line: number;
  readonly table: string;
}

/** Different problems that are told apart; more of them are counted together. */
const MAX_KINDS = 64;

/** Returns what follows a file's name: the problem and where the row is. */
export function rowReason(problem: string, { line, table }: RowPlace): string {
  return `${problem} (line ${line} of ${basename(table)})`;
}

/** Returns the problem and the line of a reason that `rowReason` made, or undefined for any other. */
export function rowOfReason(reason: string): { readonly problem: string; readonly line: number } | undefined {
  const start = reason.lastIndexOf(" (line ");
  const found = start < 0 ? null : /^ \(line (\d+) of .*\)$/s.exec(reason.slice(start));
  return found === null ? undefined : { problem: reason.slice(0, start), line: Number(found[1]) };
}

/** Counts problems of rows, alike but for names and numbers, in memory that does not grow with the rows. */
export class ReasonCounts {
  #others = 0;
  readonly #kinds = new Map<string, { readonly example: string; count: number }>();

  /** @param example The problem as it is to be shown, if it is the first of its kind. */
  add(problem: string, example: string): void {
    const kind = problem.replace(/"[^"]*"/g, '""').replace(/\d+/g, "0");
    const known = this.#kinds.get(kind);
    if (known !== undefined) known.count++;
    else if (this.#kinds.size < MAX_KINDS) this.#kinds.set(kind, { example, count: 1 });
    else this.#others++;
  }

  /** The most frequent problems, each with its first example: at most `limit`. */
  describe(limit = 3): string {
    const sorted = [...this.#kinds.values()].sort((a, b) => b.count - a.count);
    const shown = sorted.slice(0, limit).map(({ example, count }) => {
      return count === 1 ? example : `${example}; ${count - 1} more like it`;
    });
    const rest = sorted.slice(limit).reduce((sum, { count }) => sum + count, this.#others);
    return [...shown, ...(rest > 0 ? [`${rest} with other reasons`] : [])].join("; ");
  }
}

/** The most frequent of some reasons, each with an example. `name` stands before the example. */
export function describeReasons(
  reasons: readonly { readonly reason: string; readonly name?: string | undefined }[],
  limit = 3,
): string {
  const counts = new ReasonCounts();
  for (const { reason, name } of reasons)
    counts.add(rowOfReason(reason)?.problem ?? reason, name === undefined ? reason : `${name} ${reason}`);
  return counts.describe(limit);
}
