/** Findings about classes and targets: what is missing, what looks alike, what is too rare to be learned. */
import { count, FEW_STEPS, float32Steps, named, quoted } from "../dataset-notes.ts";
import type { Dataset, Sample, Split } from "../sample.ts";
import type { ClassCount, Finding } from "./dataset-report.ts";

const SPLITS: readonly Split[] = ["train", "validation", "test"];
/** Training images of a class below which a score of it says little. */
const FEW = 10;
/** Ratios of the largest to the smallest class: where weights help, and where they no longer do. */
const IMBALANCE = { notable: 3, severe: 20 } as const;

/** Returns how many images of each class are in each split; nothing for regression. */
export function classCounts({ task, classes, samples }: Dataset): readonly ClassCount[] {
  if (task === "regression") return [];
  const counts = classes.map((name) => ({ name, train: 0, validation: 0, test: 0 }));
  for (const { target, split } of samples) for (const label of target) counts[label]![split]++;
  return counts;
}

/** Findings about the classes of a single-label or multi-label dataset. `emptyFolders`: class folders without images. */
export function classFindings(dataset: Dataset, emptyFolders: readonly string[]): readonly Finding[] {
  const counts = classCounts(dataset);
  const findings: Finding[] = [];
  const add = (finding: Omit<Finding, "files">): unknown => findings.push({ ...finding, files: [] });
  if (dataset.task === "single-label" && counts.length < 2)
    add({
      kind: "one-class",
      severity: "error",
      message: `There ${counts.length === 1 ? `is one class only, ${quoted(counts[0]!.name)}` : "are no classes with images"}: nothing can be learned to tell apart.`,
      advice: "Make one folder of images for each class.",
    });
  if (emptyFolders.length > 0)
    add({
      kind: "empty-class",
      severity: "warning",
      message: `${count(emptyFolders.length, "class folder")} without usable images: ${named(emptyFolders)}.`,
      advice:
        "Add images or remove the folder. It is no class of the trained model; programs that number folders count it.",
    });
  findings.push(...splitFindings(dataset, counts), ...nameFindings(counts), ...sizeFindings(dataset, counts));
  return findings;
}

function splitFindings({ task, samples, classes }: Dataset, counts: readonly ClassCount[]): readonly Finding[] {
  const used = SPLITS.filter((split) => samples.some((sample) => sample.split === split));
  const findings: Finding[] = [];
  for (const split of used) {
    const missing = counts.filter((entry) => entry[split] === 0).map(({ name }) => name);
    if (missing.length === 0) continue;
    const training = split === "train";
    const shifted = missing.some((name) => name !== classes.at(-1)); // what follows a missing class moves up
    const order = shifted
      ? " A program that numbers the folders of each split by itself would mix up the labels; here they are numbered over all."
      : "";
    findings.push({
      kind: training ? "untrained-class" : "missing-from-split",
      severity: training && task === "single-label" ? "error" : "warning",
      message: `${count(missing.length, "class").replace("classs", "classes")} without ${split} images: ${named(missing)}.`,
      advice: training
        ? `They cannot be learned${task === "multi-label" ? ", and are predicted to be absent" : ""}: add training images, or remove them from the other splits.${order}`
        : `A score on ${split} says nothing about them.${order}`,
      files: [],
    });
  }
  return findings;
}

/** Class names that a person probably means to be one. */
function nameFindings(counts: readonly ClassCount[]): readonly Finding[] {
  const findings: Finding[] = [];
  const known = new Map(counts.map((entry) => [entry.name, entry]));
  const byFolded = new Map<string, ClassCount>();
  for (const entry of counts) {
    const folded = entry.name
      .normalize("NFKC")
      .toLowerCase()
      .replace(/[\s_-]+/g, " ")
      .trim();
    const other = byFolded.get(folded) ?? known.get(withoutCopySuffix(entry.name));
    if (other !== undefined && other !== entry) findings.push(alike(other, entry));
    else byFolded.set(folded, entry);
  }
  return findings;
}

function withoutCopySuffix(name: string): string {
  return name.replace(/(?: ?\(\d+\)| - copy| copy(?: \d+)?|_copy|\.bak|~)$/i, "");
}

function alike(a: ClassCount, b: ClassCount): Finding {
  const apart = SPLITS.every((split) => a[split] === 0 || b[split] === 0);
  const names = `${quoted(a.name)} and ${quoted(b.name)}`;
  return {
    kind: apart ? "class-names-differ" : "class-names-alike",
    severity: apart ? "error" : "warning",
    message: apart
      ? `The classes ${names} are in different splits: one name, spelled in two ways.`
      : `The classes ${names} look like one class.`,
    advice: "Rename one of the folders, or merge them, if they are the same class.",
    files: [],
  };
}

function sizeFindings({ task }: Dataset, counts: readonly ClassCount[]): readonly Finding[] {
  const trained = counts.filter(({ train }) => train > 0);
  const findings: Finding[] = [];
  const single = trained.filter(({ train }) => train === 1).map(({ name }) => name);
  const few = trained.filter(({ train }) => train > 1 && train < FEW);
  if (single.length > 0)
    findings.push({
      kind: "one-image-class",
      severity: "warning",
      message: `${count(single.length, "class").replace("classs", "classes")} with one training image: ${named(single)}.`,
      advice: "One image cannot be held out, and a class is more than one picture. Add some, or merge classes.",
      files: [],
    });
  if (few.length > 0)
    findings.push({
      kind: "few-images",
      severity: "info",
      message: `${count(few.length, "class").replace("classs", "classes")} with fewer than ${FEW} training images: ${named(few.map(({ name, train }) => `${name} (${train})`))}.`,
      advice: "Expect wide intervals around their scores.",
      files: [],
    });
  const [largest, smallest] = [most(trained, (a, b) => a > b), most(trained, (a, b) => a < b)];
  const ratio = largest && smallest ? largest.train / smallest.train : 1;
  if (task === "single-label" && largest && smallest && ratio > IMBALANCE.notable) {
    const severe = ratio > IMBALANCE.severe;
    findings.push({
      kind: "imbalance",
      severity: severe ? "warning" : "info",
      message: `${quoted(largest.name)} has ${ratio.toFixed(1)} times the training images of ${quoted(smallest.name)} (${largest.train} and ${smallest.train}).`,
      advice: severe
        ? "Weights alone hardly help at this ratio: collect more of the rare class, or leave some of the common one out. Judge by balanced accuracy and by class."
        : "Weigh the classes by the inverse of their frequency, and judge by balanced accuracy, not by accuracy.",
      files: [],
    });
  }
  return findings;
}

function most(counts: readonly ClassCount[], better: (a: number, b: number) => boolean): ClassCount | undefined {
  return counts.reduce<ClassCount | undefined>(
    (best, entry) => (!best || better(entry.train, best.train) ? entry : best),
    undefined,
  );
}

/** Findings about the labels of a multi-label dataset. */
export function labelFindings({ task, samples, classes }: Dataset): readonly Finding[] {
  if (task !== "multi-label" || samples.length === 0) return [];
  const present = new Uint32Array(classes.length);
  for (const { target } of samples) for (const label of target) present[label]!++;
  const always = classes.filter((_, label) => present[label] === samples.length);
  const unlabelled = samples.filter(({ target }) => target.length === 0);
  const findings: Finding[] = [];
  if (always.length > 0)
    findings.push({
      kind: "always-present",
      severity: "warning",
      message: `Every image has ${named(always)}.`,
      advice: "Such a label cannot be learned: leave it out, or add images without it.",
      files: [],
    });
  if (unlabelled.length > 0)
    findings.push({
      kind: "unlabelled",
      severity: "info",
      message: `${count(unlabelled.length, "image")} without any label.`,
      advice: "They are used as images that show none of the classes. Check that they are not just unlabelled.",
      files: unlabelled.map(({ path, file }) => ({ path, file })),
    });
  return findings;
}

/** Quartile distances beyond the quartiles from which a value is far out (Tukey 1977, "Exploratory Data Analysis"). */
const FAR_OUT = 3;
/** Share of far-out values above which they are the shape of the distribution. */
const OUTLIERS = 0.01;

/** Findings about the values of a regression dataset. */
export function targetFindings({ task, samples, classes }: Dataset): readonly Finding[] {
  if (task !== "regression" || samples.length < 2) return [];
  return classes.flatMap((name, column) => {
    const values = samples.map(({ target }) => target[column]!);
    const sorted = Float64Array.from(values).sort();
    if (sorted[0] === sorted.at(-1)) return [constant(name, values[0]!)];
    const steps = float32Steps(sorted[0]!, sorted.at(-1)!);
    if (steps < FEW_STEPS) return [tooFine(name, sorted, steps)];
    const [low, high] = [quantile(sorted, 0.25), quantile(sorted, 0.75)];
    const reach = FAR_OUT * (high - low);
    const far = samples.filter((_, i) => values[i]! < low - reach || values[i]! > high + reach);
    if (far.length === 0 || far.length > Math.max(1, OUTLIERS * samples.length)) return [];
    return [outlying(name, far, column, [low - reach, high + reach])];
  });
}

function constant(name: string, value: number): Finding {
  return {
    kind: "constant-target",
    severity: "error",
    message: `The target ${quoted(name)} is ${value} for every image.`,
    advice: "There is nothing to learn: leave it out, or check the column of the table.",
    files: [],
  };
}

/** A model computes in single precision: what differs by less than its steps at that size is one number to it. */
function tooFine(name: string, sorted: Float64Array, steps: number): Finding {
  const [low, high] = [sorted[0]!, sorted.at(-1)!];
  return {
    kind: "constant-target",
    severity: Math.fround(low) === Math.fround(high) ? "error" : "warning",
    message: `The values of ${quoted(name)}, ${low} to ${high}, are ${steps < 1 ? "less than one step" : `only ${count(Math.round(steps), "step")}`} of single precision (float32) apart.`,
    advice: `A model gives single precision: subtract a number near ${low} from the column, and add it to predictions.`,
    files: [],
  };
}

function outlying(
  name: string,
  far: readonly Sample[],
  column: number,
  [low, high]: readonly [number, number],
): Finding {
  return {
    kind: "outlying-target",
    severity: "warning",
    message: `${count(far.length, "value")} of ${quoted(name)} far out of the range of the others (${short(low)} to ${short(high)}).`,
    advice: "Check for slips of the decimal point, other units and codes for missing values such as -999.",
    files: far.map(({ path, file, target }) => ({ path, file, detail: short(target[column]!) })),
  };
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))]!;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
