/** Whether two classifiers differ on the same images. */

/**
 * Returns the exact two-sided p-value of McNemar's test (1947): the chance of at least so uneven a split of the images
 * that only one of two classifiers gets right, if each were right on them half of the time. 1 where there are none.
 * @param onlyA images that only the first gets right. @param onlyB only the second.
 */
export function mcnemar(onlyA: number, onlyB: number): number {
  const trials = onlyA + onlyB;
  const fewer = Math.min(onlyA, onlyB);
  let logTerm = -trials * Math.LN2; // of C(trials, i) / 2^trials, from i = 0
  let sum = 0;
  for (let i = 0; i <= fewer; i++) {
    sum += Math.exp(logTerm);
    logTerm += Math.log((trials - i) / (i + 1));
  }
  return Math.min(1, 2 * sum);
}
