/** How far images are from those that a network was pretrained on, by what the network remembers of them. */
import type { NormalizedLayer } from "./activation-moments.ts";

/** Fewer images than this have no statistics worth comparing. */
const FEWEST_IMAGES = 8;

/** What BatchNormalization tells. Distances are in standard deviations of the pretraining data. */
export interface NormalizationShift {
  /** Median of the layers' distances. */
  readonly distance: number;
  /** Variance of what reaches the first layer, as a part of the stored one: the contrast of the input. */
  readonly contrast: number;
  /** Median over layers of the median over channels of |difference of means|. */
  readonly meanDifference: number;
  /** Median over layers of the median over channels of variance / stored variance. */
  readonly varianceRatio: number;
  readonly layers: readonly { readonly node: string; readonly distance: number }[];
  readonly images: number;
  /** How far each image is, for ranking only: the median over layers of its channels' median |difference|, [images]. */
  readonly perImage: Float64Array;
}

/**
 * Compares activations with the running statistics of BatchNormalization. With m the difference of means and s the ratio
 * of deviations, a channel's distance is sqrt(m² + (1 - s)²): the Fréchet distance of two normal distributions in units
 * of the stored deviation (Dowson, Landau 1982). A layer's distance is the median over its channels, so that channels
 * that are always zero do not count. What m² owes to the number of images is subtracted.
 * @param rows [images, Σ 2 channels] row-major, as `momentsGraph` gives them.
 * @returns undefined for fewer than 8 images, or if no channel ever varied.
 */
export function normalizationShift(
  rows: Float32Array,
  layers: readonly NormalizedLayer[],
): NormalizationShift | undefined {
  const width = layers.reduce((sum, { variance }) => sum + 2 * variance.length, 0);
  const images = rows.length / width;
  if (!(images >= FEWEST_IMAGES)) return undefined;
  const measured: {
    readonly node: string;
    readonly mean: number;
    readonly ratio: number;
    readonly distance: number;
  }[] = [];
  const perImage: number[][] = Array.from({ length: images }, () => []);
  let start = 0;
  for (const { node, variance, epsilon } of layers) {
    const channels = Array.from(variance.keys()).filter((c) => variance[c]! > epsilon);
    const own = channels.map((c) =>
      channelShift(rows, { width, mean: start + c, square: start + variance.length + c }),
    );
    if (own.length > 0) {
      measured.push({
        node,
        mean: median(own.map(({ mean }) => Math.abs(mean))),
        ratio: median(own.map(({ ratio }) => ratio)),
        distance: median(own.map(({ distance }) => distance)),
      });
      for (const [i, list] of perImage.entries())
        list.push(median(channels.map((c) => Math.abs(rows[i * width + start + c]!))));
    }
    start += 2 * variance.length;
  }
  if (measured.length === 0) return undefined;
  return {
    distance: median(measured.map(({ distance }) => distance)),
    contrast: measured[0]!.ratio,
    meanDifference: median(measured.map(({ mean }) => mean)),
    varianceRatio: median(measured.map(({ ratio }) => ratio)),
    layers: measured.map(({ node, distance }) => ({ node, distance })),
    images,
    perImage: Float64Array.from(perImage, median),
  };
}

/** Difference of means, ratio of variances and distance of one channel, both in stored units. */
function channelShift(
  rows: Float32Array,
  { width, mean, square }: { readonly width: number; readonly mean: number; readonly square: number },
): { mean: number; ratio: number; distance: number } {
  const count = rows.length / width;
  let [sum, squares, outer] = [0, 0, 0];
  for (let start = 0; start < rows.length; start += width) {
    sum += rows[start + mean]!;
    outer += rows[start + mean]! ** 2;
    squares += rows[start + square]!;
  }
  const m = sum / count;
  const noise = Math.max(0, outer / count - m * m) / (count - 1); // variance of the mean of so many images
  const ratio = Math.max(0, squares / count - m * m + noise);
  return { mean: m, ratio, distance: Math.sqrt(Math.max(0, m * m - noise) + (1 - Math.sqrt(ratio)) ** 2) };
}

/** What the scores of the old classifier tell. */
export interface ConfidenceShift {
  /** Mean probability of the most probable class, in [0, 1]. */
  readonly confidence: number;
  /**
   * How many kinds of images the classifier tells apart: exp of the mutual information of image and class, from 1 to the
   * number of classes (the Inception score: Salimans et al. 2016, arXiv:1606.03498).
   */
  readonly diversity: number;
  /** Mean standard deviation of an image's scores over the classes; undefined if the model gives probabilities. */
  readonly spread: number | undefined;
  readonly images: number;
  /** Probability of the most probable class of each image, [images]. */
  readonly perImage: Float64Array;
}

/**
 * Measures how sure a pretrained softmax classifier is, and how much it depends on the image.
 * @param rows [images, numClasses] row-major, logits or probabilities.
 * @returns undefined for fewer than 8 images.
 */
export function confidenceShift(rows: Float32Array, numClasses: number): ConfidenceShift | undefined {
  const images = rows.length / numClasses;
  if (!(images >= FEWEST_IMAGES)) return undefined;
  const normalized = areProbabilities(rows, numClasses);
  const mean = new Float64Array(numClasses);
  const perImage = new Float64Array(images);
  let [entropy, spread] = [0, 0];
  for (let i = 0; i < images; i++) {
    const row = rows.subarray(i * numClasses, (i + 1) * numClasses);
    const probabilities = normalized ? Float64Array.from(row) : softmax(row);
    for (let j = 0; j < numClasses; j++) mean[j]! += probabilities[j]! / images;
    perImage[i] = probabilities.reduce((a, b) => Math.max(a, b), 0);
    entropy += entropyOf(probabilities) / images;
    spread += deviationOf(row) / images;
  }
  return {
    confidence: perImage.reduce((sum, value) => sum + value, 0) / images,
    diversity: Math.exp(Math.max(0, entropyOf(mean) - entropy)),
    spread: normalized ? undefined : spread,
    images,
    perImage,
  };
}

function areProbabilities(rows: Float32Array, numClasses: number): boolean {
  for (let start = 0; start < rows.length; start += numClasses) {
    let sum = 0;
    for (let j = 0; j < numClasses; j++) {
      const value = rows[start + j]!;
      if (value < 0 || value > 1 + 1e-3) return false;
      sum += value;
    }
    if (Math.abs(sum - 1) > 1e-2) return false;
  }
  return true;
}

function softmax(row: Float32Array): Float64Array {
  const max = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const out = Float64Array.from(row, (value) => Math.exp(value - max));
  const sum = out.reduce((a, b) => a + b, 0);
  return out.map((value) => value / sum);
}

function entropyOf(probabilities: Float64Array): number {
  return probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
}

function deviationOf(row: Float32Array): number {
  const mean = row.reduce((a, b) => a + b, 0) / row.length;
  return Math.sqrt(row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length);
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
