/** Checks a list of classes that a person gave against those that the data have. */
import { RootstockError } from "../errors.ts";
import { nearest } from "../graph/nearest.ts";
import { printable } from "../graph/printable.ts";
import { named, quoted } from "./dataset-notes.ts";

/** @throws RootstockError BAD_CONFIG for an empty list, a class given twice, or one that `root` has no images of. */
export function checkClasses(asked: readonly string[], there: readonly string[], root: string): void {
  if (asked.length === 0) throw new RootstockError("BAD_CONFIG", "classes requires at least one class, got none.");
  const repeated = asked.find((name, i) => asked.indexOf(name) < i);
  if (repeated !== undefined)
    throw new RootstockError("BAD_CONFIG", `classes requires different classes, got ${quoted(repeated)} twice.`);
  const known = new Set(there);
  const unknown = asked.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const near = nearest(unknown[0]!, there);
  throw new RootstockError(
    "BAD_CONFIG",
    `classes names ${unknown.slice(0, 3).map(quoted).join(", ")}, but ${printable(root)} has no images of that. ` +
      `${near.length > 0 ? `Closest classes: ${near.map(quoted).join(", ")}.` : `It has ${named(there)}.`}`,
  );
}
