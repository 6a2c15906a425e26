/** One line of JSON Lines -> one row of a table. */
import type { Json } from "../../json.ts";
import type { BadRow, TableRow } from "./table-rows.ts";

/** Lists in a row are flat, and objects in it are not used: nothing nests deeper. */
const MAX_DEPTH = 16;

/** Returns the row of a line, or why it is none. The line's length must be limited before. */
export function jsonRow(text: string, line: number): TableRow | BadRow {
  if (depthOf(text) > MAX_DEPTH) return { line, problem: `has values nested more than ${MAX_DEPTH} deep` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {
      line,
      problem: `is no JSON${text.trimStart().startsWith("[") ? " object" : ""}: every line must be one object${
        /:\s*-?(NaN|Infinity)\b/.test(text) ? ", with null for NaN and Infinity" : ""
      }`,
    };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { line, problem: `is ${Array.isArray(value) ? "a list" : "a single value"}: every line must be one object` };
  return { line, cells: new Map<string, Json>(Object.entries(value)) };
}

/** The deepest nesting of brackets outside texts: a bound, also for text that is no JSON. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 0x5c) i++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}
