/** Seeded randomness that can be forked by name, so that one seed decides every random choice of a run. */

/** A source of pseudo-random numbers; equal seeds give equal sequences on every platform. */
export interface Rng {
  /** A number in [0, 1) with 32 random bits. */
  next(): number;
  /** A number of the standard normal distribution (Box and Muller 1958). */
  normal(): number;
  /** An independent source that depends on this source's seed and `name` only, not on what was drawn before. */
  fork(name: string): Rng;
}

/** Makes a source from a seed: the generator is sfc32 (Doty-Humphrey, PractRand), seeded by an FNV-1a style hash. */
export function rng(seed: number | string): Rng {
  const key = String(seed);
  let [a, b, c] = [hash(key, 0x811c9dc5), hash(key, 0x9e3779b9), hash(key, 0x85ebca6b)];
  let counter = 1;
  const bits = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) bits(); // lets the seed reach every bit of the state
  const next = (): number => bits() / 2 ** 32;
  return {
    next,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    fork: (name) => rng(`${key}/${name}`),
  };
}

/** Shuffles an array in place (Fisher and Yates) and returns it. */
export function shuffle<T extends { [index: number]: unknown; readonly length: number }>(items: T, source: Rng): T {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(source.next() * (i + 1));
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}

/** FNV-1a over UTF-16 code units from a given start: three starts make 96 bits of state out of one key. */
function hash(text: string, start: number): number {
  let value = start;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b); // final mix of MurmurHash3
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) | 0;
}
