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

/** The measure that says most, by task. */
const MAIN: Readonly<Record<string, string>> = {
  "single-label": "accuracy",
  "multi-label": "meanAveragePrecision",
  regression: "r2",
};

/** Measures of one result; no version records more. */
const MAX_MEASURES = 200;

/** Returns all finite measures of a result.json, the main one first. */
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

function mainOf(measures: readonly Measure[], task: string | undefined): Measure | undefined {
  const wanted = task !== undefined && Object.hasOwn(MAIN, task) ? [MAIN[task]!] : Object.values(MAIN);
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
    if (typeof value !== "number" || !Number.isFinite(value) || measures.length >= MAX_MEASURES) return;
    const beside = fieldOf(metrics, ...path.slice(0, -1), `${path.at(-1)!}Interval`);
    const interval = [...tables.map((table) => fieldOf(table, ...path)), beside].find(isInterval);
    measures.push({ name: cut(path.join(".")), value, ...(interval ? { interval } : {}) });
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

function isInterval(json: Json | undefined): json is Interval {
  if (!Array.isArray(json) || json.length !== 2) return false;
  const [low, high] = json as readonly Json[];
  return Number.isFinite(low) && Number.isFinite(high) && (low as number) <= (high as number); // both are numbers
}
