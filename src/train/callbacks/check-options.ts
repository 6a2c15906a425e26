/** The options that a callback is made with: an object of known ones. */
import { RootstockError } from "../../errors.ts";
import { checkKeys } from "../../transforms/known-options.ts";

/**
 * Throws unless a callback's options are an object of known ones.
 * @param example How it is called, for the message.
 * @throws RootstockError BAD_CONFIG
 */
export function checkOptions(
  who: string,
  options: unknown,
  { known, example }: { readonly known: Readonly<Record<string, true>>; readonly example: string },
): void {
  if (options === undefined)
    throw new RootstockError("BAD_CONFIG", `${who} requires options, such as ${example}, got none.`);
  checkKeys(who, options, known);
}
