/** Whether a model is as sure as it is right: stated against observed frequency, in bins of equal width. */
import { RootstockError } from "../errors.ts";
import { binaryLoss, ROW_LOSSES } from "./log-loss.ts";
import { ACTIVATIONS, argmaxRows, type ClassActivation, checkLogits } from "./probabilities.ts";

/** Bins of the expected calibration error, as in Guo et al. 2017. */
export const BINS = 15;

/** One bar of a reliability diagram: what was stated in a range of probabilities, and what was observed. */
export interface ReliabilityBin {
  /** The range, above `from` and up to `to`; the first also has 0. */
  readonly from: number;
  readonly to: number;
  /** Number of statements in it. */
  readonly count: number;
  /** Their mean probability, in [0, 1]; 0 without any. */
  readonly confidence: number;
  /** Share of them that are true, in [0, 1]; 0 without any. */
  readonly accuracy: number;
}

/** The bin that a probability belongs to, from 0: (m / 15, (m + 1) / 15]. */
export function binOf(probability: number): number {
  return Math.max(0, Math.min(BINS - 1, Math.ceil(probability * BINS) - 1));
}

/**
 * Returns the bins of a reliability diagram.
 * @param confidences stated probabilities, [n]. @param right 1 where the statement is true, [n].
 */
export function reliabilityBins(confidences: ArrayLike<number>, right: ArrayLike<number>): ReliabilityBin[] {
  const bins = Array.from({ length: BINS }, () => ({ count: 0, confidence: 0, accuracy: 0 }));
  for (let i = 0; i < confidences.length; i++) {
    const bin = bins[binOf(confidences[i]!)]!;
    bin.count++;
    bin.confidence += confidences[i]!;
    bin.accuracy += right[i]!;
  }
  return bins.map(({ count, confidence, accuracy }, m) => ({
    from: m / BINS,
    to: (m + 1) / BINS,
    count,
    confidence: count === 0 ? 0 : confidence / count,
    accuracy: count === 0 ? 0 : accuracy / count,
  }));
}

/** Returns the expected calibration error of bins: the mean over statements of |accuracy - confidence| of their bin. */
export function expectedCalibrationError(bins: readonly ReliabilityBin[]): number {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  const gaps = bins.reduce((sum, { count, confidence, accuracy }) => sum + count * Math.abs(accuracy - confidence), 0);
  return total === 0 ? 0 : gaps / total;
}

/** What a temperature changes. */
export interface CalibrationOptions {
  /** As the network gives them, [n, numClasses] row-major: not divided by the temperature. */
  readonly logits: Float32Array;
  /** True class indices, [n]; of independent classes a number in [0, 1] for each, [n, numClasses]. */
  readonly labels: ArrayLike<number> | { readonly indicators: Float32Array };
  readonly numClasses: number;
  readonly activation: ClassActivation;
  /** What the logits are divided by. */
  readonly temperature: number;
}

/** How well probabilities fit what happened. */
export interface Calibration {
  /** Mean log-loss: softmax cross-entropy, or binary cross-entropy over samples and classes. */
  readonly loss: number;
  /** In [0, 1]. */
  readonly calibrationError: number;
  readonly bins: readonly ReliabilityBin[];
}

/** The same measures of logits as they are and divided by the temperature. */
export interface CalibrationChange {
  readonly temperature: number;
  readonly before: Calibration;
  readonly after: Calibration;
}

/**
 * Returns the log-loss and the calibration error before and after dividing logits by a temperature. On the split that the
 * temperature was fitted on, the second is a little too good.
 * @throws RootstockError SHAPE_MISMATCH, BAD_MODEL if logits are not finite rows of `numClasses`.
 * @throws RangeError if the temperature is not above 0.
 */
export function calibrationChange(options: CalibrationOptions): CalibrationChange {
  const { temperature, logits } = options;
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new RangeError(`a temperature must be a number above 0, got ${temperature}.`);
  return {
    temperature,
    before: calibrationOf(options),
    after: calibrationOf({ ...options, logits: logits.map((logit) => logit / temperature) }),
  };
}

function calibrationOf({ logits, labels, numClasses, activation }: CalibrationOptions): Calibration {
  const rows = checkLogits(logits, numClasses);
  const given = "indicators" in labels ? labels.indicators.length / numClasses : labels.length;
  if (given !== rows)
    throw new RootstockError("SHAPE_MISMATCH", `calibration requires a label for each of ${rows} rows, got ${given}.`);
  const probabilities = ACTIVATIONS[activation](logits, numClasses);
  if ("indicators" in labels) {
    const { indicators } = labels;
    const bins = reliabilityBins(
      probabilities,
      indicators.map((target) => Number(target >= 0.5)),
    );
    const loss = logits.reduce((sum, x, i) => sum + binaryLoss(x, indicators[i]!), 0) / logits.length;
    return { loss, calibrationError: expectedCalibrationError(bins), bins };
  }
  const best = argmaxRows(logits, numClasses);
  const bins = reliabilityBins(
    Float64Array.from(best, (j, i) => probabilities[i * numClasses + j]!),
    best.map((j, i) => Number(j === labels[i])),
  );
  let loss = 0;
  for (let i = 0; i < rows; i++)
    loss += ROW_LOSSES[activation](logits.subarray(i * numClasses, (i + 1) * numClasses), labels[i]!);
  return { loss: loss / rows, calibrationError: expectedCalibrationError(bins), bins };
}
