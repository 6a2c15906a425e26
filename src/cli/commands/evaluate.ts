/** `rootstock evaluate`: measures a model file on labelled images, through the path that prediction takes. */

import { suggestThreads } from "../../data/loader.ts";
import { openDataset } from "../../data/open-dataset.ts";
import { compareEvaluations } from "../../metrics/compare.ts";
import { PROVIDERS } from "../../runtime/providers.ts";
import { evaluateModel, samplesToEvaluate } from "../../train/evaluate.ts";
import { UsageError } from "../arguments.ts";
import { command } from "../command.ts";
import { dataOptions, datasetOptions } from "../data-options.ts";
import { modelOptions, openModel } from "../open-model.ts";
import { readLabels } from "../read-labels.ts";
import { reportDataset, reportFailed } from "../report-dataset.ts";
import { choice, sessionOptions } from "../session-options.ts";
import { summarizeAugmentation, summarizeEvaluation } from "../summarize-evaluation.ts";
import { testTimeAugmentation, ttaOption } from "../tta-option.ts";

const SPLITS = { test: true, validation: true, train: true, all: true };

export const evaluate = command({
  summary:
    "Measure a trained model on labelled images: a folder with one subfolder per class, with or without train/ val/ test/ above them, or a table (.csv, .tsv, .jsonl).",
  usage: "evaluate <model> <data> [options]",
  options: {
    split: {
      kind: "text",
      value: "<name>",
      choices: Object.keys(SPLITS),
      help: "which images: those of test, validation or train, or all (default: test, else validation, else all)",
    },
    labels: {
      kind: "text",
      value: "<file>",
      help: "class names, a JSON list or one per line, where the model carries none",
    },
    ...ttaOption,
    ...modelOptions,
    ...dataOptions,
    ...sessionOptions,
  },
  examples: [
    ["rootstock evaluate runs/flowers/model.onnx more-flowers/", "every image of a folder per class"],
    ["rootstock evaluate model.onnx flowers --split validation --json", "one split, for another program"],
    ["rootstock evaluate model.onnx flowers --tta flip", "also with mirror images, and what they change"],
  ],
  async run({ positionals, options, output, signal }) {
    const [path, root, ...more] = positionals;
    if (path === undefined || root === undefined || more.length > 0)
      throw new UsageError("evaluate requires a model file and one folder or table of images.");
    await using model = await openModel(path, {
      options,
      labels: options.labels === undefined ? undefined : await readLabels(options.labels),
      output,
      signal,
    });
    const data = await openDataset(root, { ...datasetOptions(options), purpose: "evaluate", signal });
    reportDataset(data, output);
    const { samples, split } = samplesToEvaluate(data, choice(options.split, SPLITS));
    if (split === "all") output.note("every image is measured, also any the model was trained on");
    const progress = output.progress("evaluate", "img");
    const result = await evaluateModel(model, data, samples, {
      decodeThreads: suggestThreads(samples.length),
      threads: options.threads,
      provider: choice(options.provider, PROVIDERS),
      testTimeAugmentation: testTimeAugmentation(options.tta, model, output),
      signal,
      onProgress: (done, total) => progress.update(done, total),
    });
    progress.end();
    const { evaluation, results, plain, failed } = result;
    reportFailed(failed, output);
    summarizeEvaluation(evaluation, split === "all" ? "labelled" : split, output);
    const comparison = plain && compareEvaluations(plain.evaluation, evaluation, { a: plain.results, b: results });
    if (comparison) summarizeAugmentation(comparison, output);
    const augmented = plain && { testTimeAugmentation: options.tta, plain: plain.evaluation, comparison };
    return { json: { ...evaluation, ...augmented, split, failed, skipped: data.skipped, notes: data.notes } };
  },
});
