/** Reads command lines strictly: what is not declared is an error, and every message says what can be written instead. */
import { parseArgs } from "node:util";
import { messageOf } from "../errors.ts";

/** A mistake in the command line itself; the process ends with code 2. */
export class UsageError extends Error {}

/** One option of a command. A flag takes no value. */
export type OptionSpec =
  | { readonly kind: "flag"; readonly help: string }
  | { readonly kind: "text"; readonly value: string; readonly help: string; readonly choices?: readonly string[] }
  | {
      readonly kind: "number";
      readonly value: string;
      readonly help: string;
      readonly min: number;
      readonly max?: number;
      readonly whole: boolean;
    };

export type OptionTable = Readonly<Record<string, OptionSpec>>;

type ValueOf<S extends OptionSpec> = S extends { kind: "flag" }
  ? boolean
  : S extends { kind: "number" }
    ? number | undefined
    : string | undefined;

/** The values of a table's options: flags are false, everything else undefined where they were not given. */
export type Options<T extends OptionTable> = { readonly [K in keyof T]: ValueOf<T[K]> };

/**
 * Parses the arguments of one command.
 * @throws UsageError for an unknown option, a missing or an impossible value.
 */
export function parseOptions<T extends OptionTable>(
  args: readonly string[],
  table: T,
): { options: Options<T>; positionals: string[] } {
  let parsed: { values: Record<string, string | boolean | undefined>; positionals: string[] };
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(table).map(([name, { kind }]) => [
          name,
          { type: kind === "flag" ? "boolean" : "string" } as const,
        ]),
      ),
    });
  } catch (error) {
    throw new UsageError(explain(messageOf(error), Object.keys(table)), { cause: error });
  }
  const values = Object.entries(table).map(([name, spec]) => [name, readValue(name, spec, parsed.values[name])]);
  return { options: Object.fromEntries(values) as Options<T>, positionals: parsed.positionals }; // one value per key of the table
}

function readValue(
  name: string,
  spec: OptionSpec,
  text: string | boolean | undefined,
): string | number | boolean | undefined {
  if (spec.kind === "flag") return text === true;
  if (typeof text !== "string") return undefined;
  if (spec.kind === "text") {
    if (spec.choices && !spec.choices.includes(text))
      throw new UsageError(`--${name} requires one of ${spec.choices.join(", ")}, got "${text}".`);
    if (text === "") throw new UsageError(`--${name} requires ${spec.value}, got nothing.`);
    return text;
  }
  const number = Number(text);
  const { min, max = Number.POSITIVE_INFINITY, whole } = spec;
  if (
    text.trim() === "" ||
    !Number.isFinite(number) ||
    number < min ||
    number > max ||
    (whole && !Number.isSafeInteger(number))
  ) {
    const range = max === Number.POSITIVE_INFINITY ? `from ${min}` : `from ${min} to ${max}`;
    throw new UsageError(`--${name} requires a ${whole ? "whole " : ""}number ${range}, got "${text}".`);
  }
  return number;
}

/** Node's message without its advice, and the nearest options where one is unknown. */
function explain(message: string, names: readonly string[]): string {
  const unknown = /Unknown option '--?([^']*)'/.exec(message)?.[1];
  if (unknown === undefined) return message.split(/\.\s/)[0]!.replace(/\.?$/, ".");
  const near = nearest(unknown, names);
  return `unknown option --${unknown}.${near.length > 0 ? ` Did you mean ${near.map((name) => `--${name}`).join(" or ")}?` : ""}`;
}

/** The names that differ from `word` by two letters, or a third of them (Levenshtein distance), or start with it. */
export function nearest(word: string, names: readonly string[]): string[] {
  const tolerance = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3));
  return names.filter((name) => (word.length > 1 && name.startsWith(word)) || distance(word, name) <= tolerance);
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
