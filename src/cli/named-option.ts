/** Choices with options of their own on the command line: `sgd:momentum=0.95,nesterov=true`. */
import { listed } from "../errors.ts";
import type { LossOptions } from "../losses/table.ts";
import type { ScheduleSettings } from "../optim/schedule.ts";
import type { OptimizerOptions } from "../optim/table.ts";
import { nearest, UsageError } from "./arguments.ts";

/** Values that such an option can have; lists are written with | between numbers, or with commas. */
type Value = number | boolean | readonly number[];

/** A choice and its options, which the library checks. */
export type NamedChoice<Name extends string> = { readonly name: Name } & Readonly<Record<string, Value>>;

type Settings = OptimizerOptions & ScheduleSettings & LossOptions;
type KeysWith<Kind> = {
  [K in keyof Settings]-?: NonNullable<Settings[K]> extends Kind ? K : never;
}[keyof Settings];

/** Settings that are lists of numbers, with an example of each, and how many numbers it has where that is fixed. */
const LISTS: Readonly<
  Record<KeysWith<readonly number[]>, { readonly example: string; readonly count?: number | undefined }>
> = {
  betas: { example: "0.9|0.99", count: 2 },
  milestones: { example: "10|20" },
  classWeights: { example: "1|2.5" },
  positiveWeights: { example: "1|2.5" },
};

/** Settings that are on or off. All others are numbers. */
const SWITCHES: Readonly<Record<KeysWith<boolean>, true>> = { nesterov: true, centered: true, soft: true };

/** How settings are written, for help. */
export const SETTINGS_FORM = "lists with | or commas between numbers, in quotes for the shell";

/**
 * Reads `name` or `name:key=value,key=value`, keys in camelCase or with hyphens. A number without a key goes on with the
 * list before it, an on-or-off setting without a value is on.
 * @param takes Names of the settings that a choice takes; the library checks them where this is not given.
 * @throws UsageError for a name that is not among the choices, or naming the part that cannot be.
 */
export function namedChoice<Name extends string>(
  option: string,
  text: string | undefined,
  choices: readonly Name[],
  takes?: (name: Name) => readonly string[],
): NamedChoice<Name> | undefined {
  if (text === undefined) return undefined;
  const [, word = "", rest] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  const name = choices.find((choice) => choice === word);
  if (name === undefined)
    throw new UsageError(`--${option} requires one of ${choices.join(", ")}, got "${word}".${hint(word, choices)}`);
  const settings = new Map<string, Value>();
  for (const part of rest === undefined ? [] : partsOf(rest)) {
    const { key, value } = keyAndValue(part, option, text);
    const where = `--${option} ${name}`;
    const known = takes?.(name);
    if (known && !known.includes(key))
      throw new UsageError(
        `${where} takes ${known.length === 0 ? "no settings" : listed(known, 9)}, got "${key}".${hint(key, known)}`,
      );
    if (settings.has(key))
      throw new UsageError(`${where}: ${key} is given twice, in "${text}". Leave one of them out.`);
    settings.set(key, readValue(where, key, value));
  }
  return { ...Object.fromEntries(settings), name } as NamedChoice<Name>; // made of values alone
}

function hint(word: string, choices: readonly string[]): string {
  const near = nearest(word, choices);
  return near.length > 0 ? ` Did you mean ${near.join(" or ")}?` : "";
}

/** What stands between commas, but numbers of a list together: `betas=0.9,0.99` is one part. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  for (const part of text.split(",")) {
    const before = parts.at(-1);
    const goesOn = before !== undefined && !part.includes("=") && part.trim() !== "" && isList(before.split("=")[0]!);
    if (goesOn) parts[parts.length - 1] = `${before}|${part}`;
    else parts.push(part);
  }
  return parts;
}

function isList(key: string): key is keyof typeof LISTS {
  return Object.hasOwn(LISTS, camelCase(key));
}

function camelCase(key: string): string {
  return key.trim().replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function keyAndValue(part: string, option: string, text: string): { readonly key: string; readonly value: string } {
  const [, word = "", value] = /^([A-Za-z][\w-]*)(?:=(.+))?$/s.exec(part.trim()) ?? [];
  const key = camelCase(word);
  if (key !== "" && key !== "name" && (value !== undefined || Object.hasOwn(SWITCHES, key)))
    return { key, value: value ?? "true" };
  throw new UsageError(
    `--${option} requires a form such as name:key=0.5,other=true, got "${text}", where "${part.trim()}" is no key with a value.`,
  );
}

function readValue(where: string, key: string, text: string): Value {
  if (Object.hasOwn(SWITCHES, key)) {
    if (text === "true" || text === "false") return text === "true";
    throw new UsageError(`${where}: ${key} requires true or false, got "${text}".`);
  }
  if (!isList(key)) {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (Number.isFinite(value)) return value;
    throw new UsageError(`${where}: ${key} requires a number, got "${text}".`);
  }
  const { example, count } = LISTS[key];
  const numbers = text
    .replace(/^\s*\[(.*)\]\s*$/s, "$1")
    .split("|")
    .map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (numbers.every(Number.isFinite) && (count === undefined || numbers.length === count)) return numbers;
  throw new UsageError(
    `${where}: ${key} requires ${count ?? "a list of"} numbers with | between them, such as "${key}=${example}" (in quotes for the shell), got "${text}".`,
  );
}
