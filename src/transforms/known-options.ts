/** Refuses options and words that nobody reads, with the one that was probably meant. */
import { listed, RootstockError } from "../errors.ts";
import { nearest } from "../graph/nearest.ts";

/** Most characters of what was given that a message repeats. */
const SHOWN = 80;

/**
 * Throws unless `options` is an object whose keys are all known; names of Python, such as `rotation_range`, are recognized.
 * @param what Whose options they are, for the message.
 * @throws RootstockError BAD_CONFIG
 */
export function checkKeys(what: string, options: unknown, known: Readonly<Record<string, true>>): void {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new RootstockError("BAD_CONFIG", `${what} requires an object of options, got ${shown(options)}.`);
  const names = Object.keys(known);
  const unknown = Object.keys(options).filter((key) => !Object.hasOwn(known, key));
  if (unknown.length === 0) return;
  const near = [...new Set(unknown.flatMap((key) => similar(key, names)))];
  const hint = near.length > 0 ? `Did you mean ${near.join(" or ")}?` : `It takes ${listed(names, 40)}.`;
  throw new RootstockError("BAD_CONFIG", `${what} has no option ${listed(unknown.map(shown))}. ${hint}`);
}

/**
 * Throws unless `value` is one of the choices.
 * @param name Of the option, for the message.
 * @throws RootstockError BAD_CONFIG
 */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (choices.some((choice) => choice === value)) return;
  throw new RootstockError(
    "BAD_CONFIG",
    `${name} requires one of ${choices.join(", ")}, got ${shown(value)}.${didYouMean(value, choices)}`,
  );
}

/** Returns ` Did you mean "strong"?`, or nothing where no choice is like the value. */
export function didYouMean(value: unknown, choices: readonly string[]): string {
  const near = typeof value === "string" ? similar(value, choices) : [];
  return near.length > 0 ? ` Did you mean ${near.map((name) => JSON.stringify(name)).join(" or ")}?` : "";
}

/** Returns a value as JSON, shortened; what JSON has no word for by its type. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, SHOWN));
  if (value === null || ["undefined", "number", "boolean", "bigint"].includes(typeof value)) return String(value);
  return Array.isArray(value) ? "a list" : typeof value === "function" ? "a function" : "an object";
}

/** The names like a word, without regard to case, underscores and hyphens. */
function similar(word: string, names: readonly string[]): string[] {
  const near = nearest(folded(word), names.map(folded));
  const alike = names.filter((name) => folded(name) === folded(word));
  return alike.length > 0 ? alike : names.filter((name) => near.includes(folded(name)));
}

function folded(word: string): string {
  return word.toLowerCase().replace(/[_-]/g, "");
}
