/** Which images are likely to have a wrong label, by classifiers that were trained on the others. */
import type { Dataset } from "../../data/sample.ts";
import type { FeatureSet } from "../../features/extract.ts";
import { findLabelIssues } from "../../metrics/label-issues.ts";
import { argmaxRows } from "../../metrics/probabilities.ts";
import { type FeatureCheck, type Measured, percent, reported, untold } from "./feature-finding.ts";
import { outOfFold } from "./out-of-fold.ts";

/** How much more probable another class must be. */
const MARGIN = 0.5;
/** Fewer images, or images of fewer groups, have no parts that could be held out. */
const FEWEST_GROUPS = 20;
/** Agreement with the labels beyond chance, up to which the features say too little of the classes (Cohen's kappa). */
const KAPPA = 0.4;

export interface LabelData {
  readonly set: FeatureSet;
  readonly data: Dataset;
  /** The group of each of the set's samples: images of one group are held out together. */
  readonly groups: readonly number[];
  readonly seed: number;
}

/** Ranks likely label errors of single-label data over all splits. */
export function checkLabels({ set, data, groups, seed }: LabelData): FeatureCheck {
  const { classes, task } = data;
  if (task !== "single-label" || classes.length < 2)
    return untold("Label errors are looked for in data with one label for each image and at least two classes only.");
  if (new Set(groups).size < FEWEST_GROUPS)
    return untold(`Label errors cannot be told with fewer than ${FEWEST_GROUPS} different images.`);
  const labels = set.samples.map(({ target }) => target[0]!);
  const numClasses = classes.length;
  const probabilities = outOfFold({ features: set.features, labels, numClasses, groups }, { seed });
  const predicted = argmaxRows(probabilities, numClasses);
  const kappa = kappaOf(labels, predicted, numClasses);
  const agreement: Measured = {
    name: "agreement of labels and features beyond chance",
    value: kappa,
    threshold: KAPPA,
  };
  if (kappa < KAPPA) {
    const why = `Label errors cannot be told: the network's features agree with the labels by ${percent(Math.max(0, kappa))} beyond chance only, and at least ${percent(KAPPA)} is required.`;
    return { findings: [], measured: [agreement], untold: [why] };
  }
  const { issues } = findLabelIssues({ probabilities, labels, numClasses }, { margin: MARGIN });
  const share: Measured = {
    name: "part of the images with a likely label error",
    value: issues.length / labels.length,
  };
  const measured = [agreement, share];
  if (issues.length === 0) return { findings: [], measured, untold: [] };
  const many = issues.length === 1 ? "1 image looks" : `${issues.length} images look`;
  return {
    findings: [
      {
        kind: "label-error",
        severity: "warning",
        message: `${many} like another class than the label says (of ${labels.length}, judged by classifiers trained on the other images).`,
        advice:
          "Look at them, the first ones first: some are wrong labels or pictures of something else, others are right and hard. Move or remove those that are wrong.",
        files: issues.map(({ index, label, suggested, margin }) =>
          reported(
            set.samples[index]!,
            `labelled ${classes[label]}, looks like ${classes[suggested]} (margin ${margin.toFixed(2)})`,
          ),
        ),
        measured: [...measured, { name: "margin", value: issues[0]!.margin, threshold: MARGIN }],
      },
    ],
    measured,
    untold: [],
  };
}

/** Cohen's kappa (1960): (agreement - expected agreement) / (1 - expected agreement). */
function kappaOf(labels: readonly number[], predicted: Int32Array, numClasses: number): number {
  const given = new Float64Array(numClasses);
  const got = new Float64Array(numClasses);
  let same = 0;
  for (const [i, label] of labels.entries()) {
    given[label]!++;
    got[predicted[i]!]!++;
    if (label === predicted[i]) same++;
  }
  const count = labels.length;
  const expected = given.reduce((sum, value, j) => sum + (value / count) * (got[j]! / count), 0);
  return expected === 1 ? 0 : (same / count - expected) / (1 - expected);
}
