/** How well scores put the positive samples of one class before the others, whatever the threshold. */

/**
 * Returns the average precision: the sum over distinct scores, highest first, of the precision at that score times the
 * recall it adds. No interpolation; samples of one score count together, so the order of ties has no influence.
 *
 * scikit-learn's average_precision_score; 0 without positive samples.
 * @param scores [n], larger is more certain. @param positive [n].
 * @throws RangeError if the lengths differ.
 */
export function averagePrecision(scores: ArrayLike<number>, positive: readonly boolean[]): number {
  if (scores.length !== positive.length)
    throw new RangeError(
      `averagePrecision requires one score per sample, got ${scores.length} for ${positive.length}.`,
    );
  const order = Uint32Array.from(positive, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  const total = positive.reduce((sum, is) => sum + Number(is), 0);
  let found = 0;
  let before = 0;
  let area = 0;
  for (const [rank, index] of order.entries()) {
    if (positive[index]) found++;
    const next = order[rank + 1];
    if (next !== undefined && scores[next] === scores[index]) continue;
    area += ((found - before) * found) / (rank + 1);
    before = found;
  }
  return total === 0 ? 0 : area / total;
}
