/** Looks up perceptual hashes that are near one, without comparing it with all. */
import { hashDistance, type PerceptualHash } from "./perceptual-hash.ts";

/** Most bits in which the hashes of two pictures that are compared differ: all such pairs are found. */
export const HASH_RADIUS = 7;
/** Finds hashes near a given one by four tables of 16-bit parts. */
export class HashIndex {
  readonly #hashes: readonly (PerceptualHash | undefined)[];
  /** For each part and value: where its indices begin in `#members`, ascending. */
  readonly #starts: readonly Uint32Array[];
  readonly #members: readonly Uint32Array[];
  /** Marks what the current query has met. */
  readonly #met: Uint32Array;
  #query = 0;

  constructor(hashes: readonly (PerceptualHash | undefined)[]) {
    this.#hashes = hashes;
    this.#met = new Uint32Array(hashes.length);
    const tables = [0, 1, 2, 3].map((part) => tableOf(hashes, part));
    this.#starts = tables.map(({ starts }) => starts);
    this.#members = tables.map(({ members }) => members);
  }

  /** Indices below `before` of hashes within `HASH_RADIUS`, at most `most`, nearest first. */
  near(hash: PerceptualHash, before: number, most: number): readonly number[] {
    this.#query++;
    const found: { readonly index: number; readonly distance: number }[] = [];
    for (let part = 0; part < 4; part++) {
      const value = partOf(hash, part);
      for (let flip = 0; flip <= 16; flip++)
        this.#collect(hash, before, part, flip < 16 ? value ^ (1 << flip) : value, found);
    }
    found.sort((x, y) => x.distance - y.distance || x.index - y.index);
    return found.slice(0, most).map(({ index }) => index);
  }

  #collect(
    hash: PerceptualHash,
    before: number,
    part: number,
    value: number,
    found: { index: number; distance: number }[],
  ): void {
    const [starts, members] = [this.#starts[part]!, this.#members[part]!];
    for (let at = starts[value]!; at < starts[value + 1]!; at++) {
      const index = members[at]!;
      if (index >= before) break;
      if (this.#met[index] === this.#query) continue;
      this.#met[index] = this.#query;
      const distance = hashDistance(hash, this.#hashes[index]!);
      if (distance <= HASH_RADIUS) found.push({ index, distance });
    }
  }
}

/** Two of eight rows of frequencies: a low one and a high one, so that all parts vary about as much. */
function partOf([low, high]: PerceptualHash, part: number): number {
  return ((low >>> (8 * part)) & 0xff) | (((high >>> (8 * part)) & 0xff) << 8);
}

function tableOf(hashes: readonly (PerceptualHash | undefined)[], part: number) {
  const starts = new Uint32Array(0x10001);
  for (const hash of hashes) if (hash) starts[partOf(hash, part) + 1]!++;
  for (let value = 0; value < 0x10000; value++) starts[value + 1]! += starts[value]!;
  const members = new Uint32Array(starts[0x10000]!);
  const next = starts.slice();
  for (const [index, hash] of hashes.entries()) if (hash) members[next[partOf(hash, part)]!++] = index;
  return { starts, members };
}
