/** How well scores put the positive samples of one class before the others, whatever the threshold. */
import type { SampleCounts } from "./bootstrap.ts";

/** The samples of one class by score, prepared so that any draw of them is measured in one pass. */
export interface Ranking {
  /** Sample indices, the highest score first. */
  readonly order: Uint16Array | Uint32Array;
  /** [n] 1 for positive samples. */
  readonly positive: Uint8Array;
  /** Where in `order` each group of equal scores that has a positive sample begins. */
  readonly starts: Uint32Array;
  /** Where it ends. */
  readonly ends: Uint32Array;
}

/** What a ranking is worth; NaN where it is not defined. */
export interface RankingMeasures {
  /** Chance that a positive sample has a higher score than a negative one, equal scores counting half; needs both kinds. */
  readonly rocAuc: number;
  /** Sum over distinct scores, highest first, of the precision at that score times the recall it adds; needs a positive. */
  readonly averagePrecision: number;
}

/** Index bits of a sort key: 32 bits of the score and 21 of the index are exact in a float64. */
const INDEX_RANGE = 2 ** 21;

/**
 * Returns the samples of one class in the order of their scores. Samples of one score are one group, so that their order
 * has no influence.
 * @param scores [n], larger is more certain. @param positive [n], 1 for samples of the class.
 * @throws RangeError if the lengths differ.
 */
export function rankSamples(scores: Float32Array, positive: Uint8Array): Ranking {
  const count = scores.length;
  if (count !== positive.length)
    throw new RangeError(`rankSamples requires one score per sample, got ${count} for ${positive.length}.`);
  const order = orderOf(scores);
  const starts: number[] = [];
  const ends: number[] = [];
  let first = 0;
  let any = 0;
  for (let i = 0; i < count; i++) {
    any |= positive[order[i]!]!;
    if (i + 1 < count && scores[order[i + 1]!] === scores[order[i]!]) continue;
    if (any === 1) {
      starts.push(first);
      ends.push(i + 1);
    }
    first = i + 1;
    any = 0;
  }
  return { order, positive, starts: Uint32Array.from(starts), ends: Uint32Array.from(ends) };
}

/**
 * Returns the area under the ROC curve and the average precision of a draw of the samples; scikit-learn's roc_auc_score
 * and average_precision_score with the counts as sample weights.
 * @param counts [n], how often each sample counts. @param total their sum.
 */
export function measureRanking(
  { order, positive, starts, ends }: Ranking,
  counts: SampleCounts,
  total: number,
): RankingMeasures {
  let above = 0; // negatives with a higher score
  let found = 0; // positives so far
  let below = 0; // sum over positives of the negatives above them, equal scores counting half
  let area = 0;
  let at = 0;
  for (let group = 0; group < starts.length; group++) {
    const start = starts[group]!;
    const end = ends[group]!;
    // The hot loop: samples between groups are all negative. Whole numbers add up several times as fast as floats.
    let between = 0;
    for (; at < start; at++) between = (between + counts[order[at]!]!) | 0;
    above += between;
    let right = 0;
    let wrong = 0;
    for (; at < end; at++) {
      const sample = order[at]!;
      const count = counts[sample]!;
      right += count * positive[sample]!;
      wrong += count;
    }
    wrong -= right;
    below += right * (above + wrong / 2);
    above += wrong;
    found += right;
    if (right > 0) area += (right * found) / (found + above);
  }
  const negatives = total - found;
  return {
    rocAuc: found > 0 && negatives > 0 ? 1 - below / (found * negatives) : Number.NaN,
    averagePrecision: found > 0 ? area / found : Number.NaN,
  };
}

/** Indices by score, highest first; equal scores by index. */
function orderOf(scores: Float32Array): Uint16Array | Uint32Array {
  const count = scores.length;
  const order = count <= 2 ** 16 ? new Uint16Array(count) : new Uint32Array(count);
  if (count > INDEX_RANGE) {
    for (let i = 0; i < count; i++) order[i] = i;
    return order.sort((a, b) => scores[b]! - scores[a]! || a - b);
  }
  // One number for score and index: sorting numbers without a comparison function is several times as fast.
  const bits = new Uint32Array(Float32Array.from(scores, (score) => score + 0).buffer); // -0 becomes 0, its equal
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const word = bits[i]!;
    const descending = word >= 0x80000000 ? word : 0x7fffffff - word; // as whole numbers: negative scores after the others
    keys[i] = descending * INDEX_RANGE + i;
  }
  keys.sort();
  for (let i = 0; i < count; i++) order[i] = keys[i]! % INDEX_RANGE;
  return order;
}
