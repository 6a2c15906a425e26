/** Draws validation images: the same share of every class, decided by content and seed alone. */
import { type Rng, rng } from "../random.ts";
import { byCodeUnits } from "./names.ts";

/** What the draw looks at. */
export interface Splittable {
  readonly target: readonly number[];
  readonly sha256: string;
}

/**
 * Chooses about `fraction` of each class, rounded, for validation.
 *
 * Files with the same content stay together. A class with at least two different images keeps one on each side; a class
 * with one is all training. The draw depends on the contents and the seed, not on the order of `samples` nor on names;
 * since each content has its own random number, adding images moves few of the others.
 * @param fraction In (0, 1).
 * @returns For each sample, whether it is for validation.
 */
export function drawValidation(samples: readonly Splittable[], fraction: number, seed: number): boolean[] {
  const source = rng(seed).fork("split");
  const chosen = new Set<string>(); // "label/sha256"
  for (const label of new Set(samples.map(({ target }) => target[0]!))) {
    const members = samples.filter(({ target }) => target[0] === label);
    for (const sha256 of drawFromClass(members, fraction, source)) chosen.add(`${label}/${sha256}`);
  }
  return samples.map(({ target, sha256 }) => chosen.has(`${target[0]}/${sha256}`));
}

function drawFromClass(members: readonly Splittable[], fraction: number, source: Rng): readonly string[] {
  const copies = new Map<string, number>();
  for (const { sha256 } of members) copies.set(sha256, (copies.get(sha256) ?? 0) + 1);
  if (copies.size < 2) return [];
  const drawn = [...copies]
    .map(([sha256, count]) => ({ sha256, count, ticket: source.fork(sha256).next() }))
    .sort((a, b) => a.ticket - b.ticket || byCodeUnits(a.sha256, b.sha256));
  const wanted = Math.min(Math.max(Math.round(members.length * fraction), 1), members.length - 1);
  const taken: string[] = [];
  let total = 0;
  for (const { sha256, count } of drawn) {
    if (total + count > wanted) continue;
    taken.push(sha256);
    total += count;
  }
  if (taken.length > 0) return taken;
  // Every content has more copies than wanted: the one with the fewest goes.
  return [drawn.reduce((least, group) => (group.count < least.count ? group : least)).sha256];
}
