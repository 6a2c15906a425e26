/** Measures a classifier of independent classes, any number of which an image may show. */
import { RootstockError } from "../errors.ts";
import { bootstrap, everyOnce, percentileInterval, replicatesFor } from "./bootstrap.ts";
import { type ReliabilityBin, reliabilityBins } from "./calibration.ts";
import { classRanking } from "./classified-samples.ts";
import { f1Of, ratio } from "./decisions.ts";
import { wilsonInterval } from "./interval.ts";
import {
  countLabelled,
  isPositive,
  type LabelledSamples,
  labelledSamples,
  measureLabelled,
} from "./labelled-samples.ts";
import { type Intervals, MEASURES } from "./measures.ts";
import { checkLogits, sigmoidRows } from "./probabilities.ts";

/** Numbers that describe a multi-label classifier as a whole; all finite. */
export interface MultiLabelMetrics {
  /** Mean binary cross-entropy over samples and classes. */
  readonly loss: number;
  /** Share of samples whose every class is right, in [0, 1]; scikit-learn's accuracy_score of indicators. */
  readonly exactMatch: number;
  /** F1 of all decisions together, in [0, 1]; scikit-learn's f1_score(average="micro"). */
  readonly microF1: number;
  /** Mean F1 over the classes that occur among targets or predictions; scikit-learn's f1_score(average="macro") of them. */
  readonly macroF1: number;
  /** Mean F1 over classes, weighted by their samples; scikit-learn's f1_score(average="weighted"). */
  readonly weightedF1: number;
  /** Mean over the classes with a positive sample of the average precision; it needs no threshold. */
  readonly meanAveragePrecision: number;
  /**
   * Mean over classes of the area under the ROC curve; it needs no threshold. Left out where no class has samples with and
   * without it.
   */
  readonly rocAuc?: number;
  /** Mean squared distance of the probabilities from the targets, over samples and classes, in [0, 1]. */
  readonly brier: number;
  /** Expected calibration error of the probabilities of all classes, in 15 bins, in [0, 1]. */
  readonly calibrationError: number;
}

/** Numbers that describe one of several independent classes. A ratio without cases (0 / 0) is 0. */
export interface LabelMetrics {
  readonly label: string;
  /** Share of the predictions of this class that are right, in [0, 1]. */
  readonly precision: number;
  /** Share of the samples with this class that were found, in [0, 1]. */
  readonly recall: number;
  /** Harmonic mean of precision and recall, in [0, 1]. */
  readonly f1: number;
  /** Area under the steps of precision over recall, in [0, 1]; 0 without positive samples. */
  readonly averagePrecision: number;
  /** Area under the ROC curve, in [0, 1]; left out without positive or without negative samples. */
  readonly rocAuc?: number;
  /** Probability above which the class is predicted. */
  readonly threshold: number;
  /** Number of samples with this class. */
  readonly support: number;
}

/** Everything measured in one pass over a dataset; JSON-safe. */
export interface MultiLabelEvaluation {
  readonly task: "multi-label";
  /** Number of samples. */
  readonly count: number;
  readonly metrics: MultiLabelMetrics;
  /** 95 % intervals of the measures: Wilson's of the exact match, else of random draws of the images; see `bootstrap`. */
  readonly intervals: Intervals<MultiLabelMetrics>;
  /** The probabilities of all classes and how often the classes are there: a reliability diagram. */
  readonly reliability: readonly ReliabilityBin[];
  /** One entry per class, in class order. */
  readonly perClass: readonly LabelMetrics[];
}

/** What {@link evaluateMultiLabel} measures. */
export interface MultiLabelResults {
  /** Raw outputs of the model, [n, k] row-major. */
  readonly logits: Float32Array;
  /** [n, k] row-major, each in [0, 1]. For the loss they count as they are, for everything else as positive from 0.5 on. */
  readonly targets: Float32Array;
  /** Class names, [k]. */
  readonly classes: readonly string[];
  /** Probability above which each class is predicted, [k], each in (0, 1). 0.5 for all where it is not given. */
  readonly thresholds?: readonly number[] | undefined;
}

/**
 * Measures predictions of independent classes. A class is predicted where its probability is above its threshold.
 *
 * The loss is computed from logits in float64.
 * @throws RootstockError BAD_DATA without samples, SHAPE_MISMATCH if logits and targets are not both [n, k], BAD_MODEL if
 * a logit is not finite. @throws RangeError if there is no class, or a target is outside [0, 1].
 */
export function evaluateMultiLabel(results: MultiLabelResults): MultiLabelEvaluation {
  const { logits, targets, classes, thresholds } = results;
  const samples = preparedMultiLabel(results);
  const count = samples.exact.length;
  const counts = everyOnce(count);
  const decisions = countLabelled(samples, counts);
  const metrics = finite(measureLabelled(samples, counts));
  return {
    task: "multi-label",
    count,
    metrics,
    intervals: intervalsOf(samples, metrics),
    perClass: classes.map((label, j): LabelMetrics => {
      const [found, support] = [decisions.found[j]!, decisions.support[j]!];
      const precision = ratio(found, decisions.predicted[j]!);
      const ranked = classRanking(samples.rankings[j]!, count);
      const threshold = thresholds?.[j] ?? 0.5;
      return { label, precision, recall: ratio(found, support), f1: f1Of(decisions, j), ...ranked, threshold, support };
    }),
    reliability: reliabilityBins(
      sigmoidRows(logits, classes.length),
      targets.map((target) => Number(isPositive(target))),
    ),
  };
}

/** The measures of the images without their intervals: what training shows after each epoch. @throws As {@link evaluateMultiLabel}. */
export function summarizeMultiLabel(results: MultiLabelResults): MultiLabelMetrics {
  const samples = preparedMultiLabel(results);
  return finite(measureLabelled(samples, everyOnce(samples.exact.length)));
}

/** Prepares results for measuring any draw of them. @throws As {@link evaluateMultiLabel}. */
export function preparedMultiLabel({ logits, targets, classes, thresholds }: MultiLabelResults): LabelledSamples {
  const width = classes.length;
  const count = checkLogits(logits, width);
  if (targets.length !== logits.length) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `evaluateMultiLabel requires logits and targets [n, ${width}], got ${logits.length} and ${targets.length} elements.`,
    );
  }
  if (count === 0) {
    throw new RootstockError("BAD_DATA", "an evaluation requires at least one sample, got 0. Use a larger split.");
  }
  const bad = targets.findIndex((value) => !(value >= 0 && value <= 1));
  if (bad >= 0) throw new RangeError(`a multi-label target must be in [0, 1], got ${targets[bad]}.`);
  if (thresholds && !(thresholds.length === width && thresholds.every((value) => value > 0 && value < 1)))
    throw new RangeError(`thresholds must be ${width} numbers between 0 and 1, got [${thresholds.join(", ")}].`);
  return labelledSamples(logits, targets, { numClasses: width, thresholds });
}

/** The measures as records hold them: 0 without a positive sample, without the area where it is not defined. */
function finite({ rocAuc, ...measured }: ReturnType<typeof measureLabelled>): MultiLabelMetrics {
  const meanAveragePrecision = Number.isNaN(measured.meanAveragePrecision) ? 0 : measured.meanAveragePrecision;
  return { ...measured, meanAveragePrecision, ...(Number.isNaN(rocAuc) ? {} : { rocAuc }) };
}

function intervalsOf(samples: LabelledSamples, metrics: MultiLabelMetrics): MultiLabelEvaluation["intervals"] {
  const count = samples.exact.length;
  const replicates = replicatesFor(count * (samples.numClasses + 20) + samples.decisions.length);
  const draws = bootstrap(count, (counts) => measureLabelled(samples, counts), { replicates });
  const names = Object.keys(metrics) as (keyof MultiLabelMetrics)[]; // as declared
  const drawn = names.map((name) => {
    const values = draws.get(name) ?? new Float64Array();
    const value = metrics[name] ?? Number.NaN;
    return [name, percentileInterval(values, { value, count, ...MEASURES[name].interval })] as const;
  });
  const exactMatch = wilsonInterval(
    samples.exact.reduce((sum, is) => sum + is, 0),
    count,
  );
  return { ...Object.fromEntries(drawn), exactMatch } as MultiLabelEvaluation["intervals"]; // one for each name
}
