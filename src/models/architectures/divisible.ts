/** Channel counts of mobile networks, which are multiples of eight. */

/** The multiple of `divisor` nearest to `channels`, at least `divisor`; the next one where that loses more than a tenth. */
export function divisible(channels: number, divisor = 8): number {
  const nearest = Math.max(divisor, Math.floor((channels + divisor / 2) / divisor) * divisor);
  return nearest < 0.9 * channels ? nearest + divisor : nearest;
}
