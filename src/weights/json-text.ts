/** JSON from files of other programs: read within a limit, checked against a schema, every fault named. */
import type { z } from "zod";
import { listed, messageOf, RootstockError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";

/** No list of a model's layers is larger: the topology of the largest published networks takes a few megabytes. */
export const MAX_JSON_BYTES = 2 ** 26;

/** The whole source as JSON. @throws RootstockError BAD_MODEL if it is too large, or no JSON. */
export function readJson(source: ByteSource, where = source.name): unknown {
  if (source.size > MAX_JSON_BYTES)
    throw new RootstockError(
      "BAD_MODEL",
      `${where} requires at most ${MAX_JSON_BYTES} bytes of JSON, got ${source.size}.`,
    );
  return parseJson(new TextDecoder().decode(source.read(0, source.size)), where);
}

/** A text as JSON. @throws RootstockError BAD_MODEL */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
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
