/** Whether two runs differ by more than chance explains: measure by measure, on the same images where that is known. */
import { bootstrap, everyOnce, type Measure, middle95, replicatesFor } from "./bootstrap.ts";
import { preparedClassification } from "./classification.ts";
import { measureClassified } from "./classified-samples.ts";
import type { Evaluation, EvaluationResults } from "./evaluation.ts";
import type { Interval } from "./interval.ts";
import { measureLabelled } from "./labelled-samples.ts";
import { mcnemar } from "./mcnemar.ts";
import { isMeasure, MEASURES, type MeasureName } from "./measures.ts";
import { preparedMultiLabel } from "./multi-label.ts";
import { meanValues, preparedRegression } from "./regression.ts";

/** What of an evaluation is compared; a record read from a file will do. */
export interface Comparable {
  readonly task: Evaluation["task"];
  readonly metrics: object;
  readonly intervals?: object | undefined;
}

/** Outputs of both models on the same images, in the same order. */
export interface SameImages {
  readonly a: EvaluationResults;
  readonly b: EvaluationResults;
}

/** How one measure of two runs differs. */
export interface MeasureDifference {
  readonly measure: MeasureName;
  readonly a: number;
  readonly b: number;
  /** b - a. */
  readonly difference: number;
  /** 95 % interval of the difference. */
  readonly interval: Interval;
  /** Whether the difference is more than chance explains, at the 5 % level. */
  readonly differs: boolean;
  /** The better run, where they differ. */
  readonly better?: "a" | "b";
  /** p-value of McNemar's exact test, of the accuracy on the same images. */
  readonly pValue?: number;
}

/** What a comparison found. */
export interface EvaluationComparison {
  /** Whether both were measured on the same images, image by image. */
  readonly paired: boolean;
  /** One for each measure that both have; in the order of the records. */
  readonly differences: readonly MeasureDifference[];
  /** In plain words, where the measure that says most does not tell the runs apart. */
  readonly warning?: string;
}

/** The measure of each task that a warning is about. */
const PRIMARY = {
  "single-label": "accuracy",
  "multi-label": "meanAveragePrecision",
  regression: "r2",
} as const satisfies Record<Evaluation["task"], MeasureName>;

const LEVEL = 0.05;

/**
 * Says which measures of two runs differ by more than chance explains.
 *
 * With the outputs of both on the same images (`same`), the difference is measured on random draws of them, both runs
 * seeing the same draws (paired bootstrap), and accuracy is decided by McNemar's exact test. Without, the interval of the
 * difference comes from the two intervals, as if the images were different ones (MOVER: Zou and Donner 2008; of accuracies
 * it is Newcombe's 1998): from d - sqrt((b - lowB)² + (highA - a)²) to d + sqrt((highB - b)² + (a - lowA)²). For runs measured on the same images that finds
 * fewer differences than there are. Each measure is tested by itself: of twenty, one differs by chance.
 * @throws RangeError if the tasks differ, or `same` holds other images.
 */
export function compareEvaluations(a: Comparable, b: Comparable, same?: SameImages): EvaluationComparison {
  if (a.task !== b.task) throw new RangeError(`two runs of one task can be compared, got ${a.task} and ${b.task}.`);
  const paired = same && pairedIntervals(same);
  const differences = Object.entries(a.metrics).flatMap(([measure, valueA]): MeasureDifference[] => {
    const valueB = field(b.metrics, measure);
    if (!isMeasure(measure) || typeof valueA !== "number" || typeof valueB !== "number") return [];
    const interval = paired ? paired.get(measure) : separate([valueA, valueB], [a, b], measure);
    if (interval === undefined) return [];
    const pValue = same?.a.task === "single-label" && measure === "accuracy" ? accuracyTest(same) : undefined;
    const difference = valueB - valueA;
    const differs = pValue === undefined ? interval[0] > 0 || interval[1] < 0 : pValue < LEVEL;
    const better = difference > 0 === (MEASURES[measure].better === "higher") ? "b" : "a";
    return [
      {
        ...{ measure, a: valueA, b: valueB, difference, interval, differs },
        ...(differs ? { better } : {}),
        ...(pValue === undefined ? {} : { pValue }),
      },
    ];
  });
  const primary = differences.find(({ measure }) => measure === PRIMARY[a.task]);
  const warning = primary && !primary.differs ? { warning: sayNoDifference(primary) } : {};
  return { paired: same !== undefined, differences, ...warning };
}

/** The difference from two intervals; nothing where one is not known. */
function separate(
  [a, b]: readonly [number, number],
  runs: readonly [Comparable, Comparable],
  measure: MeasureName,
): Interval | undefined {
  const [ofA, ofB] = runs.map(({ intervals }) => asInterval(intervals && field(intervals, measure)));
  if (!ofA || !ofB) return undefined;
  const difference = b - a;
  return [difference - Math.hypot(ofA[1] - a, b - ofB[0]), difference + Math.hypot(a - ofA[0], ofB[1] - b)];
}

/** The middle 95 % of the difference of each measure over draws of the images. */
function pairedIntervals({ a, b }: SameImages): ReadonlyMap<MeasureName, Interval> {
  const [first, second] = [measureOf(a), measureOf(b)];
  if (first.count !== second.count || !sameTargets(a, b))
    throw new RangeError("a paired comparison requires outputs for the same images in the same order, got other ones.");
  const difference = (counts: Uint16Array): Record<string, number> => {
    const measures = second.measure(counts);
    return Object.fromEntries(Object.entries(first.measure(counts)).map(([name, x]) => [name, measures[name]! - x]));
  };
  const draws = bootstrap(first.count, difference, { replicates: replicatesFor(2 * first.work) });
  const exact = difference(everyOnce(first.count));
  const known = [...draws].filter((entry): entry is [MeasureName, Float64Array] => isMeasure(entry[0]));
  return new Map(known.map(([name, values]) => [name, middle95(values, exact[name]!)]));
}

/** Results as something that can be measured on any draw of their images, and how many numbers that reads. */
function measureOf(results: EvaluationResults): {
  readonly count: number;
  readonly measure: Measure<string>;
  readonly work: number;
} {
  switch (results.task) {
    case "single-label": {
      const samples = preparedClassification(results);
      const count = samples.labels.length;
      return {
        count,
        measure: (counts) => measureClassified(samples, counts),
        work: count * (samples.numClasses + 20),
      };
    }
    case "multi-label": {
      const samples = preparedMultiLabel(results);
      const count = samples.exact.length;
      return { count, measure: (counts) => measureLabelled(samples, counts), work: count * (samples.numClasses + 20) };
    }
    case "regression": {
      const columns = preparedRegression(results);
      const count = results.predictions.length / results.targets.length;
      return { count, measure: (counts) => meanValues(columns, counts), work: 8 * count * columns.length };
    }
  }
}

function sameTargets(a: EvaluationResults, b: EvaluationResults): boolean {
  const [first, second] = [targetsOf(a), targetsOf(b)];
  return first.length === second.length && Array.prototype.every.call(first, (value, i) => value === second[i]);
}

function targetsOf(results: EvaluationResults): ArrayLike<number> {
  if (results.task === "single-label") return results.labels;
  return results.task === "multi-label" ? results.targets : results.values;
}

/** McNemar's test of which images each run gets right. */
function accuracyTest({ a, b }: SameImages): number | undefined {
  if (a.task !== "single-label" || b.task !== "single-label") return undefined;
  const [first, second] = [preparedClassification(a), preparedClassification(b)];
  let [onlyA, onlyB] = [0, 0];
  for (const [i, label] of first.labels.entries()) {
    const [rightA, rightB] = [first.predicted[i] === label, second.predicted[i] === label];
    if (rightA && !rightB) onlyA++;
    if (rightB && !rightA) onlyB++;
  }
  return mcnemar(onlyA, onlyB);
}

/** A sentence for people. */
function sayNoDifference({ measure, a, b, difference, interval }: MeasureDifference): string {
  const { title } = MEASURES[measure];
  const percent = "percent" in MEASURES[measure];
  const show = (value: number): string => (percent ? (100 * value).toFixed(1) : String(Number(value.toPrecision(3))));
  const unit = percent ? " points" : "";
  return (
    `The ${title} of the two runs (${show(a)}${percent ? " %" : ""} and ${show(b)}${percent ? " %" : ""}) differs by ${show(Math.abs(difference))}${unit}, ` +
    `less than chance explains (95 % interval of the difference: ${show(interval[0])} to ${show(interval[1])}${unit}). ` +
    "Neither is shown to be better; more test images would tell."
  );
}

function field(record: object, name: string): unknown {
  return Object.hasOwn(record, name) ? (record as Readonly<Record<string, unknown>>)[name] : undefined; // its own
}

function asInterval(value: unknown): Interval | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [low, high]: unknown[] = value;
  return typeof low === "number" && typeof high === "number" && low <= high ? [low, high] : undefined;
}
