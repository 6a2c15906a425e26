/** Fields of a JSON value that may be of any form: what is absent or of another type is undefined. */
import type { Json } from "../../json.ts";

/** No name that a run records is longer; what is, is cut. */
const MAX_TEXT = 200;

/** Whether a value is an object with fields. */
export function isFields(json: Json | undefined): json is { readonly [key: string]: Json | undefined } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** The value at the end of a path of names. */
export function fieldOf(json: Json | undefined, ...path: readonly string[]): Json | undefined {
  let value = json;
  for (const key of path) value = isFields(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

/** The text at the end of a path, of at most 200 characters. */
export function textOf(json: Json | undefined, ...path: readonly string[]): string | undefined {
  const value = fieldOf(json, ...path);
  return typeof value === "string" ? cut(value) : undefined;
}

/** The number from 0 at the end of a path, finite. */
export function amountOf(json: Json | undefined, ...path: readonly string[]): number | undefined {
  const value = fieldOf(json, ...path);
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** The text, cut after 200 characters. */
export function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}
