/** Lays runs side by side: the settings that differ, the measures, and which differences chance alone explains. */
import { RootstockError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import { type Difference, differenceOf } from "./difference.ts";
import { flatten, type Setting } from "./flatten.ts";
import { fieldOf, isFields } from "./json-fields.ts";
import { measureOf, sortRuns } from "./list-runs.ts";
import { loadRun, type RunRecord, type RunSummary } from "./load-run.ts";
import { type RunImages, readImages } from "./measured-images.ts";
import type { Measure } from "./measures.ts";

/** A value of each run, in the order of the runs; undefined where a run has none. */
export interface Row<T> {
  readonly name: string;
  readonly values: readonly (T | undefined)[];
}

/** A difference from the run that is best by the main measure. */
export interface DifferenceFromBest extends Difference {
  readonly best: string;
  /** Path of the other run. */
  readonly other: string;
}

export interface Comparison {
  readonly runs: readonly RunSummary[];
  /** What the runs are called: their ids, or their paths where two have the same id. */
  readonly labels: readonly string[];
  /** Settings that are not the same in all runs, by dotted path; "environment." and "images." come from the other records. */
  readonly settings: readonly Row<Setting>[];
  /** All measures, the main one first. */
  readonly measures: readonly Row<Measure>[];
  /** The best run's measures minus those of each other run, where both have an interval. */
  readonly differences: readonly DifferenceFromBest[];
  /** What a careful reader of the numbers must know, one sentence or two each. */
  readonly warnings: readonly string[];
}

/** Runs that are compared at once. */
const MAX_RUNS = 100;

/**
 * Compares the runs in two or more folders.
 * @throws RootstockError BAD_CONFIG if a folder holds no run, or there are less than two or more than 100.
 */
export async function compareRuns(paths: readonly string[]): Promise<Comparison> {
  if (paths.length < 2 || paths.length > MAX_RUNS)
    throw new RootstockError("BAD_CONFIG", `a comparison requires from 2 to ${MAX_RUNS} runs, got ${paths.length}.`);
  const records: RunRecord[] = [];
  const images: (RunImages | undefined)[] = [];
  for (const path of paths) {
    records.push(await loadRun(path));
    images.push(await readImages(path));
  }
  const runs = records.map(({ summary }) => summary);
  const labels = runs.map(({ id, path }) => (runs.filter((run) => run.id === id).length > 1 ? path : id));
  const finished = runs.filter(({ state, measures }) => state === "complete" && measures.length > 0);
  const main = finished[0]?.measures[0]?.name;
  const differences = differencesOf(finished, main);
  const measured = runs.map((run, i) => ({ ...run, label: labels[i]!, images: images[i], config: records[i]!.config }));
  const reason = incomparable(measured.filter((_, i) => finished.includes(runs[i]!)));
  const label = (path: string): string => measured.find((run) => run.path === path)?.label ?? path;
  return {
    runs,
    labels,
    settings: differing(records.map((record, i) => settingsOf(record, images[i]))),
    measures: measureRows(runs),
    differences,
    warnings: [
      ...measured.flatMap(problemsOf),
      ...(reason === undefined
        ? differences.filter(({ measure, clear }) => measure === main && !clear).map((d) => unclear(d, label))
        : [reason]),
    ],
  };
}

type MeasuredRun = RunSummary & {
  readonly label: string;
  readonly images: RunImages | undefined;
  readonly config: Json | undefined;
};

/** Everything that was decided before the run, on one level. */
function settingsOf({ config, environment }: RunRecord, images: RunImages | undefined): ReadonlyMap<string, Setting> {
  const { startedAt: _, ...machine } = isFields(environment) ? environment : {};
  const { about: __, ...decided } = isFields(config) ? config : {}; // the command line, which says the same again
  const { counts, splitSource } = images ?? {};
  return new Map([
    ...flatten(decided as Json), // as that of `machine`
    ...flatten(counts, "images"),
    ...flatten(splitSource, "images.split"),
    ...flatten(machine as Json, "environment"), // its values are those of a JSON object
  ]);
}

function differing(settings: readonly ReadonlyMap<string, Setting>[]): Row<Setting>[] {
  const names = new Set(settings.flatMap((values) => [...values.keys()]));
  return [...names]
    .map((name) => ({ name, values: settings.map((values) => values.get(name)) }))
    .filter(({ values }) => values.some((value) => value !== values[0]));
}

function measureRows(runs: readonly RunSummary[]): Row<Measure>[] {
  const names = new Set(runs.flatMap(({ measures }) => measures.map(({ name }) => name)));
  return [...names].map((name) => ({ name, values: runs.map((run) => measureOf(run, name)) }));
}

function differencesOf(runs: readonly RunSummary[], main: string | undefined): DifferenceFromBest[] {
  const [best] = main === undefined ? [] : sortRuns(runs, main);
  if (!best) return [];
  return runs
    .filter((run) => run !== best)
    .flatMap((run) =>
      best.measures.flatMap((measure) => {
        const other = measureOf(run, measure.name);
        const difference = other && differenceOf(measure, other);
        return difference ? [{ best: best.path, other: run.path, ...difference }] : [];
      }),
    );
}

function problemsOf({ label, state, problems }: MeasuredRun): string[] {
  const broken = problems.map((problem) => `${label}: ${problem}`);
  return state === "complete" ? broken : [...broken, `${label} is ${state}: its numbers are not compared.`];
}

/** Why the numbers of runs say nothing about each other, or may not; undefined if they do. */
function incomparable(runs: readonly MeasuredRun[]): string | undefined {
  const [first, ...others] = runs;
  if (!first || others.length === 0) return undefined;
  if (others.some(({ task }) => task !== first.task))
    return `these runs learned different tasks (${runs.map(({ task }) => task ?? "unknown").join(", ")}): their numbers say nothing about each other.`;
  if (first.task === "distill") return differentLessons(first, others);
  const hashes = runs.map(hashOf);
  if (hashes.includes(undefined))
    return "which images were measured is not known of every run: compare the numbers only if they were the same.";
  if (hashes.every((hash) => hash === hashes[0])) return undefined;
  const sets = runs.map((run) => `${run.label} on ${describe(run)}`);
  return `these runs were not measured on the same images, so their numbers cannot be compared: ${sets.join("; ")}. Measure the models on one set: rootstock evaluate <run>/model.onnx <data>.`;
}

/** The same of distillations, whose loss is the distance from what the teacher gives. */
function differentLessons(first: MeasuredRun, others: readonly MeasuredRun[]): string | undefined {
  const differs = (...path: readonly string[]): boolean => {
    const text = ({ config }: MeasuredRun): string => JSON.stringify(fieldOf(config, ...path)) ?? "";
    return others.some((run) => text(run) !== text(first));
  };
  if (differs("teacher") || differs("recipe", "match") || differs("recipe", "temperature"))
    return "these students learned different things, from other teachers or by another match or temperature: their losses say nothing about each other.";
  if (others.some(({ images }) => !images || images.hashes.validation !== first.images?.hashes.validation))
    return "the losses of these students were not measured on the same images, so they cannot be compared.";
  const probed = [first, ...others].some(({ measures }) => measures.some(({ name }) => name.startsWith("probe ")));
  return probed && differs("about", "options", "probe")
    ? "the probes of these students were not measured on the same images, as far as is known: compare their losses alone."
    : undefined;
}

function hashOf({ images, evaluatedOn }: MeasuredRun): string | undefined {
  return evaluatedOn === "test" || evaluatedOn === "validation" ? images?.hashes[evaluatedOn] : undefined;
}

function describe({ images, evaluatedOn }: MeasuredRun): string {
  if (!images || (evaluatedOn !== "test" && evaluatedOn !== "validation")) return "images that are not known";
  return `${images.counts[evaluatedOn]} images of ${evaluatedOn}`;
}

/** Words for a run that the main measure does not tell from the best one. */
function unclear({ best, other, measure, value }: DifferenceFromBest, label: (path: string) => string): string {
  const how =
    value === 0
      ? `have the same ${measure}`
      : `differ in ${measure} by less than the 95 % interval of the difference: chance alone could explain it`;
  return `${label(best)} and ${label(other)} ${how}. Do not choose between them by this number; measure both on more images.`;
}
