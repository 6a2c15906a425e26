/**
 * JSON text of a checkpoint's state, from which exactly the same values are read. JSON has no infinities, NaN and
 * negative zero: they are kept as { "$number": "-Infinity" }, and keys that start with "$" get one more.
 */
import { messageOf, RootstockError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import { jsonExcess } from "../../weights/json-scan.ts";

/** Lists and objects within each other. */
const MAX_DEPTH = 64;
/** Values of all lists and objects: an order of a million samples has as many. */
const MAX_VALUES = 2 ** 24;
const MAX_BYTES = 2 ** 26;

const NUMBER = "$number";
const SPECIAL: ReadonlyMap<string, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
]);

/**
 * The text of a state. Keys of an object whose value is undefined are left out.
 * @throws RootstockError BAD_CONFIG for what is no JSON value, such as a Date or a typed array, and for more than is read.
 */
export function encodeState(state: Json): string {
  const text = JSON.stringify(encodeValue(state, "state", 1));
  const bytes = new TextEncoder().encode(text);
  const excess = bytes.length > MAX_BYTES ? `has ${bytes.length} bytes; ${MAX_BYTES} are allowed` : tooMuch(bytes);
  if (excess) throw new RootstockError("BAD_CONFIG", `the state of a checkpoint ${excess}. Keep less in it.`);
  return text;
}

/** The state of a text. @throws RootstockError BAD_MODEL if it is none. */
export function decodeState(text: string): Json {
  const excess = tooMuch(new TextEncoder().encode(text));
  if (excess) throw new RootstockError("BAD_MODEL", `the state of the checkpoint ${excess}.`);
  try {
    return decodeValue(JSON.parse(text));
  } catch (cause) {
    throw new RootstockError("BAD_MODEL", `the state of the checkpoint is no JSON text: ${messageOf(cause)}.`, {
      cause,
    });
  }
}

function tooMuch(bytes: Uint8Array): string | undefined {
  return jsonExcess(bytes, { depth: MAX_DEPTH + 1, values: MAX_VALUES }); // a special number nests once more
}

function encodeValue(value: unknown, where: string, depth: number): Json {
  if (typeof value === "number") return encodeNumber(value);
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (depth > MAX_DEPTH) throw refused(where, `nests more than ${MAX_DEPTH} lists or objects`);
  if (Array.isArray(value)) return value.map((item, i) => encodeValue(item, `${where}[${i}]`, depth + 1));
  if (!isPlainObject(value)) throw refused(where, `is ${nameOf(value)}, which JSON cannot hold`);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      item === undefined ? [] : [[escaped(key), encodeValue(item, `${where}.${key}`, depth + 1)]],
    ),
  );
}

function encodeNumber(value: number): Json {
  if (Number.isFinite(value) && !Object.is(value, -0)) return value;
  return { [NUMBER]: Object.is(value, -0) ? "-0" : String(value) };
}

function decodeValue(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) return value.map(decodeValue);
  const special = typeof value[NUMBER] === "string" ? SPECIAL.get(value[NUMBER]) : undefined;
  if (special !== undefined) return special;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key.startsWith("$") ? key.slice(1) : key, decodeValue(item ?? null)]),
  );
}

function escaped(key: string): string {
  return key.startsWith("$") ? `$${key}` : key;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function nameOf(value: unknown): string {
  return typeof value === "object" ? `a ${value?.constructor?.name ?? "object"}` : `of type ${typeof value}`;
}

function refused(where: string, problem: string): RootstockError {
  return new RootstockError("BAD_CONFIG", `a checkpoint cannot keep ${where}: it ${problem}. Use plain JSON values.`);
}
