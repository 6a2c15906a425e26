/** JSON from files of other programs: read within a limit, checked against a schema, every fault named. */
import type { z } from "zod";
import { listed, messageOf, RootstockError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { type JsonLimits, jsonExcess } from "./json-scan.ts";

/** No list of a model's layers is larger: the topology of the largest published networks takes a few megabytes. */
export const MAX_JSON_BYTES = 2 ** 26;

/** Topologies have up to some 10^5 values; models within models nest them by four levels each. */
const LIMITS: JsonLimits = { depth: 64, values: 2 ** 20 };

/** The whole source as JSON. @throws RootstockError BAD_MODEL if it is too large, has too many values, or is no JSON. */
export function readJson(source: ByteSource, where = source.name): unknown {
  if (source.size > MAX_JSON_BYTES)
    throw new RootstockError(
      "BAD_MODEL",
      `${where} requires at most ${MAX_JSON_BYTES} bytes of JSON, got ${source.size}.`,
    );
  return parseJson(source.read(0, source.size), where);
}

/** A text, or one in UTF-8, as JSON. @throws RootstockError BAD_MODEL if it has too many values, or is no JSON. */
export function parseJson(text: string | Uint8Array, where: string): unknown {
  const excess = jsonExcess(typeof text === "string" ? new TextEncoder().encode(text) : text, LIMITS);
  if (excess !== undefined)
    throw new RootstockError("BAD_MODEL", `${where} ${excess}, which no description of a model has. It is damaged.`);
  try {
    return JSON.parse(typeof text === "string" ? text : new TextDecoder().decode(text));
  } catch (cause) {
    throw new RootstockError("BAD_MODEL", `${where} requires JSON: ${messageOf(cause)}. It is damaged.`, { cause });
  }
}

/** The value as its schema reads it. @throws RootstockError BAD_MODEL naming the fields that do not fit. */
export function checkJson<T>(schema: z.ZodType<T>, json: unknown, where: string): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new RootstockError("BAD_MODEL", `${where} cannot be used: ${faultsOf(result.error)}.`);
}

/** The faults that a schema found, in one line. */
export function faultsOf(error: z.ZodError): string {
  return listed(error.issues.map(({ path, message }) => `${path.map(String).join(".") || "the value"}: ${message}`));
}
