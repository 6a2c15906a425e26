/** Nested settings as one list of dotted paths, so that runs of different versions can be laid side by side. */
import type { Json } from "../../json.ts";
import { cut, isFields } from "./json-fields.ts";

/** No configuration has more settings, nor nests them deeper. */
const MAX_PATHS = 2000;
const MAX_DEPTH = 12;
/** Values of a list that are written out. */
const MAX_LISTED = 200;

/** A value that is not nested: a list of such values is shown as one. */
export type Setting = null | boolean | number | string;

/**
 * Returns the leaves of a JSON value by their paths: { a: { b: 1 } } becomes "a.b" → 1, and a list with objects
 * "list.0.name". Lists of plain values, and what is nested too deep, are text. At most 2000 paths.
 */
export function flatten(json: Json | undefined, prefix = ""): ReadonlyMap<string, Setting> {
  const leaves = new Map<string, Setting>();
  const visit = (value: Json | undefined, path: string, depth: number): void => {
    if (value === undefined || leaves.size >= MAX_PATHS) return;
    const isNested = isFields(value) || (Array.isArray(value) && value.some((item) => isNestedValue(item)));
    if (isNested && depth < MAX_DEPTH) {
      for (const [key, inner] of Object.entries(value)) {
        if (leaves.size >= MAX_PATHS) return;
        visit(inner, path === "" ? cut(key) : `${path}.${cut(key)}`, depth + 1);
      }
    } else leaves.set(path, settingOf(value, depth));
  };
  visit(json, prefix, 0);
  return leaves;
}

function isNestedValue(value: Json): boolean {
  return typeof value === "object" && value !== null;
}

/** A list as text, not written out beyond what can be shown. */
function settingOf(value: Json, depth: number): Setting {
  if (typeof value === "string") return cut(value);
  if (typeof value !== "object" || value === null) return value;
  return Array.isArray(value) && depth < MAX_DEPTH ? cut(JSON.stringify(value.slice(0, MAX_LISTED))) : "…";
}
