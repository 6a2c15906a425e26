/** The measures in a run's result: by name, with their 95 % intervals, whichever version wrote them. */
import type { Json } from "../../json.ts";
import { cut, fieldOf, isFields, textOf } from "./json-fields.ts";

export type Interval = readonly [low: number, high: number];

/** One measured number. */
export interface Measure {
  /** As in the result's `metrics`: accuracy, macroF1, …; "probe.accuracy" is that of the linear probe, the baseline. */
  readonly name: string;
  readonly value: number;
  /** 95 % interval, where it was recorded. */
  readonly interval?: Interval | undefined;
}

/** The measure that says most, by task; the first of several that there is. */
const MAIN: Readonly<Record<string, readonly string[]>> = {
  "single-label": ["accuracy"],
  "multi-label": ["meanAveragePrecision"],
  regression: ["r2"],
  distill: ["probe accuracy", "loss"],
};
/** The first release did not say the task. */
const WITHOUT_TASK = ["accuracy", "meanAveragePrecision", "r2"];

/** Measures of one result; no version records more. */
const MAX_MEASURES = 200;

/** Returns all measures of a result.json that are numbers and can be, the main one first. */
export function measuresOf(result: Json | undefined): readonly Measure[] {
  const baseline = fieldOf(result, "baseline");
  const probe = isFields(fieldOf(baseline, "metrics")) ? baseline : { metrics: baseline };
  const all = [...listMeasures(result), ...listMeasures(probe).map((m) => ({ ...m, name: `probe.${m.name}` }))];
  const main = mainOf(all, textOf(result, "task"));
  return main === undefined ? all : [main, ...all.filter((measure) => measure !== main)];
}

/** Whether a larger value is better: not for losses and errors. */
export function isHigherBetter(name: string): boolean {
  return !/loss|mae|mse|error|brier|ece$/i.test(name);
}

/** Whether a measure is a share of 1, which people read as a percentage. */
export function isShare(name: string): boolean {
  return /accuracy|exactMatch|^(probe[. ])?top\d/i.test(name);
}

/** Measures that are at most 1, by their definition. */
const AT_MOST_1 = /accuracy|exactMatch|^(probe[. ])?top\d|f1$|precision|recall|auc$|kappa|matthews|spearman|r2$/i;
/** What was computed in float32, or from it, is no larger; sums of shares may be a little larger than 1. */
const LARGEST = 3.5e38;
const ROUNDING = 1e-6;

/** Whether a number can be the value of a measure. */
export function isPossible(name: string, value: number): boolean {
  const most = AT_MOST_1.test(name) ? 1 + ROUNDING : LARGEST;
  return value <= most && value >= (isShare(name) ? -ROUNDING : -LARGEST);
}

function mainOf(measures: readonly Measure[], task: string | undefined): Measure | undefined {
  const wanted = task !== undefined && Object.hasOwn(MAIN, task) ? MAIN[task]! : WITHOUT_TASK;
  for (const name of wanted) {
    const found = measures.find((measure) => measure.name === name);
    if (found) return found;
  }
  return undefined;
}

/** Numbers in `metrics`, also one level below; intervals in `intervals` of either, or as `<name>Interval`. */
function listMeasures(result: Json | undefined): Measure[] {
  const metrics = fieldOf(result, "metrics");
  const tables = [fieldOf(result, "intervals"), fieldOf(metrics, "intervals")];
  const measures: Measure[] = [];
  const add = (value: Json | undefined, path: readonly string[]): void => {
    const name = cut(path.join("."));
    if (typeof value !== "number" || !isPossible(name, value) || measures.length >= MAX_MEASURES) return;
    const beside = fieldOf(metrics, ...path.slice(0, -1), `${path.at(-1)!}Interval`);
    const interval = [...tables.map((table) => fieldOf(table, ...path)), beside].find((json) => isInterval(json, name));
    measures.push({ name, value, ...(interval ? { interval } : {}) });
  };
  for (const [name, value] of entriesOf(metrics)) {
    if (name === "intervals") continue;
    if (isFields(value)) for (const [below, number] of entriesOf(value)) add(number, [name, below]);
    else add(value, [name]);
  }
  return measures;
}

/** No more fields of an object are looked at than could be measures and their intervals. */
function entriesOf(json: Json | undefined): [string, Json | undefined][] {
  return isFields(json) ? Object.entries(json).slice(0, 4 * MAX_MEASURES) : [];
}

function isInterval(json: Json | undefined, name: string): json is Interval {
  if (!Array.isArray(json) || json.length !== 2) return false;
  const [low, high] = json as readonly Json[];
  if (typeof low !== "number" || typeof high !== "number") return false;
  return isPossible(name, low) && isPossible(name, high) && low <= high;
}
