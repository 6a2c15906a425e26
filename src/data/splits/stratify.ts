/** Deals units of samples into parts so that every class has its share in each: iterative stratification. */
import type { Rng } from "../../random.ts";
import { byCodeUnits } from "../names.ts";
import type { Task } from "../sample.ts";
import { type Groupable, unitsOf } from "./groups.ts";

/** What a draw looks at. */
export interface Splittable extends Groupable {
  readonly target: readonly number[];
}

/** What a draw may be told beyond the samples. */
export interface DrawOptions {
  /** What `target` means. @default "single-label" */
  readonly task?: Task | undefined;
  /** Lists of indices of samples that must not be divided, such as clusters of near-duplicates. @default [] */
  readonly together?: readonly (readonly number[])[] | undefined;
}

/** Samples that are drawn as one. */
export interface Unit {
  /** Indices of the samples. */
  readonly members: readonly number[];
  /** The smallest hash among them: what the unit's random number is made from, whatever files are called. */
  readonly key: string;
  /** How many of them are in each stratum. */
  readonly strata: ReadonlyMap<number, number>;
}

/** Most quantile bins of a regression target. */
const MAX_BINS = 10;

/**
 * Returns the units of the samples with their strata: the label, each of several labels, or, for regression, the
 * quantile bin of each value (equal values share a bin).
 * @param smallestShare The smallest part of the samples that will be drawn: bins hold at least two of its images on average.
 */
export function unitsWithStrata(
  samples: readonly Splittable[],
  smallestShare: number,
  { task = "single-label", together = [] }: DrawOptions = {},
): readonly Unit[] {
  const strataOf = task === "regression" ? binsOf(samples, smallestShare) : samples.map(({ target }) => target);
  const units: { members: number[]; key: string; strata: Map<number, number> }[] = [];
  for (const [i, number] of unitsOf(samples, together).entries()) {
    const { sha256 } = samples[i]!;
    const unit = units[number];
    if (unit === undefined) units.push({ members: [i], key: sha256, strata: counted(strataOf[i]!, new Map()) });
    else {
      unit.members.push(i);
      if (sha256 < unit.key) unit.key = sha256;
      counted(strataOf[i]!, unit.strata);
    }
  }
  return units;
}

function counted(strata: readonly number[], counts: Map<number, number>): Map<number, number> {
  for (const stratum of strata) counts.set(stratum, (counts.get(stratum) ?? 0) + 1);
  return counts;
}

/** The quantile bin of each value of each sample, as numbers that differ between the targets. */
function binsOf(samples: readonly Splittable[], smallestShare: number): readonly (readonly number[])[] {
  const bins = Math.max(1, Math.min(MAX_BINS, Math.floor((samples.length * smallestShare) / 2)));
  const strata = samples.map((): number[] => []);
  for (let k = 0; k < (samples[0]?.target.length ?? 0); k++) {
    const order = [...samples.keys()].sort((a, b) => samples[a]!.target[k]! - samples[b]!.target[k]!);
    let first = 0; // rank of the first sample of the same value
    for (const [rank, i] of order.entries()) {
      if (samples[order[first]!]!.target[k] !== samples[i]!.target[k]) first = rank;
      strata[i]!.push(k * MAX_BINS + Math.floor((first / samples.length) * bins));
    }
  }
  return strata;
}

/** Returns which units hold all samples of some stratum by themselves: wherever they go, it is nowhere else. */
export function loneUnits(units: readonly Unit[]): ReadonlySet<Unit> {
  const holders = holdersOf(units);
  return new Set([...holders.values()].flatMap((list) => (list.length === 1 ? list : [])));
}

/**
 * Returns the part, from 0, of each unit, so that the parts have about the given shares of every stratum and of all.
 *
 * Strata are dealt from the rarest to the most frequent, as in iterative stratification (Sechidis et al. 2011,
 * doi:10.1007/978-3-642-23808-6_10); within one, large units come first, equal ones in random order. Each unit goes
 * where it lowers the sum of (wanted - dealt)^2 / wanted most, over its strata and the number of samples, so that a
 * unit is judged by all it holds. A stratum of two or more units that ended in one part gets its smallest unit moved.
 */
export function apportion(units: readonly Unit[], shares: readonly number[], source: Rng): Int32Array {
  const tickets = new Map(units.map((unit) => [unit, source.fork(unit.key).next()]));
  const parts = new Map<Unit, number>();
  const total = units.reduce((sum, { members }) => sum + members.length, 0);
  const holders = holdersOf(units);
  const counts = new Map([...holders].map(([stratum, list]) => [stratum, sum(list, stratum)]));
  const all = need(total, shares);
  const needs = new Map([...counts].map(([stratum, count]) => [stratum, need(count, shares)]));
  const place = (unit: Unit): void => {
    let best = 0;
    let bestGain = Number.NEGATIVE_INFINITY;
    for (let part = 0; part < shares.length; part++) {
      let gain = all.gain(part, unit.members.length);
      for (const [stratum, count] of unit.strata) gain += needs.get(stratum)!.gain(part, count);
      if (gain > bestGain + 1e-9) [best, bestGain] = [part, gain];
    }
    parts.set(unit, best);
    all.take(best, unit.members.length);
    for (const [stratum, count] of unit.strata) {
      needs.get(stratum)!.take(best, count);
      counts.set(stratum, counts.get(stratum)! - count);
    }
  };
  const byTicket = (a: Unit, b: Unit): number => tickets.get(a)! - tickets.get(b)! || byCodeUnits(a.key, b.key);
  while (counts.size > 0) {
    const rarest = rarestOf(counts);
    const waiting = holders.get(rarest)!.filter((unit) => !parts.has(unit));
    waiting.sort((a, b) => b.strata.get(rarest)! - a.strata.get(rarest)! || byTicket(a, b));
    for (const unit of waiting) place(unit);
    counts.delete(rarest);
  }
  const rest = units.filter((unit) => !parts.has(unit)); // without any label
  for (const unit of rest.sort((a, b) => b.members.length - a.members.length || byTicket(a, b))) place(unit);
  if (shares.length > 1) spread([...holders.values()], parts);
  return Int32Array.from(units, (unit) => parts.get(unit)!);
}

/** Moves units of strata that are in one part only; what that leaves outside part 0, the training images, last. */
function spread(holders: readonly (readonly Unit[])[], parts: Map<Unit, number>): void {
  const lists = holders.filter((list) => list.length > 1).sort((a, b) => b.length - a.length);
  for (const isWrong of [() => true, (part: number) => part !== 0]) {
    for (const list of lists) {
      const used = new Set(list.map((unit) => parts.get(unit)!));
      const [only] = used;
      if (only === undefined || used.size > 1 || !isWrong(only)) continue;
      const smallest = list.reduce((least, unit) => (unit.members.length < least.members.length ? unit : least));
      parts.set(smallest, only === 0 ? 1 : 0);
    }
  }
}

function holdersOf(units: readonly Unit[]): ReadonlyMap<number, readonly Unit[]> {
  const holders = new Map<number, Unit[]>();
  for (const unit of units) {
    for (const stratum of unit.strata.keys()) {
      const list = holders.get(stratum);
      if (list === undefined) holders.set(stratum, [unit]);
      else list.push(unit);
    }
  }
  return holders;
}

function sum(units: readonly Unit[], stratum: number): number {
  return units.reduce((count, { strata }) => count + strata.get(stratum)!, 0);
}

/** The stratum with the fewest samples left; of several, the one with the smallest number. */
function rarestOf(counts: ReadonlyMap<number, number>): number {
  let rarest = -1;
  let fewest = Number.POSITIVE_INFINITY;
  for (const [stratum, count] of counts) {
    if (count < fewest || (count === fewest && stratum < rarest)) [rarest, fewest] = [stratum, count];
  }
  return rarest;
}

interface Need {
  /** How much lower (wanted - dealt)^2 / wanted of a part is after it gets `count` more. */
  gain(part: number, count: number): number;
  take(part: number, count: number): void;
}

function need(total: number, shares: readonly number[]): Need {
  const wanted = shares.map((share) => Math.max(total * share, 1e-6));
  const left = [...wanted];
  return {
    gain: (part, count) => (count * (2 * left[part]! - count)) / wanted[part]!,
    take: (part, count) => {
      left[part] = left[part]! - count;
    },
  };
}
