/**
 * Looks for a learning rate by training for some steps with rates that rise from one to the next (the range test of Smith
 * 2015, arXiv:1506.01186), then puts the trainer back.
 */
import { RootstockError } from "../errors.ts";
import { type Targets, targetsShown } from "../losses/targets.ts";
import { type Rng, shuffle } from "../random.ts";
import type { TrainingRows } from "./fit-options.ts";
import { type CurvePoint, type CurveVerdict, judge, smooth } from "./learning-rate-curve.ts";
import type { Trainer } from "./train-step.ts";

export interface LearningRateFinderOptions {
  /** Is as it was afterwards, whatever happens. */
  readonly step: Trainer;
  readonly train: TrainingRows;
  readonly batchSize: number;
  /** Source of the order of the samples. */
  readonly rng: Rng;
  /** Rate of the first step, above 0. @default 1e-7 */
  readonly minimum?: number | undefined;
  /** Rate of the last step, above `minimum`. @default 10 */
  readonly maximum?: number | undefined;
  /** Most steps, at least 20. @default 100 */
  readonly steps?: number | undefined;
  /** Told after each step. */
  readonly onStep?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LearningRateFinding extends Omit<CurveVerdict, "kind"> {
  /** What the curve looks like (`CurveVerdict`). */
  readonly kind: CurveVerdict["kind"];
  /**
   * One point per step, in the order of the rates. A loss that is no finite number is not among them; for `smoothed`,
   * losses that explode are cut.
   */
  readonly curve: readonly CurvePoint[];
  /**
   * The smaller of `steepest` and `tenthOfMinimum`, as the highest rate of a schedule: one that is too small costs some
   * epochs, one that is too large costs the run. Undefined where the curve does not tell.
   */
  readonly suggested: number | undefined;
  /** What was seen, in a few sentences for a person. */
  readonly words: string;
}

/**
 * Trains for up to `steps` steps with rates from `minimum` to `maximum`, evenly spaced by their logarithm, and judges the
 * losses. Small data are gone through as often as it takes, in an order of its own each time; every batch is full. Ends
 * early where the loss explodes: above where it began, and above 4 times its lowest. Both rules for a rate are fastai's:
 * where the loss falls fastest, and a tenth of where it is smallest.
 * @throws RangeError if an option is out of its range; RootstockError ABORTED through `signal`, DIVERGED if the loss is no
 *   number from the start.
 */
export async function findLearningRate(options: LearningRateFinderOptions): Promise<LearningRateFinding> {
  const { step, train, batchSize, rng, minimum = 1e-7, maximum = 10, steps = 100, onStep, signal } = options;
  check("minimum", minimum, minimum > 0 && Number.isFinite(minimum), "a number above 0");
  check("maximum", maximum, maximum > minimum && Number.isFinite(maximum), `a number above minimum, ${minimum}`);
  check("steps", steps, Number.isSafeInteger(steps) && steps >= 20, "a whole number from 20");
  check("batchSize", batchSize, Number.isSafeInteger(batchSize) && batchSize >= 1, "a whole number from 1");
  if (train.rows.count === 0) throw new RangeError("train requires at least one row, got none.");
  const decay = 1 - 10 / steps; // weights halve within a tenth of the steps, however many there are
  const rates: number[] = [];
  const losses: number[] = [];
  const size = Math.min(batchSize, train.rows.count);
  const watch = explosionWatch(decay);
  let exploded = false;
  const before = await step.state();
  try {
    for await (const { samples, targets } of batches(train, size, rng)) {
      if (signal?.aborted) throw new RootstockError("ABORTED", "the search for a learning rate was interrupted.");
      const learningRate = minimum * (maximum / minimum) ** (rates.length / (steps - 1));
      const loss = await step.run(samples, targets, learningRate);
      exploded = !Number.isFinite(loss) || watch.exploded(loss);
      if (!Number.isFinite(loss)) break;
      rates.push(learningRate);
      losses.push(loss);
      onStep?.(losses.length, steps);
      if (exploded || losses.length === steps) break;
    }
  } finally {
    await step.load(before);
  }
  const bound = 2 * watch.bound(); // what the loss explodes to would hide what was before
  const smoothed = smooth(
    losses.map((loss) => Math.min(loss, bound)),
    decay,
  );
  const curve = losses.map((loss, i) => ({ learningRate: rates[i]!, loss, smoothed: smoothed[i]! }));
  if (curve.length === 0) throw noLoss(minimum);
  const verdict = judge(curve, decay, exploded);
  const found = [verdict.steepest, verdict.tenthOfMinimum].filter((rate) => rate !== undefined);
  const suggested = found.length > 0 ? Math.min(...found) : undefined;
  const words = describe({ verdict, curve, exploded, suggested, size, count: train.rows.count, maximum });
  return { ...verdict, curve, suggested, words };
}

/** Tells whether the loss has exploded, from an average of the losses so far with its bias towards 0 taken out. */
function explosionWatch(decay: number): { exploded(loss: number): boolean; bound(): number } {
  let [sum, weight] = [0, 0];
  let [first, lowest]: [number | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
  const bound = (): number => Math.max(first ?? 0, 4 * lowest);
  return {
    exploded: (loss) => {
      sum = decay * sum + (1 - decay) * loss;
      weight = decay * weight + (1 - decay);
      const average = sum / weight;
      first ??= average;
      lowest = Math.min(lowest, average);
      return average > bound();
    },
    bound,
  };
}

/** Full batches without an end: what an epoch leaves over begins the next. */
async function* batches(
  { rows, targets }: TrainingRows,
  size: number,
  rng: Rng,
): AsyncGenerator<{ samples: Float32Array; targets: Targets }> {
  let left = new Int32Array();
  for (let epoch = 1; ; epoch++) {
    const all = Int32Array.from({ length: rows.count }, (_, i) => i);
    const order = new Int32Array(left.length + all.length);
    order.set(left);
    order.set(shuffle(all, rng.fork(`epoch ${epoch}`)), left.length);
    const whole = order.length - (order.length % size);
    let done = 0;
    for await (const samples of rows.batches(order.subarray(0, whole), size, epoch)) {
      yield { samples, targets: targetsShown(targets, order.subarray(done, done + size), epoch) };
      done += size;
    }
    left = order.slice(whole);
  }
}

interface Seen {
  readonly verdict: CurveVerdict;
  readonly curve: readonly CurvePoint[];
  readonly exploded: boolean;
  readonly suggested: number | undefined;
  readonly size: number;
  readonly count: number;
  readonly maximum: number;
}

function describe({ verdict, curve, exploded, suggested, size, count, maximum }: Seen): string {
  const { kind, start, lowest, noise, steepest, tenthOfMinimum } = verdict;
  const last = curve.at(-1)!.learningRate;
  const range = `${short(curve[0]!.learningRate)} to ${short(last)}`;
  const passes = (curve.length * size) / count;
  const what = `${curve.length} steps of ${size} images at rates from ${range}, ${times(passes)} over ${count} images.`;
  const end = exploded ? ` The loss exploded at ${short(last)}, which ended the search.` : "";
  const fell = `The loss fell from ${short(start, 3)} to ${short(lowest, 3)}, fastest at ${short(steepest ?? 0)}`;
  switch (kind) {
    case "falls":
      return (
        `${what} ${fell}, and was lowest at ${short(10 * tenthOfMinimum!)}.${end} Suggested is ${short(suggested!)}, ` +
        `${suggested === steepest ? "where it fell fastest" : "a tenth of the rate with the lowest loss"}: the smaller of the two rules.`
      );
    case "still-falls":
      return (
        `${what} ${fell}, and did not rise again up to the end. Suggested is ${short(suggested!)}, where it fell ` +
        `fastest; no rate above ${short(maximum)} was tried, and one of them may be better still.`
      );
    case "rises":
      return (
        `${what} The loss rose from ${short(start, 3)} and never fell by more than the noise before.${end} The weights are as ` +
        `good as so few steps make them, which says nothing of longer training, or ${short(curve[0]!.learningRate)} is too high already: ` +
        "no rate is suggested. Give a learning rate, of which that of the optimizer is a tried one."
      );
    case "flat":
      return (
        `${what} The loss stayed within 1 % of ${short(start, 3)}: no rate of this range changes it. Give a learning rate ` +
        `above ${short(last)}, or train without a search.`
      );
    case "noisy":
      return (
        `${what} The loss of single batches varies by ${short(noise)} (standard deviation), and went from ${short(start, 3)} ` +
        `to ${short(lowest, 3)} at its lowest: too little to tell from noise. Use larger batches, or give a learning rate.`
      );
  }
}

/** A number with few digits. */
function short(value: number, digits = 2): string {
  return String(Number(value.toPrecision(digits)));
}

function times(passes: number): string {
  return passes < 1 ? `${Math.round(100 * passes)} % of a pass` : `${short(passes)} passes`;
}

function noLoss(minimum: number): RootstockError {
  return new RootstockError(
    "DIVERGED",
    `the search for a learning rate requires a loss to begin with, but at its first step, before any update, the loss was ` +
      `no finite number (rate ${minimum}). Look at the data and the weights: they hold values out of range.`,
  );
}

function check(name: string, value: number, fits: boolean, wanted: string): void {
  if (!fits) throw new RangeError(`${name} requires ${wanted}, got ${value}.`);
}
