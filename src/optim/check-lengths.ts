/** The check of arrays that belong to one parameter. */
import { RootstockError } from "../errors.ts";

/**
 * Throws unless arrays have one length. @param name Whose arrays they are. @param arrays By what they hold.
 * @throws RootstockError SHAPE_MISMATCH.
 */
export function checkLengths(name: string, arrays: Readonly<Record<string, Float32Array>>): void {
  const sizes = Object.values(arrays).map(({ length }) => length);
  if (sizes.every((size) => size === sizes[0])) return;
  const names = Object.keys(arrays);
  throw new RootstockError(
    "SHAPE_MISMATCH",
    `${name} requires ${names.slice(0, -1).join(", ")} and ${names.at(-1)} of one length, got ${sizes.join(", ")}.`,
  );
}
