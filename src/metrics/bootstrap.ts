/** How far measures of these images can be from those of others like them: by measuring random draws of the same images. */
import { rng } from "../random.ts";
import { type Interval, wilsonInterval } from "./interval.ts";

/** How often each sample was drawn, [n]. */
export type SampleCounts = Uint16Array;

/** Measures of a draw by name; NaN where the draw leaves one undefined. */
export type Measure<Name extends string> = (counts: SampleCounts) => Readonly<Record<Name, number>>;

/** Options of {@link bootstrap}. */
export interface BootstrapOptions {
  /** How many draws. @default 1000 */
  readonly replicates?: number | undefined;
}

/** Numbers read by all draws together that take about a second; beyond, there are fewer draws, though not below 200. */
const WORK = 2e9;
const MOST = 1000;
const FEWEST = 200;

/**
 * Returns the measures of random draws of n of the n samples with replacement (Efron 1979, "Bootstrap methods"): for each
 * name its values, ascending, without those that a draw leaves undefined. All measures see the same draws, and equal
 * counts of samples get the same draws in every call.
 */
export function bootstrap<Name extends string>(
  count: number,
  measure: Measure<Name>,
  { replicates = 1000 }: BootstrapOptions = {},
): ReadonlyMap<Name, Float64Array> {
  const random = rng("bootstrap");
  const counts = new Uint16Array(count);
  const values = new Map<Name, number[]>();
  for (let replicate = 0; replicate < replicates; replicate++) {
    counts.fill(0);
    for (let i = 0; i < count; i++) counts[Math.floor(random.next() * count)]!++; // 65536 of one sample do not happen
    for (const [name, value] of Object.entries(measure(counts)) as [Name, number][]) {
      if (Number.isNaN(value)) continue;
      const known = values.get(name);
      if (known) known.push(value);
      else values.set(name, [value]);
    }
  }
  return new Map([...values].map(([name, list]) => [name, Float64Array.from(list).sort()]));
}

/** Returns how many draws to take where one reads so many numbers: 1000, fewer for very many, at least 200. */
export function replicatesFor(numbersRead: number): number {
  return Math.max(FEWEST, Math.min(MOST, Math.floor(WORK / Math.max(1, numbersRead))));
}

/** Every sample once: what measures the samples as they are. */
export function everyOnce(count: number): SampleCounts {
  return new Uint16Array(count).fill(1);
}

/** Returns the range of the middle 95 % of ascending values, with linear interpolation; the value itself if there are none. */
export function middle95(values: Float64Array, value: number): Interval {
  if (values.length === 0) return [value, value];
  return [quantile(values, 0.025), quantile(values, 0.975)];
}

/** What is known of a measure besides its draws. */
export interface PercentileOptions {
  /** The measure of the samples as they are. */
  readonly value: number;
  /** Number of samples. */
  readonly count: number;
  /** Whether 1 is the best and 0 the worst that it can be, as for accuracy. @default false */
  readonly share?: boolean | undefined;
  /** Whether draws are worse than the samples on average, and are moved so that their median is the value. @default false */
  readonly centered?: boolean | undefined;
}

/**
 * Returns the 95 % percentile interval of a measure, which always contains its value.
 *
 * Where no draw can be anything else, since every image is right or every image is wrong, draws say nothing about other
 * images: a share of exactly 1 or 0 gets the far end of Wilson's interval of as many images.
 */
export function percentileInterval(
  values: Float64Array,
  { value, count, share = false, centered = false }: PercentileOptions,
): Interval {
  const shift = centered && values.length > 0 ? value - quantile(values, 0.5) : 0;
  const [low, high] = middle95(values, value);
  const interval: Interval = [Math.min(value, low + shift), Math.max(value, high + shift)];
  if (centered) return [Math.max(0, interval[0]), interval[1]];
  if (!share || interval[0] !== interval[1]) return interval;
  if (value === 1) return [wilsonInterval(count, count)[0], 1];
  return value === 0 ? [0, wilsonInterval(0, count)[1]] : interval;
}

/** Linear interpolation between ascending values; NumPy's default. */
function quantile(values: Float64Array, share: number): number {
  const at = share * (values.length - 1);
  const below = values[Math.floor(at)]!;
  return below + (values[Math.ceil(at)]! - below) * (at - Math.floor(at));
}
