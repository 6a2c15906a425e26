/** Whether validation and test images are like the training images, in a network's features. */
import type { Dataset, Sample, Split } from "../../data/sample.ts";
import type { FeatureSet } from "../../features/extract.ts";
import { compareClassMix } from "../../features/shift/class-mix.ts";
import { twoSampleTest } from "../../features/shift/shift.ts";
import { type FeatureCheck, type FeatureFinding, type Measured, percent, reported, untold } from "./feature-finding.ts";

/** A difference is a finding where chance gives one as large in fewer than so many of all cases … */
const P_VALUE = 0.01;
/** … and it is large enough to matter: the chance to tell a pair of images apart. */
const AUC = 0.6;
/** The part of a split that would need other classes. */
const CLASS_MIX = 0.1;
/** Images that are named. */
const EXAMPLES = 10;
/** Into how many parts of equal size the first target of a regression is cut. */
const TARGET_PARTS = 4;

export interface SplitShiftData {
  readonly set: FeatureSet;
  readonly data: Dataset;
  /** The group of each of the set's samples: images of one group count as one, by their mean. */
  readonly groups: readonly number[];
  readonly seed: number;
}

/** Compares each split with the training images, within classes, and the shares of classes by themselves. */
export function checkSplitShift({ set, data, groups, seed }: SplitShiftData): FeatureCheck {
  const units = unitsOf(set, data, groups);
  const checks = (["validation", "test"] as const)
    .filter((split) => set.samples.some((sample) => sample.split === split))
    .map((split) => compare(units, { split, data, seed }));
  return {
    findings: checks.flatMap(({ findings }) => findings),
    measured: checks.flatMap(({ measured }) => measured),
    untold: checks.flatMap((check) => check.untold),
  };
}

interface Units {
  /** [units, width] */
  readonly features: Float32Array;
  readonly width: number;
  /** The first image of each unit. */
  readonly samples: readonly Sample[];
  readonly strata: readonly number[];
}

interface Comparison {
  readonly split: Exclude<Split, "train">;
  readonly data: Dataset;
  readonly seed: number;
}

function compare(units: Units, { split, data, seed }: Comparison): FeatureCheck {
  const rows = [...units.samples.keys()].filter((i) => ["train", split].includes(units.samples[i]!.split));
  const features = new Float32Array(rows.length * units.width);
  for (const [to, from] of rows.entries())
    features.set(units.features.subarray(from * units.width, (from + 1) * units.width), to * units.width);
  const samples = rows.map((i) => units.samples[i]!);
  const domain = samples.map((sample) => Number(sample.split === split));
  const mix = data.task === "single-label" ? classMix(samples, domain, { split, data, seed }) : undefined;
  const result = twoSampleTest({ features, domain, strata: rows.map((i) => units.strata[i]!) }, { seed });
  const mixed: FeatureCheck = mix ?? { findings: [], measured: [], untold: [] };
  if (!result) {
    const few = untold(
      `Whether ${split} images are like training images cannot be told: at least 10 of each, of classes that both have, are required.`,
    );
    return { ...mixed, untold: [...mixed.untold, ...few.untold] };
  }
  const { auc, pValue, scores, compared } = result;
  const measured: Measured[] = [
    { name: `train and ${split}: AUC of a classifier that tells them apart`, value: auc, threshold: AUC },
    { name: `train and ${split}: p-value of equal images`, value: pValue, threshold: P_VALUE },
  ];
  const found: FeatureFinding[] = [];
  if (pValue <= P_VALUE && auc > AUC) {
    const extreme = [...scores.keys()]
      .filter((i) => domain[i] === 1 && Number.isFinite(scores[i]))
      .sort((a, b) => scores[b]! - scores[a]!)
      .slice(0, EXAMPLES);
    found.push({
      kind: "distribution-shift",
      severity: "warning",
      message: `Images of ${split} differ from training images of the same class: a linear classifier on the network's features puts ${percent(auc)} of pairs in the right order (50 % where there is no difference, p = ${pValue.toFixed(3)}, ${compared[0]} and ${compared[1]} images).`,
      advice: `Results on ${split} then say little about training, and the other way round. Look for another camera, size, compression, background or time; split the data anew by group, or collect training images like those of ${split}.`,
      files: extreme.map((i) => reported(samples[i]!, `${split}, score ${scores[i]!.toFixed(2)}`)),
      measured,
    });
  }
  return {
    findings: [...mixed.findings, ...found],
    measured: [...mixed.measured, ...measured],
    untold: mixed.untold,
  };
}

function classMix(
  samples: readonly Sample[],
  domain: readonly number[],
  { split, data, seed }: Comparison,
): FeatureCheck | undefined {
  const labels = samples.map(({ target }) => target[0]!);
  const mix = compareClassMix({ labels, domain, numClasses: data.classes.length }, { seed });
  if (!mix) return undefined;
  const measured: Measured[] = [
    { name: `train and ${split}: part of other classes`, value: mix.distance, threshold: CLASS_MIX },
    { name: `train and ${split}: p-value of equal shares of classes`, value: mix.pValue, threshold: P_VALUE },
  ];
  if (mix.pValue > P_VALUE || mix.distance <= CLASS_MIX) return { findings: [], measured, untold: [] };
  const largest = [...data.classes.keys()]
    .sort((a, b) => Math.abs(mix.shares[1][b]! - mix.shares[0][b]!) - Math.abs(mix.shares[1][a]! - mix.shares[0][a]!))
    .slice(0, 3)
    .map((j) => `${data.classes[j]} ${percent(mix.shares[0][j]!)} and ${percent(mix.shares[1][j]!)}`);
  const finding: FeatureFinding = {
    kind: "class-mix",
    severity: "info",
    message: `Train and ${split} have the classes in other shares: ${largest.join(", ")}.`,
    advice: `Accuracy depends on the shares: compare balanced accuracy, or make the split stratified.`,
    files: [],
    measured,
  };
  return { findings: [finding], measured, untold: [] };
}

/** Images of one group, class and split as one row, their mean: near-copies would make any difference look certain. */
function unitsOf({ features, samples }: FeatureSet, data: Dataset, groups: readonly number[]): Units {
  const width = features.length / Math.max(1, samples.length);
  const strata = strataOf(samples, data);
  const members = new Map<string, number[]>();
  for (const [i, { split }] of samples.entries()) {
    const key = `${groups[i]} ${strata[i]} ${split}`;
    const list = members.get(key);
    if (list) list.push(i);
    else members.set(key, [i]);
  }
  const lists = [...members.values()];
  const out = new Float32Array(lists.length * width);
  for (const [unit, list] of lists.entries())
    for (const i of list)
      for (let j = 0; j < width; j++) out[unit * width + j]! += features[i * width + j]! / list.length;
  return {
    features: out,
    width,
    samples: lists.map(([first]) => samples[first!]!),
    strata: lists.map(([first]) => strata[first!]!),
  };
}

/** What images are compared within: the class, the set of labels, or the quarter that the first target lies in. */
function strataOf(samples: readonly Sample[], { task }: Dataset): number[] {
  if (task === "regression") {
    const sorted = Float64Array.from(samples, ({ target }) => target[0]!).sort();
    const ends = Array.from(
      { length: TARGET_PARTS - 1 },
      (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / TARGET_PARTS)]!,
    );
    return samples.map(({ target }) => ends.filter((end) => target[0]! >= end).length);
  }
  const names = new Map<string, number>();
  return samples.map(({ target }) => {
    const name = target.join(" ");
    const known = names.get(name) ?? names.size;
    names.set(name, known);
    return known;
  });
}
