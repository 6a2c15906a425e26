/** The numbers of an evaluation for people: the one that says most first, then what it is made of. */
import { printable } from "../graph/printable.ts";
import type { ClassificationEvaluation } from "../metrics/classification.ts";
import type { Evaluation } from "../metrics/evaluation.ts";
import type { MultiLabelEvaluation } from "../metrics/multi-label.ts";
import type { RegressionEvaluation } from "../metrics/regression.ts";
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

/** Accuracy with its interval, and which classes are taken for which. */
function summarizeClassification(
  { metrics, perClass, confusion }: ClassificationEvaluation,
  what: string,
  output: Output,
): void {
  const count = perClass.reduce((sum, { support }) => sum + support, 0);
  const [low, high] = metrics.accuracyInterval;
  const correct = Math.round(metrics.accuracy * count);
  output.result(
    `${output.color.bold(`accuracy  ${formatPercent(metrics.accuracy)}`)}  (95 % interval ${formatPercent(low)} to ${formatPercent(high)}; ${correct} of ${count} ${what} images)`,
  );
  output.result(
    `          balanced accuracy ${formatPercent(metrics.balancedAccuracy)}, macro-F1 ${metrics.macroF1.toFixed(3)}, loss ${metrics.loss.toFixed(3)}`,
  );
  output.result();
  if (perClass.length <= WHOLE_MATRIX) {
    const header = ["true \\ predicted", ...perClass.map(({ label }) => shorten(label)), "recall"];
    const rows = perClass.map(({ label, recall, support }, i) => [
      shorten(label),
      ...confusion[i]!.map((n) => (n === 0 ? "·" : String(n))),
      support === 0 ? "–" : formatPercent(recall),
    ]);
    show([header, ...rows], output);
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
function summarizeMultiLabel({ count, metrics, perClass }: MultiLabelEvaluation, what: string, output: Output): void {
  output.result(
    `${output.color.bold(`mean average precision  ${metrics.meanAveragePrecision.toFixed(3)}`)}  (${count} ${what} images)`,
  );
  output.result(
    `          macro-F1 ${metrics.macroF1.toFixed(3)}, micro-F1 ${metrics.microF1.toFixed(3)}, every class right in ${formatPercent(metrics.exactMatch)} of images, loss ${metrics.loss.toFixed(3)}`,
  );
  output.result();
  const many = perClass.length > LISTED;
  const shown = many ? perClass.toSorted((a, b) => a.averagePrecision - b.averagePrecision).slice(0, LISTED) : perClass;
  const header = [many ? "weakest classes" : "class", "images", "precision", "recall", "F1", "average precision"];
  const rows = shown.map(({ label, support, precision, recall, f1, averagePrecision }) => [
    shorten(label),
    String(support),
    formatPercent(precision),
    support === 0 ? "–" : formatPercent(recall),
    f1.toFixed(3),
    support === 0 ? "–" : averagePrecision.toFixed(3),
  ]);
  show([header, ...rows], output);
}

/** R² and the error of each target beside that of always answering with the training mean. */
function summarizeRegression({ count, metrics, perTarget }: RegressionEvaluation, what: string, output: Output): void {
  const [first] = perTarget;
  const alone = first && perTarget.length === 1 ? `, mean absolute error ${formatValue(first.mae)}` : "";
  const beside = alone && first?.baseline ? ` (the training mean gets ${formatValue(first.baseline.mae)})` : "";
  output.result(
    `${output.color.bold(`R²        ${metrics.r2.toFixed(3)}`)}${alone}${beside} on ${count} ${what} images`,
  );
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
  show([header, ...rows], output);
  if (perTarget.length > LISTED) output.result(`  and ${perTarget.length - LISTED} more (all are in --json)`);
  if (known) output.result("  in brackets: what always answering with the training mean gets");
}

function show(rows: readonly (readonly string[])[], output: Output): void {
  for (const line of table(rows)) output.result(`  ${line}`);
}

function shorten(label: string): string {
  const characters = [...printable(label)];
  return characters.length > 16 ? `${characters.slice(0, 15).join("")}…` : characters.join("");
}
