/** Reads what a callback gave to a checkpoint: another version, or another program, may have written it. */
import { z } from "zod";
import { RootstockError } from "../../errors.ts";
import type { Json } from "../../json.ts";

/**
 * The state, as its schema describes it.
 * @param who the callback's name, for the message.
 * @throws RootstockError BAD_CONFIG if it is another one.
 */
export function restored<T>(who: string, schema: z.ZodType<T>, state: Json): T {
  const result = schema.safeParse(state);
  if (result.success) return result.data;
  throw new RootstockError(
    "BAD_CONFIG",
    `${who} cannot go on from what the checkpoint says of it: ${z.prettifyError(result.error).replaceAll("\n", " ")}. ` +
      "Continue the run with the version of Rootstock that started it, or without this callback.",
    { cause: result.error },
  );
}
