/** What can be said of decisions between classes from how often each class is there, is predicted, and is both. */

/** Counts by class, [k] each; whole numbers, or sums of weights. */
export interface DecisionCounts {
  /** Samples of the class. */
  readonly support: Float64Array;
  /** Samples that are taken for it. */
  readonly predicted: Float64Array;
  /** Samples of the class that are taken for it. */
  readonly found: Float64Array;
}

/** Averages of F1 over classes. A class that neither occurs nor is predicted counts for nothing. */
export interface F1Averages {
  readonly macroF1: number;
  readonly microF1: number;
  readonly weightedF1: number;
}

/** The F1 of one class: the harmonic mean of precision and recall; 0 without both. */
export function f1Of({ support, predicted, found }: DecisionCounts, j: number): number {
  return ratio(2 * found[j]!, support[j]! + predicted[j]!);
}

/**
 * Returns three averages of F1: the plain mean over classes (macro), that of all decisions together (micro) and the mean
 * weighted by support; scikit-learn's f1_score of the classes that occur among labels or predictions. 0 without any.
 */
export function f1Averages(counts: DecisionCounts): F1Averages {
  const { support, predicted, found } = counts;
  let [classes, sum, weighted, samples, both, right] = [0, 0, 0, 0, 0, 0];
  for (let j = 0; j < support.length; j++) {
    const f1 = f1Of(counts, j);
    if (support[j]! + predicted[j]! > 0) classes++;
    sum += f1;
    weighted += support[j]! * f1;
    samples += support[j]!;
    both += support[j]! + predicted[j]!;
    right += found[j]!;
  }
  return { macroF1: ratio(sum, classes), microF1: ratio(2 * right, both), weightedF1: ratio(weighted, samples) };
}

/** How decisions agree with labels beyond what chance gives. 0 where labels or predictions are all of one class. */
export interface Agreement {
  /** Mean recall over the classes that occur among the labels. */
  readonly balancedAccuracy: number;
  /** (p - e) / (1 - e), with p the accuracy and e the accuracy of guesses drawn in the same proportions (Cohen 1960). */
  readonly kappa: number;
  /** Correlation of predicted and true classes (Matthews 1975; for many classes Gorodkin 2004). */
  readonly matthews: number;
}

/** Returns measures of classes that exclude each other; scikit-learn's definitions. */
export function agreement({ support, predicted, found }: DecisionCounts): Agreement {
  let [total, right, classes, recall, chance, squares, squaredPredictions] = [0, 0, 0, 0, 0, 0, 0];
  for (let j = 0; j < support.length; j++) {
    total += support[j]!;
    right += found[j]!;
    chance += support[j]! * predicted[j]!;
    squares += support[j]! ** 2;
    squaredPredictions += predicted[j]! ** 2;
    if (support[j] === 0) continue;
    classes++;
    recall += found[j]! / support[j]!;
  }
  const all = total ** 2;
  const spread = Math.sqrt((all - squares) * (all - squaredPredictions));
  return {
    balancedAccuracy: ratio(recall, classes),
    kappa: ratio(right * total - chance, all - chance),
    matthews: ratio(right * total - chance, spread),
  };
}

/** 0 of nothing. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
