/** Random damage to JSON, and what may come of it. */
import { RootstockError } from "../../../src/errors.ts";
import type { Rng } from "../../../src/random.ts";

/** One of the items. */
export const pick = <T>(random: Rng, items: readonly T[]): T => items[Math.floor(random.next() * items.length)]!;

/** Values that break what they are put in place of. */
const HOSTILE: readonly unknown[] = [
  ...[null, true, -1, 0, 1, 2, 3, 0.5, 1e308, 2 ** 31, 2 ** 53, "", "same", "channels_first", "relu", "__proto__"],
  ...[[], [0, 0], [1, 2, 3], [[[]]], {}, { class_name: "ReLU", config: {} }, ["conv", 0, 0], { start: 0, step: 0 }],
];

/** A copy with one value somewhere replaced, removed, doubled or exchanged with another. */
export function mutated(json: unknown, random: Rng): unknown {
  const copy: unknown = structuredClone(json);
  const places: [container: Record<string, unknown>, key: string][] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      places.push([value as Record<string, unknown>, key]); // lists have keys too
      visit(inner);
    }
  };
  visit(copy);
  for (let changes = 1 + Math.floor(random.next() * 2); changes > 0; changes--) {
    const [container, key] = pick(random, places);
    const [other, otherKey] = pick(random, places);
    const kind = random.next();
    if (kind < 0.5) container[key] = pick(random, HOSTILE);
    else if (kind < 0.65) delete container[key];
    else if (kind < 0.8 && typeof container[key] === "number") container[key] *= pick(random, [-1, 2, 1000, 1e9]);
    else container[key] = structuredClone(other[otherKey]);
  }
  return JSON.parse(JSON.stringify(copy)); // without the holes that JSON cannot have
}

/** What an attempt ends with: nothing, or an error that a person can act on. */
export async function survive(attempt: () => unknown, seen: Map<string, number>, what: string): Promise<void> {
  try {
    await attempt();
    seen.set("none", (seen.get("none") ?? 0) + 1);
  } catch (error) {
    const code = error instanceof RootstockError ? error.code : `${what}: ${String((error as Error).stack)}`;
    seen.set(code, (seen.get(code) ?? 0) + 1);
  }
}

/** How an import of something damaged may end; "none" is a damage that does not matter. */
export const ALLOWED = ["BAD_MODEL", "SHAPE_MISMATCH", "UNSUPPORTED_OP", "none"];
