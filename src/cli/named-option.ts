/** Choices with options of their own on the command line: `sgd:momentum=0.95,nesterov=true`. */
import { UsageError } from "./arguments.ts";

/** Values that such an option can have; lists are written with | between numbers. */
type Value = number | boolean | readonly number[];

/** A choice and its options, which the library checks. */
export type NamedChoice<Name extends string> = { readonly name: Name } & Readonly<Record<string, Value>>;

/**
 * Reads `name` or `name:key=value,key=value`, keys in camelCase or with hyphens.
 * @throws UsageError for a name that is not among the choices, or what has no such form.
 */
export function namedChoice<Name extends string>(
  option: string,
  text: string | undefined,
  choices: readonly Name[],
): NamedChoice<Name> | undefined {
  if (text === undefined) return undefined;
  const [, word = "", rest] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  const name = choices.find((choice) => choice === word);
  if (name === undefined) throw new UsageError(`--${option} requires one of ${choices.join(", ")}, got "${word}".`);
  const settings = rest === undefined ? [] : rest.split(",").map((part) => setting(option, text, part));
  return { ...Object.fromEntries(settings), name } as NamedChoice<Name>; // made of values alone
}

function setting(option: string, text: string, part: string): readonly [string, Value] {
  const [, key, value = ""] = /^([A-Za-z][\w-]*)=(.+)$/.exec(part.trim()) ?? [];
  const read = readSetting(value);
  if (key === undefined || key === "name" || read === undefined)
    throw new UsageError(`--${option} requires a form such as name:key=0.5,other=true, got "${text}".`);
  return [key.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()), read];
}

function readSetting(text: string): Value | undefined {
  if (text === "true" || text === "false") return text === "true";
  const numbers = text.split("|").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (!numbers.every(Number.isFinite)) return undefined;
  return numbers.length === 1 ? numbers[0] : numbers;
}
