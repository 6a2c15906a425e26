/** Finds pictures that are the same picture, saved anew, resized, mirrored or turned, without comparing all with all. */

import { DisjointSets } from "../disjoint-sets.ts";
import type { ImageFacts } from "../thumbnail.ts";
import { HashIndex } from "./hash-index.ts";
import { HASHED_SIDE, sourceOf, TURNS, type Turn, turnedHash } from "./perceptual-hash.ts";
import { COLOR_SIDE, type Signature } from "./scan-file.ts";

/** What is compared: undefined for pictures that are left out. */
export type Comparable = (Signature & Pick<ImageFacts, "width" | "height">) | undefined;

/** Two pictures that are one, or that nearly are. */
export interface AlikePair {
  /** Indices, a < b. Of pairs that are the same, `a` is the first picture of all that are the same as it. */
  readonly a: number;
  readonly b: number;
  /** What was done to `a` to get `b`. */
  readonly turn: Turn["name"];
  /** "same": one photograph. "similar": two of one scene, such as a burst or frames of a video. */
  readonly likeness: "same" | "similar";
  /** Correlation of the grey squares, -1 to 1. */
  readonly correlation: number;
}

/**
 * Bounds that two grey squares, brought to mean 0 and standard deviation 1, must meet to show one photograph.
 *
 * Measured on every ninth photograph of six datasets (flowers, insects, cats and dogs, hands, blood cells, a driving
 * simulator). The correlation that 99 % of changed copies reach: JPEG of quality 50 0.999, 20 0.997, 10 0.988; half the
 * size 0.992, 64 pixels wide 0.982; a fifth darker 0.989, gray 0.982; cropped by 1 % a side 0.955, by 3 % 0.71. Different
 * photographs reach 0.89 (hands before one wall), 0.976 (one blood smear, moved), 0.994 (frames of a driving car).
 */
export const SAME = {
  /** Between pictures of one size, as bursts and frames are: nothing but a re-encoding may be between them. */
  strict: { correlation: 0.988, difference: 0.4 },
  /** Between pictures of two sizes, or of which one has no color. `difference`: what at most 1 % of the values exceed, in standard deviations. */
  loose: { correlation: 0.98, difference: 0.7 },
  /** Largest difference where the rest hardly differs: a piece that was moved on a board differs in few values, but much. */
  localDifference: 0.2,
  /** Largest difference as a multiple of that of 1 % of the values. */
  localRatio: 3.2,
  /** Largest mean difference of colors, in levels, between pictures that both have color. */
  color: 16,
  /** Mean absolute color difference, in levels, below which a picture is gray. */
  gray: 0.5,
} as const;
/** Correlation from which two pictures show one scene. */
export const SIMILAR_CORRELATION = 0.95;
/** Pictures with a shorter side below this are drawings or digits that resemble one another: they must agree better. */
const SMALL_SIDE = 48;
const SMALL_CORRELATION = 0.998;
/** Grey squares with a smaller standard deviation have no content to compare. */
const LEAST_CONTRAST = 2.5;
/** Pictures compared with one, at most: bounds the work on datasets of nothing but alike pictures. */
const MOST_COMPARED = 400;

/** Pictures that turn out not to be the same, for one picture, until no more are looked at. */
const MOST_UNCONFIRMED = 8;

const CELLS = HASHED_SIDE * HASHED_SIDE;

/** Looks closer at two pictures that agree in their grey squares. `oneSize`: nothing excuses a difference. */
export type Confirm = (a: number, b: number, turn: Turn, oneSize: boolean) => Promise<boolean>;

/** What is left to the caller to say. */
export interface AlikeRules {
  /** Ways in which a copy may have been turned; the first is preferred. @default TURNS */
  readonly turns?: readonly Turn[] | undefined;
  /** Whether two pictures of which one is turned may be the same; else they are similar at most. Always by default. */
  readonly mayBeTurned?: ((a: number, b: number) => boolean) | undefined;
}

/**
 * Returns the pairs of alike pictures whose hashes differ by at most `HASH_RADIUS` bits.
 *
 * Multi-index hashing (Norouzi, Punjani, Fleet 2012, arXiv:1307.2982): two hashes at distance 7 or less have one of four
 * 16-bit parts that differs by at most 1 bit, so that looking up 17 values in each of four tables finds all. What is
 * found is verified on the grey squares, and what agrees there is confirmed.
 *
 * Pairs that are the same form stars: every copy is compared with the first picture of its star, which is `a` of the
 * pair. A picture like a copy of it, but not like it, does not join: chains would lead from any picture to any other.
 */
export async function alikePairs(
  pictures: readonly Comparable[],
  confirm: Confirm,
  { turns = TURNS, mayBeTurned = () => true }: AlikeRules = {},
): Promise<readonly AlikePair[]> {
  const levels = pictures.map((picture) => (picture ? levelsOf(picture.grey) : undefined));
  const index = new HashIndex(pictures.map((picture, i) => (levels[i] ? picture!.hash : undefined)));
  const same = new DisjointSets(pictures.length);
  const compared: Compared = { pictures, levels, index, turns };
  const pairs: AlikePair[] = [];
  /** Asks whether a candidate is the same as `a`, the first picture of a star. */
  const join = async (a: number, known: Candidate): Promise<AlikePair | undefined> => {
    const { b } = known;
    const found = known.a === a ? known : bestOf(a, b, compared);
    if (found?.likeness !== "same" || (found.turn !== TURNS[0] && !mayBeTurned(a, b))) return undefined;
    if (!(await confirm(a, b, found.turn, found.oneSize))) return undefined;
    same.join(a, b);
    return { a, b, turn: found.turn.name, likeness: "same", correlation: found.correlation };
  };
  for (const b of pictures.keys()) {
    if (!levels[b]) continue;
    const asked = new Set<number>();
    for (const candidate of candidates(b, compared)) {
      const first = same.root(candidate.a);
      if (first === same.root(b)) continue;
      const isFree = same.root(b) === b && !asked.has(first) && asked.size < MOST_UNCONFIRMED;
      const asks = candidate.likeness === "same" && isFree;
      if (asks) asked.add(first);
      const pair = asks ? await join(first, candidate) : undefined;
      pairs.push(
        pair ?? {
          a: candidate.a,
          b,
          turn: candidate.turn.name,
          likeness: "similar",
          correlation: candidate.correlation,
        },
      );
    }
  }
  return pairs.filter(({ a, b, likeness }) => likeness === "same" || same.root(a) !== same.root(b));
}

interface Compared {
  readonly pictures: readonly Comparable[];
  readonly levels: readonly (Levels | undefined)[];
  readonly index: HashIndex;
  readonly turns: readonly Turn[];
}

type Candidate = Omit<AlikePair, "turn"> & { readonly turn: Turn; readonly oneSize: boolean };

/** Pictures before `b` that agree with it in their grey squares, each in the turn that agrees best; the best come first. */
function candidates(b: number, compared: Compared): readonly Candidate[] {
  const found = new Map<number, Candidate>();
  for (const turn of compared.turns) {
    for (const a of compared.index.near(turnedHash(compared.pictures[b]!.hash, turn), b, MOST_COMPARED)) {
      const better = betterOf(found.get(a), a, b, turn, compared);
      if (better) found.set(a, better);
    }
  }
  return [...found.values()].sort((x, y) => y.correlation - x.correlation);
}

/** How `a` agrees with `b`, whatever their hashes are. */
function bestOf(a: number, b: number, compared: Compared): Candidate | undefined {
  let best: Candidate | undefined;
  for (const turn of compared.turns) best = betterOf(best, a, b, turn, compared);
  return best;
}

/** The better of what is known and what a turn gives. A symmetric picture is its own mirror image: upright wins. */
function betterOf(
  known: Candidate | undefined,
  a: number,
  b: number,
  turn: Turn,
  { pictures, levels }: Compared,
): Candidate | undefined {
  if (known?.likeness === "same" && known.turn === TURNS[0]) return known;
  const comparison = compare(levels[a]!, levels[b]!, turn);
  const { correlation } = comparison;
  if (correlation <= (known?.correlation ?? -1)) return known;
  const judged = judge(comparison, pictures[a]!, pictures[b]!, turn);
  return judged ? { a, b, turn, correlation, ...judged } : known;
}

/** A grey square that has contrast, with its mean and standard deviation. */
interface Levels {
  readonly grey: Uint8Array;
  readonly mean: number;
  readonly deviation: number;
}

function levelsOf(grey: Uint8Array): Levels | undefined {
  let [sum, squares] = [0, 0];
  for (const level of grey) {
    sum += level;
    squares += level * level;
  }
  const mean = sum / CELLS;
  const deviation = Math.sqrt(Math.max(0, squares / CELLS - mean * mean));
  return deviation < LEAST_CONTRAST ? undefined : { grey, mean, deviation };
}

interface Comparison {
  readonly correlation: number;
  /** The largest difference, in standard deviations. */
  readonly largest: number;
  /** The difference that 1 % of the values exceed. */
  readonly percentile: number;
}

/** For each turn, where each value of the turned square comes from. */
const SOURCES = TURNS.map((turn) =>
  Uint16Array.from({ length: CELLS }, (_, i) =>
    sourceOf(i % HASHED_SIDE, Math.floor(i / HASHED_SIDE), HASHED_SIDE, turn),
  ),
);

/** Compares `a` with the turned `b`, both brought to mean 0 and standard deviation 1. */
function compare(a: Levels, b: Levels, turn: Turn): Comparison {
  const sources = SOURCES[TURNS.indexOf(turn)]!;
  let product = 0;
  for (let i = 0; i < CELLS; i++) product += a.grey[i]! * b.grey[sources[i]!]!;
  const correlation = (product / CELLS - a.mean * b.mean) / (a.deviation * b.deviation);
  const none = Number.POSITIVE_INFINITY;
  if (correlation < SAME.loose.correlation) return { correlation, largest: none, percentile: none };
  const differences = Float32Array.from(a.grey, (level, i) =>
    Math.abs((level - a.mean) / a.deviation - (b.grey[sources[i]!]! - b.mean) / b.deviation),
  ).sort();
  return { correlation, largest: differences[CELLS - 1]!, percentile: differences[Math.floor(0.99 * CELLS)]! };
}

function judge(
  { correlation, largest, percentile }: Comparison,
  a: NonNullable<Comparable>,
  b: NonNullable<Comparable>,
  turn: Turn,
): Pick<Candidate, "likeness" | "oneSize"> | undefined {
  const [sideA, sideB] = [Math.min(a.width, a.height), Math.min(b.width, b.height)];
  const least = Math.min(sideA, sideB) < SMALL_SIDE ? SMALL_CORRELATION : SIMILAR_CORRELATION;
  if (correlation < least) return undefined;
  const colors = compareColors(a.color, b.color, turn);
  if (colors === "differ") return undefined;
  const equalSides = sideA === sideB && Math.max(a.width, a.height) === Math.max(b.width, b.height);
  const oneSize = equalSides && colors === "agree";
  const bounds = oneSize ? SAME.strict : SAME.loose;
  const whole = correlation >= bounds.correlation && percentile <= bounds.difference;
  const same = whole && largest <= Math.max(SAME.localDifference, SAME.localRatio * percentile);
  return { likeness: same ? "same" : "similar", oneSize };
}

/** Tells a red from a blue car of one shape, and a gray copy from a colored picture. */
function compareColors(a: Int8Array, b: Int8Array, turn: Turn): "agree" | "differ" | "one is gray" {
  const cells = COLOR_SIDE * COLOR_SIDE;
  let [difference, colorA, colorB] = [0, 0, 0];
  for (let i = 0; i < cells; i++) {
    const j = sourceOf(i % COLOR_SIDE, Math.floor(i / COLOR_SIDE), COLOR_SIDE, turn);
    for (const plane of [0, cells]) {
      const [x, y] = [a[plane + i]!, b[plane + j]!];
      difference += Math.abs(x - y);
      colorA += Math.abs(x);
      colorB += Math.abs(y);
    }
  }
  const gray = SAME.gray * 2 * cells;
  if (colorA > gray && colorB > gray) return difference > SAME.color * 2 * cells ? "differ" : "agree";
  return colorA > gray || colorB > gray ? "one is gray" : "agree";
}
