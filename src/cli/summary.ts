/** The closing summary of a training run or an evaluation: the numbers first, then where things are and what to do next. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { printable } from "../graph/printable.ts";
import type { Evaluation } from "../metrics/classification.ts";
import type { Run } from "../train/fine-tune.ts";
import { formatBytes, formatPercent, formatSeconds, type Output, table } from "./output.ts";

/** Classes up to which the whole confusion matrix is shown; above, the most frequent confusions. */
const WHOLE_MATRIX = 10;
const CONFUSIONS = 5;

/** Prints accuracy with its interval, and which classes are taken for which. */
export function summarizeEvaluation({ metrics, perClass, confusion }: Evaluation, what: string, output: Output): void {
  const count = perClass.reduce((sum, { support }) => sum + support, 0);
  const [low, high] = metrics.accuracyInterval;
  const correct = Math.round(metrics.accuracy * count);
  output.result();
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
    for (const line of table([header, ...rows])) output.result(`  ${line}`);
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

/** Prints the outcome of a training run. */
export async function summarize(run: Run, totalSeconds: number, output: Output): Promise<void> {
  const { folder, bestEpoch, history, stopped, seconds, featuresFromCache, evaluatedOn } = run;
  summarizeEvaluation(run.evaluation, evaluatedOn, output);
  output.result();
  if (folder !== undefined) {
    const model = join(folder, "model.onnx");
    const { size } = await stat(model);
    output.result(`model     ${model} (${formatBytes(size)}; checked against training on real images)`);
    output.result(`run       ${folder}`);
  }
  const cached = featuresFromCache > 0 ? `, ${featuresFromCache} images from the cache` : "";
  output.result(
    `time      ${formatSeconds(totalSeconds)} (features ${formatSeconds(seconds.features)}${cached}, training ${formatSeconds(seconds.training)})`,
  );
  output.result(
    `epochs    best ${bestEpoch} of ${history.length}${stopped === undefined ? "" : `; stopped because the ${stopped}`}`,
  );
  if (folder !== undefined) {
    output.result();
    output.result(`next      rootstock predict ${quote(join(folder, "model.onnx"))} <files or folders>`);
  }
}

function shorten(label: string): string {
  const characters = [...printable(label)];
  return characters.length > 16 ? `${characters.slice(0, 15).join("")}…` : characters.join("");
}

/** A path as it can be pasted into a shell. */
function quote(path: string): string {
  return /^[\w./:\\-]+$/.test(path) ? path : `"${path}"`;
}
