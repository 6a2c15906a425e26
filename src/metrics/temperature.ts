/** One number that makes a classifier as sure as it is right: its logits are divided by it. */
import { type ClassActivation, checkLogits } from "./probabilities.ts";

/** What a temperature is fitted to. */
export interface TemperatureOptions {
  /** [n, numClasses] row-major. */
  readonly logits: Float32Array;
  /** True class indices, [n]; with `sigmoid` also a number in [0, 1] for each class, [n, numClasses]. */
  readonly labels: ArrayLike<number> | { readonly indicators: Float32Array };
  readonly numClasses: number;
  readonly activation: ClassActivation;
}

/** Temperatures that are tried, and how finely, in natural logarithms. */
const RANGE = Math.log(20);
const PRECISION = 1e-4;
/** More rows than this say nothing new about one number. */
const MOST_ROWS = 5000;

/**
 * The temperature T in [1/20, 20] for which logits / T have the smallest loss (temperature scaling: Guo et al. 2017,
 * arXiv:1706.04599). Predictions stay the same. Each target keeps 1/(n + 2) for the other classes, as if one sample more
 * had been wrong (Platt 1999): without it, a split without errors would ask for boundless certainty.
 * @throws As checkLogits.
 */
export function fitTemperature({ logits, labels, numClasses, activation }: TemperatureOptions): number {
  const rows = checkLogits(logits, numClasses);
  const every = Math.max(1, Math.ceil(rows / MOST_ROWS));
  const spread = 1 / (rows + 2);
  const lossAt = (logTemperature: number): number => {
    const scale = Math.exp(-logTemperature);
    let total = 0;
    for (let i = 0; i < rows; i += every) {
      const row = logits.subarray(i * numClasses, (i + 1) * numClasses);
      total +=
        "indicators" in labels
          ? sigmoidLoss(row, labels.indicators.subarray(i * numClasses, (i + 1) * numClasses), scale, spread)
          : ROW_LOSS[activation](row, labels[i]!, scale, spread);
    }
    return total;
  };
  return Math.exp(lowest(lossAt, -RANGE, RANGE));
}

/** The loss of one row of logits times `scale`, with `spread` of the target over all classes. */
const ROW_LOSS: Readonly<
  Record<ClassActivation, (row: Float32Array, label: number, scale: number, spread: number) => number>
> = {
  softmax: (row, label, scale, spread) => {
    const max = row.reduce((a, b) => Math.max(a, b)) * scale;
    let sum = 0;
    let mean = 0;
    for (const value of row) {
      sum += Math.exp(value * scale - max);
      mean += (value * scale) / row.length;
    }
    return max + Math.log(sum) - (1 - spread) * row[label]! * scale - spread * mean;
  },
  sigmoid: (row, label, scale, spread) => {
    let total = 0;
    for (const [j, value] of row.entries()) {
      const x = value * scale;
      const target = j === label ? 1 - spread : spread;
      total += Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) - target * x;
    }
    return total;
  },
};

/** The loss of one row of independent classes; a target t keeps (1 - 2 spread) t + spread. */
function sigmoidLoss(row: Float32Array, targets: Float32Array, scale: number, spread: number): number {
  let total = 0;
  for (const [j, value] of row.entries()) {
    const x = value * scale;
    total += Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) - (spread + (1 - 2 * spread) * targets[j]!) * x;
  }
  return total;
}

/** Where a function with one valley is lowest between two points (golden-section search: Kiefer 1953). */
function lowest(f: (x: number) => number, from: number, to: number): number {
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [from, to];
  let [x1, x2] = [high - golden * (high - low), low + golden * (high - low)];
  let [y1, y2] = [f(x1), f(x2)];
  while (high - low > PRECISION) {
    if (y1 < y2) {
      [high, x2, y2] = [x2, x1, y1];
      x1 = high - golden * (high - low);
      y1 = f(x1);
    } else {
      [low, x1, y1] = [x1, x2, y2];
      x2 = low + golden * (high - low);
      y2 = f(x2);
    }
  }
  return (low + high) / 2;
}
