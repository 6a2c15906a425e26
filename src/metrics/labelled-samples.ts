/** What each image adds to the measures of independent classes, so that they can be taken of the images or of any draw. */
import type { SampleCounts } from "./bootstrap.ts";
import { BINS, binOf } from "./calibration.ts";
import { meanRanking } from "./classified-samples.ts";
import { type DecisionCounts, f1Averages } from "./decisions.ts";
import { binaryLoss } from "./log-loss.ts";
import { sigmoidRows } from "./probabilities.ts";
import { type Ranking, rankSamples } from "./ranking.ts";

/** One entry per image, a list of what is there or predicted, and a ranking per class. */
export interface LabelledSamples {
  readonly numClasses: number;
  /** Where in `decisions` those of each image begin, [n + 1]. */
  readonly starts: Uint32Array;
  /** Classes that are there, predicted, or both: 4 times the class, plus PREDICTED and POSITIVE. */
  readonly decisions: Uint32Array;
  /** Mean over classes. */
  readonly losses: Float64Array;
  readonly brier: Float64Array;
  /** Whether every decision is right: 1 or 0. */
  readonly exact: Uint8Array;
  /** [n, BINS] what was observed minus what was stated, summed over the classes whose probability is in the bin. */
  readonly gaps: Float64Array;
  readonly rankings: readonly Ranking[];
}

const PREDICTED = 1;
const POSITIVE = 2;

/** Measures of any draw; NaN where the draw leaves one undefined. */
export type LabelledMeasure =
  | "loss"
  | "exactMatch"
  | "microF1"
  | "macroF1"
  | "weightedF1"
  | "rocAuc"
  | "meanAveragePrecision"
  | "brier"
  | "calibrationError";

/** Whether a target counts as there. */
export const isPositive = (target: number): boolean => target >= 0.5;

/** The logits above which classes are predicted. @param thresholds probabilities; all 0.5 where there are none. */
export function decisionLogits(thresholds: readonly number[] | undefined, numClasses: number): Float64Array {
  return Float64Array.from({ length: numClasses }, (_, j) => {
    const threshold = thresholds?.[j] ?? 0.5;
    return Math.log(threshold / (1 - threshold));
  });
}

/** Prepares images for measuring. @param logits finite, [n, numClasses]. @param targets in [0, 1], as many. */
export function labelledSamples(
  logits: Float32Array,
  targets: Float32Array,
  { numClasses, thresholds }: { readonly numClasses: number; readonly thresholds?: readonly number[] | undefined },
): LabelledSamples {
  const count = logits.length / numClasses;
  const probabilities = sigmoidRows(logits, numClasses);
  const above = decisionLogits(thresholds, numClasses);
  const decisions: number[] = [];
  const samples = {
    starts: new Uint32Array(count + 1),
    losses: new Float64Array(count),
    brier: new Float64Array(count),
    exact: new Uint8Array(count),
    gaps: new Float64Array(count * BINS),
  };
  for (let i = 0; i < count; i++) {
    let wrong = 0;
    for (let j = 0; j < numClasses; j++) {
      const at = i * numClasses + j;
      const target = targets[at]!;
      const probability = probabilities[at]!;
      const kind = (logits[at]! > above[j]! ? PREDICTED : 0) + (isPositive(target) ? POSITIVE : 0);
      if (kind > 0) decisions.push(4 * j + kind);
      if (kind === PREDICTED || kind === POSITIVE) wrong++;
      samples.losses[i]! += binaryLoss(logits[at]!, target) / numClasses;
      samples.brier[i]! += (probability - target) ** 2 / numClasses;
      samples.gaps[i * BINS + binOf(probability)]! += Number(isPositive(target)) - probability;
    }
    samples.starts[i + 1] = decisions.length;
    samples.exact[i] = Number(wrong === 0);
  }
  const rankings = Array.from({ length: numClasses }, (_, j) =>
    rankSamples(
      Float32Array.from(samples.exact, (_, i) => logits[i * numClasses + j]!),
      Uint8Array.from(samples.exact, (_, i) => Number(isPositive(targets[i * numClasses + j]!))),
    ),
  );
  return { numClasses, decisions: Uint32Array.from(decisions), ...samples, rankings };
}

/** The measures of a draw of the images. */
export function measureLabelled(
  samples: LabelledSamples,
  counts: SampleCounts,
): Readonly<Record<LabelledMeasure, number>> {
  const gaps = new Float64Array(BINS);
  const { gaps: each } = samples;
  const width = gaps.length;
  let [total, loss, squares, exact] = [0, 0, 0, 0];
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    if (count === 0) continue;
    total += count;
    loss += count * samples.losses[i]!;
    squares += count * samples.brier[i]!;
    exact += count * samples.exact[i]!;
    for (let m = 0; m < width; m++) gaps[m]! += count * each[i * width + m]!;
  }
  return {
    loss: loss / total,
    exactMatch: exact / total,
    ...f1Averages(countLabelled(samples, counts)),
    ...meanRanking(samples.rankings, counts),
    brier: squares / total,
    calibrationError: gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / (total * samples.numClasses),
  };
}

/** How often each class is there, is predicted, and is both, in a draw. */
export function countLabelled(
  { starts, decisions, numClasses }: LabelledSamples,
  counts: SampleCounts,
): DecisionCounts {
  const found = new Float64Array(numClasses);
  const support = new Float64Array(numClasses);
  const predicted = new Float64Array(numClasses);
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    if (count === 0) continue;
    for (let at = starts[i]!; at < starts[i + 1]!; at++) {
      const decision = decisions[at]!;
      const j = decision >>> 2;
      if ((decision & POSITIVE) !== 0) support[j]! += count;
      if ((decision & PREDICTED) !== 0) predicted[j]! += count;
      if ((decision & 3) === (PREDICTED | POSITIVE)) found[j]! += count;
    }
  }
  return { support, predicted, found };
}
