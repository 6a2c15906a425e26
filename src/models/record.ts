/** Checks records that come from files: every field that does not fit is named. */
import { z } from "zod";
import { RootstockError } from "../errors.ts";

/** A side of a picture in pixels; the same limit as the versioned preprocessing has. */
export const side = z.int().min(1).max(8192);

/** One number per color channel. */
export const triple = z.tuple([z.number(), z.number(), z.number()]);

/**
 * The value as its schema reads it.
 * @param where the file or metadata key, for the message.
 * @throws RootstockError BAD_CONFIG naming each field that does not fit.
 */
export function checkRecord<T>(schema: z.ZodType<T>, json: unknown, where: string): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const reasons = result.error.issues
    .map(({ path, message }) => `${path.join(".") || "the record"}: ${message}`)
    .join("; ");
  throw new RootstockError("BAD_CONFIG", `${where} is not a preprocessing that can be used: ${reasons}.`);
}
