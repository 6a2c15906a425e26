/** Reads command lines strictly: what is not declared is an error, and every message says what can be written instead. */
import { parseArgs } from "node:util";
import { messageOf } from "../errors.ts";
import { nearest } from "../graph/nearest.ts";

export { nearest };

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
      args: withNegativeValues(args, table),
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

/** `--seed -1` as `--seed=-1`: a number after an option that takes a value is its value, not another option. */
function withNegativeValues(args: readonly string[], table: OptionTable): string[] {
  const end = args.indexOf("--");
  const joined: string[] = [];
  for (const [i, arg] of args.entries()) {
    const name = /^--([^=]+)$/.exec(args[i - 1] ?? "")?.[1] ?? "";
    const takesValue = Object.hasOwn(table, name) && table[name]?.kind !== "flag";
    const isValue = takesValue && /^-(\.?\d|Infinity)/.test(arg) && (end < 0 || i < end);
    if (isValue) joined.push(`${joined.pop()}=${arg}`);
    else joined.push(arg);
  }
  return joined;
}

/** Settings whose option has another name. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  val: "validation",
  augment: "augmentation",
  tensorboard: "tensorBoard",
  "group-by": "groupOf",
};

/** Options with settings of their own, such as sgd:momentum=0.9, are named before these in messages. */
function hasSettings(spec: OptionSpec): boolean {
  return spec.kind === "text" && spec.value.startsWith("<name[");
}

/**
 * The same text with settings named as options are typed: "labelSmoothing requires …" becomes "--label-smoothing
 * requires …". Words that are also words, such as "loss", are names only at the beginning, before "must not be given",
 * and before a value in quotes. What a part of the recipe says of its own settings stays as it is: they are typed so.
 */
export function inOptionNames(text: string, table: OptionTable): string {
  const first = /^[a-z]+(?= [\w-]+(: | takes ))/.exec(text)?.[0];
  if (first !== undefined && Object.hasOwn(table, first) && hasSettings(table[first]!)) return `--${text}`;
  return Object.keys(table).reduce((renamed, name) => {
    const setting = OTHER_NAMES[name] ?? name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    const before = "(?<![\\w./\\\\\"'-])"; // not within a path, a quotation or a longer name
    const after = "(?![\\w/\\\\\"'(-]|\\.\\w)";
    const alone = /[A-Z]/.test(setting)
      ? `${before}${setting}${after}`
      : `^${setting}${after}|(?<=^--[\\w-]+ and )${setting}(?= require)|${before}${setting}(?= must not be given)|(?<=must not be given with )${setting}${after}`;
    return renamed
      .replace(new RegExp(`${before}${setting} "([\\w.:*-]+)"`, "g"), `--${name} $1`)
      .replace(new RegExp(alone, "g"), `--${name}`);
  }, text);
}

/** The value of an option from its text. @throws UsageError for a text that is none. */
export function readValue(
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
