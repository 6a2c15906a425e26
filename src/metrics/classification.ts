/** Measures a classifier: loss, accuracy and more, each with its interval, and what each class contributes. */
import { RootstockError } from "../errors.ts";
import { bootstrap, everyOnce, percentileInterval, replicatesFor } from "./bootstrap.ts";
import { type ReliabilityBin, reliabilityBins } from "./calibration.ts";
import {
  type ClassifiedSamples,
  classifiedSamples,
  classRanking,
  countDecisions,
  measureClassified,
  topKOf,
} from "./classified-samples.ts";
import { checkIndex, confusionMatrix } from "./confusion-matrix.ts";
import { agreement, f1Averages, f1Of, ratio } from "./decisions.ts";
import { type Interval, wilsonInterval } from "./interval.ts";
import { ROW_LOSSES } from "./log-loss.ts";
import { type Intervals, MEASURES } from "./measures.ts";
import { argmaxRows, type ClassActivation, checkLogits } from "./probabilities.ts";

/** What a classifier's training shows after each epoch: what can be had without sorting. */
export interface ClassificationSummary {
  /** Mean log-loss: softmax cross-entropy, or binary cross-entropy averaged over samples and classes. */
  readonly loss: number;
  /** Share of samples whose most probable class is the label, in [0, 1]. */
  readonly accuracy: number;
  /** Mean recall over the classes that occur among the labels, in [0, 1]; scikit-learn's balanced_accuracy_score. */
  readonly balancedAccuracy: number;
  /** Mean F1 over the classes that occur among labels or predictions; scikit-learn's f1_score(average="macro"). */
  readonly macroF1: number;
}

/** Numbers that describe a classifier as a whole; all finite. */
export interface ClassificationMetrics extends ClassificationSummary {
  /** 95 % Wilson interval of the accuracy. */
  readonly accuracyInterval: Interval;
  /** Share of samples whose label is among the `topK` most probable classes, in [0, 1]. */
  readonly topKAccuracy: number;
  /** F1 of all decisions together, which for classes that exclude each other is the accuracy. */
  readonly microF1: number;
  /** Mean F1 over classes, weighted by their samples; scikit-learn's f1_score(average="weighted"). */
  readonly weightedF1: number;
  /** Cohen's kappa: accuracy beyond chance, at most 1. */
  readonly kappa: number;
  /** Matthews correlation coefficient, in [-1, 1]. */
  readonly matthews: number;
  /**
   * Mean over classes of the area under the ROC curve of each against the rest, by probability, in [0, 1]; scikit-learn's
   * roc_auc_score(multi_class="ovr"), of two classes its binary case. Left out where no class has images with and without.
   */
  readonly rocAuc?: number;
  /** Mean over the classes with images of the area under precision over recall (average precision), in [0, 1]. */
  readonly meanAveragePrecision: number;
  /**
   * Mean squared distance of the probabilities from what happened, summed over classes, in [0, 2]; of two classes half of
   * that, in [0, 1]. scikit-learn's brier_score_loss.
   */
  readonly brier: number;
  /** Expected calibration error of the predicted class in 15 bins, in [0, 1] (Guo et al. 2017, arXiv:1706.04599). */
  readonly calibrationError: number;
}

/** Numbers that describe one class. A ratio without cases (0 / 0) is 0. */
export interface ClassMetrics {
  readonly label: string;
  /** Share of the predictions of this class that are right, in [0, 1]; 0 if it was never predicted. */
  readonly precision: number;
  /** Share of the samples of this class that were found, in [0, 1]; 0 if it has no samples. */
  readonly recall: number;
  /** Harmonic mean of precision and recall, in [0, 1]. */
  readonly f1: number;
  /** Area under precision over recall, by probability, in [0, 1]; 0 without samples. */
  readonly averagePrecision: number;
  /** Area under the ROC curve against the other classes, in [0, 1]; left out without samples or without others. */
  readonly rocAuc?: number;
  /** Number of samples with this label. */
  readonly support: number;
}

/** Everything measured in one pass over a dataset; JSON-safe. */
export interface ClassificationEvaluation {
  readonly task: "single-label";
  readonly metrics: ClassificationMetrics;
  /**
   * 95 % intervals of the measures: Wilson's of those that are shares of independent images (accuracy, top-k, micro-F1),
   * else the middle of the measures of random draws of the images; see `bootstrap`.
   */
  readonly intervals: Intervals<Omit<ClassificationMetrics, "accuracyInterval">>;
  /** How many guesses `topKAccuracy` allows: 5, or one less than there are classes. */
  readonly topK: number;
  /** How sure the predictions are and how often they are right: a reliability diagram. */
  readonly reliability: readonly ReliabilityBin[];
  /** One entry per class, in class order. */
  readonly perClass: readonly ClassMetrics[];
  /** Counts; rows are true classes, columns predicted ones. */
  readonly confusion: readonly (readonly number[])[];
}

/** What {@link evaluateClassification} measures. */
export interface ClassificationResults {
  /** Raw outputs of the model, [n, k] row-major. */
  readonly logits: Float32Array;
  /** True class indices, [n], each in [0, k). */
  readonly labels: ArrayLike<number>;
  /** Class names, [k]. */
  readonly classes: readonly string[];
  /** How the model turns logits into probabilities; decides the loss. */
  readonly activation: ClassActivation;
}

/**
 * Measures predictions against labels. The prediction is the largest logit; a tie goes to the lowest index.
 *
 * The loss is computed from logits in float64: softmax by log-sum-exp, sigmoid against one-hot targets. Everything that
 * reads probabilities reads them as float32 holds them, as an exported file gives them.
 * @throws RootstockError BAD_DATA without samples, SHAPE_MISMATCH if logits are not [n, k], BAD_MODEL if a logit is
 * not finite. @throws RangeError if a label is not a class index, or there is no class.
 */
export function evaluateClassification(results: ClassificationResults): ClassificationEvaluation {
  const { labels, classes } = results;
  const count = check(results);
  const samples = preparedClassification(results);
  const confusion = confusionMatrix(labels, samples.predicted, classes.length);
  const { rocAuc, ...measured } = measureClassified(samples, everyOnce(count));
  const decisions = countDecisions(samples);
  const accuracyInterval = wilsonInterval(
    decisions.found.reduce((a, b) => a + b),
    count,
  );
  const metrics = { ...measured, accuracyInterval, ...(Number.isNaN(rocAuc) ? {} : { rocAuc }) };
  return {
    task: "single-label",
    metrics,
    intervals: intervalsOf(samples, metrics),
    topK: topKOf(classes.length),
    perClass: classes.map((label, j): ClassMetrics => {
      const { predicted, support, found } = decisions;
      const precision = ratio(found[j]!, predicted[j]!);
      const recall = ratio(found[j]!, support[j]!);
      const ranked = classRanking(samples.rankings[j]!, count);
      return { label, precision, recall, f1: f1Of(decisions, j), ...ranked, support: support[j]! };
    }),
    confusion,
    reliability: reliabilityBins(
      samples.confidences,
      samples.predicted.map((j, i) => Number(j === labels[i])),
    ),
  };
}

/** Prepares results for measuring any draw of them. @throws As {@link evaluateClassification}. */
export function preparedClassification(results: ClassificationResults): ClassifiedSamples {
  check(results);
  const { logits, labels, classes, activation } = results;
  return classifiedSamples(logits, labels, { numClasses: classes.length, activation });
}

/** The measures that training shows after each epoch. @throws As {@link evaluateClassification}. */
export function summarizeClassification(results: ClassificationResults): ClassificationSummary {
  const count = check(results);
  const { logits, labels, classes, activation } = results;
  const numClasses = classes.length;
  const predicted = argmaxRows(logits, numClasses);
  const decisions = countDecisions({ labels: Uint32Array.from(labels), predicted, numClasses });
  let loss = 0;
  for (let i = 0; i < count; i++)
    loss += ROW_LOSSES[activation](logits.subarray(i * numClasses, (i + 1) * numClasses), labels[i]!);
  return {
    loss: loss / count,
    accuracy: decisions.found.reduce((a, b) => a + b) / count,
    balancedAccuracy: agreement(decisions).balancedAccuracy,
    macroF1: f1Averages(decisions).macroF1,
  };
}

/** The number of samples, all of which fit. */
function check({ logits, labels, classes }: ClassificationResults): number {
  const numClasses = classes.length;
  const numSamples = checkLogits(logits, numClasses);
  if (numSamples !== labels.length) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `evaluateClassification requires logits [n, ${numClasses}] and labels [n], ` +
        `got [${numSamples}, ${numClasses}] and [${labels.length}].`,
    );
  }
  if (numSamples === 0) {
    throw new RootstockError("BAD_DATA", "an evaluation requires at least one sample, got 0. Use a larger split.");
  }
  for (let i = 0; i < numSamples; i++) checkIndex("label", i, labels[i]!, numClasses);
  return numSamples;
}

function intervalsOf(
  samples: ClassifiedSamples,
  { accuracyInterval, ...metrics }: ClassificationMetrics,
): ClassificationEvaluation["intervals"] {
  const count = samples.labels.length;
  const replicates = replicatesFor(count * (samples.numClasses + 20));
  const draws = bootstrap(count, (counts) => measureClassified(samples, counts), { replicates });
  const names = Object.keys(metrics) as (keyof typeof metrics)[]; // as declared
  const drawn = names.map((name) => {
    const values = draws.get(name) ?? new Float64Array();
    const value = metrics[name] ?? Number.NaN;
    return [name, percentileInterval(values, { value, count, ...MEASURES[name].interval })] as const;
  });
  const inTop = samples.inTop.reduce((sum, is) => sum + is, 0);
  return {
    ...Object.fromEntries(drawn),
    accuracy: accuracyInterval,
    microF1: accuracyInterval,
    topKAccuracy: wilsonInterval(inTop, count),
  } as ClassificationEvaluation["intervals"]; // one for each name
}
