/** The numbers of an evaluation for people: the one that says most first, then what it is made of. */
import { printable } from "../graph/printable.ts";
import type { ClassificationEvaluation } from "../metrics/classification.ts";
import type { EvaluationComparison } from "../metrics/compare.ts";
import type { Evaluation } from "../metrics/evaluation.ts";
import { MEASURES, type MeasureName } from "../metrics/measures.ts";
import type { MultiLabelEvaluation } from "../metrics/multi-label.ts";
import type { RegressionEvaluation } from "../metrics/regression.ts";
import type { Run } from "../train/run.ts";
import { formatValue } from "./format-value.ts";
import { formatPercent, type Output, table } from "./output.ts";

/** Classes up to which the whole confusion matrix is shown; above, the most frequent confusions. */
const WHOLE_MATRIX = 10;
const CONFUSIONS = 5;
/** Independent classes or targets that are listed one by one. */
const LISTED = 30;

/** Prints an evaluation of any task. @param what the images are: "test", "validation", "labelled". */
export function summarizeEvaluation(evaluation: Evaluation, what: string, output: Output): void {
  output.result();
  if (evaluation.task === "single-label") summarizeClassification(evaluation, what, output);
  else if (evaluation.task === "multi-label") summarizeMultiLabel(evaluation, what, output);
  else summarizeRegression(evaluation, what, output);
}

/** What test-time augmentation changes, in one line. @param comparison of the images alone (a) with it (b). */
export function summarizeAugmentation({ differences }: EvaluationComparison, output: Output): void {
  const [first] = HEADLINES.flatMap((name) => differences.filter(({ measure }) => measure === name));
  if (!first) return;
  const { measure, a, b, interval, differs, better } = first;
  const { title } = MEASURES[measure];
  const [low, high] = interval.map((value) => signed(measure, value));
  const verdict = differs ? `${better === "b" ? "better" : "worse"} by more` : "no more";
  output.result();
  output.result(
    `flip      ${title} ${show(measure, b)} with mirror images, ${show(measure, a)} without: ` +
      `${signed(measure, b - a)} (95 % interval ${low} to ${high}), ${verdict} than chance explains`,
  );
}

/** What the linear probe on frozen features reaches, and whether the run is better, in one line. */
export function summarizeBaseline(
  { comparison, evaluation }: Pick<Run, "comparison" | "evaluation">,
  output: Output,
): void {
  if (!comparison) return;
  const [first] = HEADLINES.flatMap((name) => comparison.differences.filter(({ measure }) => measure === name));
  if (!first) return;
  const { measure, a, b, interval, differs, better } = first;
  const [low, high] = interval.map((value) => signed(measure, value));
  const verdict = differs
    ? `${better === "b" ? "better" : "worse"} by more than chance explains`
    : "chance alone could explain the difference";
  const gain = b === a ? "the same here" : `${signed(measure, b - a)} (95 % interval ${low} to ${high}): ${verdict}`;
  if (evaluation.task === "single-label") output.result();
  output.result(
    `baseline  ${MEASURES[measure].title} ${show(measure, a)} by a linear probe of the frozen network; ${gain}`,
  );
}

/** The measure of each task that says most. */
const HEADLINES: readonly MeasureName[] = ["accuracy", "meanAveragePrecision", "r2"];

/** Numbers of an evaluation that a line names. */
interface Measured {
  readonly metrics: object;
  readonly intervals: object;
}

/** "macro-F1 0.932 (0.886 to 0.967), …" of the measures that are there; what does not fit is in --json. */
function line(measured: Measured, names: readonly MeasureName[]): string {
  const shown = names.filter((name) => numberOf(measured, name) !== undefined);
  return `          ${shown.map((name) => `${MEASURES[name].title} ${withInterval(measured, name)}`).join(", ")}`;
}

/** A measure, and in brackets its interval. */
function withInterval(measured: Measured, name: MeasureName): string {
  return `${show(name, numberOf(measured, name)!)} (${rangeOf(measured, name)})`;
}

function rangeOf({ intervals }: Measured, name: MeasureName): string {
  const [low, high] = (intervals as Readonly<Record<string, readonly [number, number]>>)[name]!; // one for each measure
  return `${show(name, low)} to ${show(name, high)}`;
}

function numberOf({ metrics }: Measured, name: MeasureName): number | undefined {
  return (metrics as Readonly<Record<string, number | undefined>>)[name];
}

/** A measure for people: a percentage, three decimals of a score, four digits of an amount. */
function show(name: MeasureName, value: number): string {
  if ("percent" in MEASURES[name]) return formatPercent(value);
  return AMOUNTS.has(name) ? formatValue(value) : (value + 0).toFixed(3);
}

/** A difference with its sign; of percentages in points. */
function signed(name: MeasureName, value: number): string {
  const amount = Math.abs(value);
  const shown = "percent" in MEASURES[name] ? `${(100 * amount).toFixed(1)} points` : show(name, amount);
  return `${value < 0 ? "-" : "+"}${shown}`;
}

/** Measures in the unit of a target. */
const AMOUNTS: ReadonlySet<MeasureName> = new Set(["mae", "rmse", "medianError"]);

/** Accuracy with its interval, and which classes are taken for which. */
function summarizeClassification(evaluation: ClassificationEvaluation, what: string, output: Output): void {
  const { metrics, topK, perClass, confusion } = evaluation;
  const count = perClass.reduce((sum, { support }) => sum + support, 0);
  const correct = Math.round(metrics.accuracy * count);
  output.result(
    `${output.color.bold(`accuracy  ${formatPercent(metrics.accuracy)}`)}  (95 % interval ${rangeOf(evaluation, "accuracy")}; ${correct} of ${count} ${what} images)`,
  );
  output.result(line(evaluation, ["balancedAccuracy", "macroF1"]));
  output.result(line(evaluation, ["rocAuc", "loss", "calibrationError"]));
  if (topK === 5) output.result(`          among the 5 most probable ${withInterval(evaluation, "topKAccuracy")}`);
  output.result();
  if (perClass.length <= WHOLE_MATRIX) {
    const header = ["true \\ predicted", ...perClass.map(({ label }) => shorten(label)), "recall"];
    const rows = perClass.map(({ label, recall, support }, i) => [
      shorten(label),
      ...confusion[i]!.map((n) => (n === 0 ? "·" : String(n))),
      support === 0 ? "–" : formatPercent(recall),
    ]);
    showTable([header, ...rows], output);
    return;
  }
  const pairs = confusion.flatMap((row, i) => row.flatMap((n, j) => (i !== j && n > 0 ? [{ n, i, j }] : [])));
  const worst = pairs.sort((a, b) => b.n - a.n).slice(0, CONFUSIONS);
  output.result(worst.length > 0 ? "  most frequent confusions" : "  no confusions");
  for (const { n, i, j } of worst)
    output.result(
      `  ${String(n).padStart(4)} × ${shorten(perClass[i]!.label)} taken for ${shorten(perClass[j]!.label)}`,
    );
}

/** Mean average precision and F1, and each class; the weakest classes where there are many. */
function summarizeMultiLabel(evaluation: MultiLabelEvaluation, what: string, output: Output): void {
  const { count, metrics, perClass } = evaluation;
  output.result(
    `${output.color.bold(`mean average precision  ${metrics.meanAveragePrecision.toFixed(3)}`)}  (95 % interval ${rangeOf(evaluation, "meanAveragePrecision")}; ${count} ${what} images)`,
  );
  output.result(line(evaluation, ["macroF1", "microF1"]));
  output.result(`          every class right in ${withInterval(evaluation, "exactMatch")} of images`);
  output.result(line(evaluation, ["rocAuc", "loss", "calibrationError"]));
  output.result();
  const many = perClass.length > LISTED;
  const shown = many ? perClass.toSorted((a, b) => a.averagePrecision - b.averagePrecision).slice(0, LISTED) : perClass;
  const chosen = perClass.some(({ threshold }) => threshold !== 0.5);
  const header = [many ? "weakest classes" : "class", "images", "precision", "recall", "F1", "average precision"];
  const rows = shown.map(({ label, support, precision, recall, f1, averagePrecision, threshold }) => [
    shorten(label),
    String(support),
    formatPercent(precision),
    support === 0 ? "–" : formatPercent(recall),
    f1.toFixed(3),
    support === 0 ? "–" : averagePrecision.toFixed(3),
    ...(chosen ? [formatPercent(threshold)] : []),
  ]);
  showTable([[...header, ...(chosen ? ["said above"] : [])], ...rows], output);
}

/** R² and the error of each target beside that of always answering with the training mean. */
function summarizeRegression(evaluation: RegressionEvaluation, what: string, output: Output): void {
  const { count, metrics, perTarget } = evaluation;
  const [first] = perTarget;
  output.result(
    `${output.color.bold(`R²        ${metrics.r2.toFixed(3)}`)}  (95 % interval ${rangeOf(evaluation, "r2")}; ${count} ${what} images)`,
  );
  if (first && perTarget.length === 1) {
    const beside = first.baseline ? `; the training mean gets ${formatValue(first.baseline.mae)}` : "";
    output.result(
      `          mean absolute error ${show("mae", first.mae)} (${rangeOf(evaluation, "mae")}${beside}), median ${withInterval(evaluation, "medianError")}`,
    );
  }
  output.result(line(evaluation, ["spearman"]));
  if (metrics.r2 <= 0) output.result("          no better than always answering with the mean of these images");
  output.result();
  const known = perTarget.every(({ baseline }) => baseline);
  const header = ["target", "R²", "mean absolute error", "root mean squared error"];
  const rows = perTarget.slice(0, LISTED).map(({ target, mae, rmse, r2, baseline }) => [
    shorten(target),
    r2.toFixed(3),
    ...[
      [mae, baseline?.mae],
      [rmse, baseline?.rmse],
    ].map(([own, mean]) => `${formatValue(own!)}${mean === undefined ? "" : ` (${formatValue(mean)})`}`),
  ]);
  showTable([header, ...rows], output);
  if (perTarget.length > LISTED) output.result(`  and ${perTarget.length - LISTED} more (all are in --json)`);
  if (known) output.result("  in brackets: what always answering with the training mean gets");
}

function showTable(rows: readonly (readonly string[])[], output: Output): void {
  for (const row of table(rows)) output.result(`  ${row}`);
}

function shorten(label: string): string {
  const characters = [...printable(label)];
  return characters.length > 16 ? `${characters.slice(0, 15).join("")}…` : characters.join("");
}
