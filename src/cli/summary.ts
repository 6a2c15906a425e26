/** The closing summary of a training run: the numbers first, then where things are and what to do next. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Run } from "../train/run.ts";
import { formatBytes, formatSeconds, type Output } from "./output.ts";
import { summarizeBaseline, summarizeEvaluation } from "./summarize-evaluation.ts";

/** Prints the outcome of a training run. */
export async function summarize(run: Run, totalSeconds: number, output: Output): Promise<void> {
  const { folder, phases, seconds, featuresFromCache, evaluatedOn } = run;
  summarizeEvaluation(run.evaluation, evaluatedOn, output);
  summarizeBaseline(run, output);
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
  for (const { phase, epochs, bestEpoch, averaged, stopped } of phases) {
    const kept = bestEpoch === 0 ? "none was better than the start, which was kept" : `best ${bestEpoch} of ${epochs}`;
    const soup = averaged > 1 ? `, ${averaged} averaged` : "";
    output.result(
      `epochs    ${phase}: ${kept}${soup}${stopped === undefined ? "" : `; stopped because the ${stopped}`}`,
    );
  }
  if (folder !== undefined) {
    output.result();
    output.result(`next      rootstock predict ${quote(join(folder, "model.onnx"))} <files or folders>`);
  }
}

/** A path as it can be pasted into a shell. */
function quote(path: string): string {
  return /^[\w./:\\-]+$/.test(path) ? path : `"${path}"`;
}
