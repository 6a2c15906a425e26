/** Which source pixels, with which weights, make each pixel of a resized line: the arithmetic of Pillow's `Resample.c`. */

/** The filters, by Pillow's names; bicubic has a = -0.5, lanczos has three lobes. */
export const INTERPOLATIONS = ["nearest", "bilinear", "bicubic", "lanczos", "box"] as const;

/** How a pixel of the result is made from its neighbours in the source. */
export type Interpolation = (typeof INTERPOLATIONS)[number];

/** The weighted sums of one axis: result pixel i is the sum over t < counts[i] of weights[i * size + t] * source[starts[i] + t]. */
export interface Taps {
  /** First source pixel of each result pixel. */
  readonly starts: Int32Array;
  /** Number of source pixels of each result pixel. */
  readonly counts: Int32Array;
  /** Weights with 22 fractional bits, `size` places for each result pixel, zero beyond its count. */
  readonly weights: Int32Array;
  /** Even, and more than any count. */
  readonly size: number;
  /** First source pixel of all. */
  readonly first: number;
  /** One past the last source pixel of all. */
  readonly end: number;
}

interface Filter {
  /** Half the filter's width in source pixels, when enlarging. */
  readonly support: number;
  weight(distance: number): number;
}

const FILTERS: { readonly [K in Exclude<Interpolation, "nearest">]: Filter } = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: bicubic },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Computes the weights for result pixels `offset` to `offset + length` of an axis resized from `from` to `to` pixels. */
export function filterTaps(
  interpolation: Exclude<Interpolation, "nearest">,
  from: number,
  to: number,
  offset: number,
  length: number,
): Taps {
  const filter = FILTERS[interpolation];
  const scale = from / to;
  const stretch = Math.max(scale, 1); // the filter widens when shrinking: this is the antialiasing
  const support = filter.support * stretch;
  const size = Math.ceil(support) * 2 + 2;
  const starts = new Int32Array(length);
  const counts = new Int32Array(length);
  const weights = new Int32Array(length * size);
  const exact = new Float64Array(size);
  for (let i = 0; i < length; i++) {
    const center = (offset + i + 0.5) * scale;
    const start = Math.max(Math.trunc(center - support + 0.5), 0);
    const count = Math.min(Math.trunc(center + support + 0.5), from) - start;
    let total = 0;
    for (let tap = 0; tap < count; tap++) {
      exact[tap] = filter.weight((tap + start - center + 0.5) * (1 / stretch));
      total += exact[tap]!;
    }
    for (let tap = 0; tap < count; tap++) {
      const weight = (total === 0 ? exact[tap]! : exact[tap]! / total) * 2 ** 22;
      weights[i * size + tap] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    starts[i] = start;
    counts[i] = count;
  }
  return { starts, counts, weights, size, first: starts[0]!, end: starts[length - 1]! + counts[length - 1]! };
}

/**
 * The source pixel of result pixels `offset` to `offset + length`, without filtering.
 * The position is summed step by step, as Pillow's `ImagingScaleAffine` does, since rounding would differ otherwise.
 */
export function nearestSources(from: number, to: number, offset: number, length: number): Int32Array {
  const step = from / to;
  const sources = new Int32Array(length);
  let position = step * 0.5;
  for (let i = 0; i < offset; i++) position += step;
  for (let i = 0; i < length; i++) {
    sources[i] = Math.min(Math.trunc(position), from - 1);
    position += step;
  }
  return sources;
}

function bicubic(distance: number): number {
  const x = Math.abs(distance);
  const a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}
