/** What each image adds to the measures of a classifier, so that they can be taken of the images or of any draw of them. */
import { everyOnce, type SampleCounts } from "./bootstrap.ts";
import { BINS, binOf } from "./calibration.ts";
import { agreement, type DecisionCounts, f1Averages } from "./decisions.ts";
import { ROW_LOSSES } from "./log-loss.ts";
import { ACTIVATIONS, argmaxRows, type ClassActivation } from "./probabilities.ts";
import { measureRanking, type Ranking, rankSamples } from "./ranking.ts";

/** One entry per image, and a ranking per class. */
export interface ClassifiedSamples {
  readonly numClasses: number;
  readonly labels: Uint32Array;
  readonly predicted: Int32Array;
  readonly losses: Float64Array;
  readonly brier: Float64Array;
  /** Whether the label is among the `topK` most probable classes: 1 or 0. */
  readonly inTop: Uint8Array;
  /** Probability of the predicted class, in [0, 1]. */
  readonly confidences: Float64Array;
  /** The bin of each confidence. */
  readonly bins: Uint8Array;
  readonly rankings: readonly Ranking[];
}

/** Measures of any draw; NaN where the draw leaves one undefined. */
export type ClassifiedMeasure =
  | "loss"
  | "accuracy"
  | "balancedAccuracy"
  | "topKAccuracy"
  | "macroF1"
  | "microF1"
  | "weightedF1"
  | "kappa"
  | "matthews"
  | "rocAuc"
  | "meanAveragePrecision"
  | "brier"
  | "calibrationError";

/** How many guesses the top-k accuracy allows: 5, fewer where that would be all classes. */
export function topKOf(numClasses: number): number {
  return Math.max(1, Math.min(5, numClasses - 1));
}

/** Prepares images for measuring. @param logits finite, [n, numClasses]. @param labels class indices, [n]. */
export function classifiedSamples(
  logits: Float32Array,
  labels: ArrayLike<number>,
  { numClasses, activation }: { readonly numClasses: number; readonly activation: ClassActivation },
): ClassifiedSamples {
  const count = labels.length;
  const probabilities = ACTIVATIONS[activation](logits, numClasses);
  const predicted = argmaxRows(logits, numClasses);
  const samples = {
    losses: new Float64Array(count),
    brier: new Float64Array(count),
    inTop: new Uint8Array(count),
    confidences: new Float64Array(count),
    bins: new Uint8Array(count),
  };
  const k = topKOf(numClasses);
  for (let i = 0; i < count; i++) {
    const row = logits.subarray(i * numClasses, (i + 1) * numClasses);
    const label = labels[i]!;
    let before = 0; // classes that are guessed before the label; a tie goes to the lower index
    let squares = 0;
    for (let j = 0; j < numClasses; j++) {
      if (row[j]! > row[label]! || (row[j] === row[label] && j < label)) before++;
      squares += (probabilities[i * numClasses + j]! - Number(j === label)) ** 2;
    }
    samples.losses[i] = ROW_LOSSES[activation](row, label);
    samples.brier[i] = numClasses === 2 ? squares / 2 : squares;
    samples.inTop[i] = Number(before < k);
    samples.confidences[i] = probabilities[i * numClasses + predicted[i]!]!;
    samples.bins[i] = binOf(samples.confidences[i]!);
  }
  const rankings = Array.from({ length: numClasses }, (_, j) => rankingOf(probabilities, labels, { j, numClasses }));
  return { numClasses, labels: Uint32Array.from(labels), predicted, ...samples, rankings };
}

/** The measures of a draw of the images. */
export function measureClassified(
  samples: ClassifiedSamples,
  counts: SampleCounts,
): Readonly<Record<ClassifiedMeasure, number>> {
  const { losses, brier, inTop, confidences, bins, labels, predicted } = samples;
  const decisions = countDecisions(samples, counts);
  const gaps = new Float64Array(BINS);
  let [total, loss, squares, top, right] = [0, 0, 0, 0, 0];
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    if (count === 0) continue;
    const isRight = Number(labels[i] === predicted[i]);
    total += count;
    loss += count * losses[i]!;
    squares += count * brier[i]!;
    top += count * inTop[i]!;
    right += count * isRight;
    gaps[bins[i]!]! += count * (isRight - confidences[i]!);
  }
  return {
    loss: loss / total,
    accuracy: right / total,
    topKAccuracy: top / total,
    ...f1Averages(decisions),
    ...agreement(decisions),
    ...meanRanking(samples.rankings, counts),
    brier: squares / total,
    calibrationError: gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / total,
  };
}

/** How often each class is there, is predicted, and is both, in a draw. */
export function countDecisions(
  { labels, predicted, numClasses }: Pick<ClassifiedSamples, "labels" | "predicted" | "numClasses">,
  counts: SampleCounts = everyOnce(labels.length),
): DecisionCounts {
  const decisions = {
    support: new Float64Array(numClasses),
    predicted: new Float64Array(numClasses),
    found: new Float64Array(numClasses),
  };
  for (let i = 0; i < counts.length; i++) {
    decisions.support[labels[i]!]! += counts[i]!;
    decisions.predicted[predicted[i]!]! += counts[i]!;
    if (labels[i] === predicted[i]) decisions.found[labels[i]!]! += counts[i]!;
  }
  return decisions;
}

/** Means over the classes for which each is defined; NaN where that is none. */
export function meanRanking(
  rankings: readonly Ranking[],
  counts: SampleCounts,
): { readonly rocAuc: number; readonly meanAveragePrecision: number } {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let [areas, curves, precisions, found] = [0, 0, 0, 0];
  for (const ranking of rankings) {
    const { rocAuc, averagePrecision } = measureRanking(ranking, counts, total);
    if (!Number.isNaN(rocAuc)) {
      areas += rocAuc;
      curves++;
    }
    if (!Number.isNaN(averagePrecision)) {
      precisions += averagePrecision;
      found++;
    }
  }
  return {
    rocAuc: curves > 0 ? areas / curves : Number.NaN,
    meanAveragePrecision: found > 0 ? precisions / found : Number.NaN,
  };
}

/** The ranking measures of one class as records hold them: without the area where it is not defined. */
export function classRanking(
  ranking: Ranking,
  count: number,
): { readonly averagePrecision: number; readonly rocAuc?: number } {
  const { rocAuc, averagePrecision } = measureRanking(ranking, everyOnce(count), count);
  return {
    averagePrecision: Number.isNaN(averagePrecision) ? 0 : averagePrecision,
    ...(Number.isNaN(rocAuc) ? {} : { rocAuc }),
  };
}

/** One class against the rest, by its probability. */
function rankingOf(
  probabilities: Float32Array,
  labels: ArrayLike<number>,
  { j, numClasses }: { readonly j: number; readonly numClasses: number },
): Ranking {
  const scores = new Float32Array(labels.length);
  const positive = new Uint8Array(labels.length);
  for (let i = 0; i < labels.length; i++) {
    scores[i] = probabilities[i * numClasses + j]!;
    positive[i] = Number(labels[i] === j);
  }
  return rankSamples(scores, positive);
}
