/** Sets of numbers that are joined one by one: which things belong together when pairs are known. */

/** The numbers from 0 to size - 1, each a set of its own at first (union-find with path halving). */
export class DisjointSets {
  readonly #parents: Uint32Array;

  constructor(size: number) {
    this.#parents = Uint32Array.from({ length: size }, (_, i) => i);
  }

  /** The smallest member of the set of `i`. */
  root(i: number): number {
    let at = i;
    while (this.#parents[at] !== at) {
      this.#parents[at] = this.#parents[this.#parents[at]!]!; // halves the path
      at = this.#parents[at]!;
    }
    return at;
  }

  join(i: number, j: number): void {
    const [a, b] = [this.root(i), this.root(j)];
    this.#parents[Math.max(a, b)] = Math.min(a, b);
  }

  /** The sets of two and more members, each ascending, in the order of their first members. */
  sets(): number[][] {
    const sets = new Map<number, number[]>();
    for (let i = 0; i < this.#parents.length; i++) {
      const root = this.root(i);
      const set = sets.get(root);
      if (set) set.push(i);
      else sets.set(root, [i]);
    }
    return [...sets.values()].filter((set) => set.length > 1);
  }
}
