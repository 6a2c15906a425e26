/** `rootstock predict`: classes or values of image files, one line each; a bad file never stops the others. */

import { listImages } from "../../data/list-images.ts";
import { suggestThreads } from "../../data/loader.ts";
import { printable } from "../../graph/printable.ts";
import type { Model, Prediction } from "../../models/model.ts";
import { UsageError } from "../arguments.ts";
import { command } from "../command.ts";
import { formatValue } from "../format-value.ts";
import { modelOptions, openModel } from "../open-model.ts";
import { formatPercent } from "../output.ts";
import { readLabels } from "../read-labels.ts";
import { runOptions, sessionOptions } from "../session-options.ts";
import { testTimeAugmentation, ttaOption } from "../tta-option.ts";

/** A prediction of a file that could be read. */
type Found = Exclude<Prediction, { readonly error: string }>;

/** What --json prints of it: the probabilities of a thousand classes are left out. */
type Shown =
  | Pick<Extract<Found, { readonly top: unknown }>, "file" | "top">
  | Pick<Extract<Found, { readonly values: unknown }>, "file" | "values">;

export const predict = command({
  summary: "Classify images with a trained model, or read numbers off them.",
  usage: "predict <model> <files or folders…> [options]",
  options: {
    top: {
      kind: "number",
      value: "<k>",
      min: 1,
      whole: true,
      help: "classes to show for each image (default 3), where they exclude each other",
    },
    labels: {
      kind: "text",
      value: "<file>",
      help: "class names, a JSON list or one per line, where the model carries none",
    },
    ...ttaOption,
    ...modelOptions,
    ...sessionOptions,
  },
  examples: [
    ["rootstock predict runs/flowers/model.onnx garden/", "every image below a folder"],
    ["rootstock predict model.onnx a.jpg b.png --top 1 --json", "for another program"],
  ],
  async run({ positionals, options, output, signal }) {
    const [path, ...inputs] = positionals;
    if (path === undefined || inputs.length === 0)
      throw new UsageError("predict requires a model file, then image files or folders.");
    const run = runOptions(options);
    await using model = await openModel(path, {
      options,
      labels: options.labels === undefined ? undefined : await readLabels(options.labels),
      output,
      signal,
    });
    const listed = await listImages(inputs);
    const failed = listed.failed.map(({ file, reason }) => ({ file, error: reason }));
    if (options.top !== undefined && model.task !== "classification")
      output.warn(`--top is for models of one class per image; ${printable(model.name)} shows all that it finds`);
    const predictions: Shown[] = [];
    const results = model.predictFiles(listed.files, {
      top: options.top ?? 3,
      decodeThreads: suggestThreads(listed.files.length),
      testTimeAugmentation: testTimeAugmentation(options.tta, model, output),
      ...run,
      signal,
    });
    for await (const prediction of results) {
      if ("error" in prediction) failed.push({ file: prediction.file, error: prediction.error });
      else {
        const { file } = prediction;
        predictions.push("values" in prediction ? { file, values: prediction.values } : { file, top: prediction.top });
        output.result(`${printable(file)}  ${describe(prediction, model)}`);
      }
    }
    for (const { file, error } of failed) output.warn(`${printable(file)}: ${error}`);
    if (listed.files.length === 0 && failed.length === 0) output.warn(`no image was found in ${inputs.join(", ")}`);
    return { json: { predictions, failed }, failed: predictions.length === 0 };
  },
});

/** Classes with their probabilities, or targets with their values. */
function describe(prediction: Found, { thresholds }: Model): string {
  if ("values" in prediction) {
    const values = Object.entries(prediction.values);
    return values.map(([target, value]) => `${printable(target)} ${formatValue(value)}`).join("  ");
  }
  if (prediction.top.length === 0) return thresholds ? "no class above its threshold" : "no class above 50 %";
  return prediction.top.map(({ label, probability }) => `${printable(label)} ${formatPercent(probability)}`).join("  ");
}
