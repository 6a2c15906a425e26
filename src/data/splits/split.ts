/** Draws validation images: the same share of every class, decided by content and seed alone. */
import { type Rng, rng } from "../../random.ts";
import { byCodeUnits } from "../names.ts";
import { apportion, type DrawOptions, loneUnits, type Splittable, type Unit, unitsWithStrata } from "./stratify.ts";

export type { Splittable } from "./stratify.ts";

/** How a draw is made. */
export interface DrawValidationOptions extends DrawOptions {
  /** Name of the stream of random numbers: draws by other names are independent of one another. @default "split" */
  readonly stream?: string | undefined;
}

/**
 * Chooses about `fraction` of the samples for validation, stratified.
 *
 * Single-label: `fraction` of each class, rounded. A class with at least two different images keeps one on each side; a
 * class with one is all training. Multi-label: about `fraction` of each class, from the rarest on. Regression: about
 * `fraction` of each quantile bin of each target. Files with the same content, of one group, or of one list of
 * `together` stay on one side; the shares are then as close as that allows, and what holds a class alone is training.
 * The draw depends on the contents and the seed, not on the order of `samples` nor on names. With a single label and no
 * groups each content has its own random number, so that adding images moves few of the others.
 * @param fraction In (0, 1).
 * @returns For each sample, whether it is for validation.
 */
export function drawValidation(
  samples: readonly Splittable[],
  fraction: number,
  seed: number,
  { task = "single-label", together = [], stream = "split" }: DrawValidationOptions = {},
): boolean[] {
  const source = rng(seed).fork(stream);
  const units = unitsWithStrata(samples, Math.min(fraction, 1 - fraction), { task, together });
  const lone = task === "regression" ? new Set<Unit>() : loneUnits(units);
  const mixed = units.filter((unit) => !lone.has(unit) && (task !== "single-label" || unit.strata.size > 1));
  const parts = apportion(mixed, [1 - fraction, fraction], source);
  const chosen = new Set(mixed.filter((_, i) => parts[i] === 1));
  if (task === "single-label") fillClasses(units, chosen, fraction, source);
  const drawn = samples.map(() => false);
  for (const { members } of chosen) for (const i of members) drawn[i] = true;
  return drawn;
}

/** Adds units of one class only to those chosen, until each class has its share. */
function fillClasses(units: readonly Unit[], chosen: Set<Unit>, fraction: number, source: Rng): void {
  const byClass = new Map<number, ClassUnits>();
  for (const unit of units) {
    for (const [label, count] of unit.strata) {
      const known = byClass.get(label) ?? { pure: [], size: 0, drawn: 0, units: 0 };
      byClass.set(label, known);
      known.units++;
      known.size += count;
      if (chosen.has(unit)) known.drawn += count;
      if (unit.strata.size === 1) known.pure.push(unit);
    }
  }
  for (const facts of byClass.values()) {
    for (const unit of drawFromClass(facts, fraction, source)) chosen.add(unit);
  }
}

interface ClassUnits {
  /** The units that hold no other class. */
  readonly pure: Unit[];
  /** Samples and units of the class altogether, and its samples in the units chosen already. */
  size: number;
  units: number;
  drawn: number;
}

function drawFromClass({ pure, size, units, drawn }: ClassUnits, fraction: number, source: Rng): readonly Unit[] {
  if (units < 2 || pure.length === 0) return [];
  const ordered = pure
    .map((unit) => ({ unit, count: unit.members.length, ticket: source.fork(unit.key).next() }))
    .sort((a, b) => a.ticket - b.ticket || byCodeUnits(a.unit.key, b.unit.key));
  const wanted = Math.min(Math.max(Math.round(size * fraction), 1), size - 1) - drawn;
  const taken: Unit[] = [];
  let total = 0;
  for (const { unit, count } of ordered) {
    if (total + count > wanted) continue;
    taken.push(unit);
    total += count;
  }
  if (taken.length > 0 || drawn > 0) return taken;
  // Every unit is larger than wanted: the smallest one goes.
  return [ordered.reduce((least, entry) => (entry.count < least.count ? entry : least)).unit];
}
