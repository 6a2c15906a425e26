/** `rootstock train`: labelled images and a pretrained model become a trained, measured, exported model. */
import { join, parse, resolve } from "node:path";
import { openDataset } from "../../data/open-dataset.ts";
import { bySplit, type Dataset } from "../../data/sample.ts";
import { messageOf, RootstockError } from "../../errors.ts";
import { LOSSES } from "../../losses/table.ts";
import { fineTune } from "../../train/fine-tune.ts";
import type { FineTuneOptions } from "../../train/options.ts";
import { recipe } from "../../train/recipe.ts";
import type { Run } from "../../train/run.ts";
import { clock, defaultRunName } from "../../train/run-record.ts";
import { inOptionNames, type Options, type OptionTable, UsageError } from "../arguments.ts";
import { augmentOption, readAugment } from "../augment-option.ts";
import { command } from "../command.ts";
import { dataOptions, datasetOptions, splitOptions } from "../data-options.ts";
import { MODEL_FORMS, modelOptions, openModel } from "../open-model.ts";
import { reportDataset, reportFailed } from "../report-dataset.ts";
import { aboutCommand, commandLine } from "../resume-option.ts";
import { runOptions, sessionOptions } from "../session-options.ts";
import { summarize } from "../summary.ts";
import { checkForData, trainingOptions, trainingSettings } from "../training-options.ts";
import { TrainingProgress } from "../training-progress.ts";

const trainOptions = {
  model: {
    kind: "text",
    value: "<model>",
    help: `pretrained classifier or backbone to start from (required): ${MODEL_FORMS}`,
  },
  ...splitOptions,
  ...trainingOptions,
  cut: {
    kind: "text",
    value: "<value>",
    help: "value of the graph to use as features (default: found; see rootstock inspect)",
  },
  ...modelOptions,
  ...augmentOption,
  views: {
    kind: "number",
    value: "<n>",
    min: 0,
    max: 1000,
    whole: true,
    help: "random views of each training image whose features are kept, where a part is frozen (default 8 for one label per image, fewer for more than 125 images, 0 for more than 1000)",
  },
  out: {
    kind: "text",
    value: "<dir>",
    help: "folder of the run (default runs/<time>-<data>); a folder that is taken stays, and the run goes to <dir>-2",
  },
  resume: {
    kind: "text",
    value: "<run>",
    help: "go on with an interrupted run, exactly: its data and settings are in its folder; name its data too if they have moved",
  },
  tensorboard: { kind: "flag", help: "write event files for TensorBoard into the run's folder" },
  "allow-leaks": { kind: "flag", help: "train although pictures are in two splits (see rootstock check)" },
  "no-check": { kind: "flag", help: "do not look at the images before training" },
  "no-cache": { kind: "flag", help: "compute features anew and keep none" },
  ...dataOptions,
  ...sessionOptions,
} as const satisfies OptionTable;

export const train = command({
  summary:
    "Train a model on labelled images: a folder with one subfolder per class, with or without train/ val/ test/ above them, or a table (.csv, .tsv, .jsonl) with a column image and a class, several classes or numbers for each.",
  usage: "train <data> --model <model> [options] | train --resume <run> [data]",
  options: trainOptions,
  examples: [
    [
      "rootstock train photos --model mobilenetv2.onnx",
      "a folder per class; a fifth of the images is held out for validation",
    ],
    ["rootstock train cells.csv --model resnet50 --targets red,white", "a table with numbers to predict"],
    ["rootstock train flowers --model resnet50.onnx --val 0.3 --seed 7 --out runs/flowers", "other choices"],
    ["rootstock train photos --model vgg16.onnx --preprocessing caffe --json > result.json", "for another program"],
  ],
  async run({ positionals, options: given, output, signal }) {
    const started = clock();
    const { inputs, options } = await commandLine("train", { positionals, options: given }, trainOptions);
    const { resume } = given;
    const [root, ...more] = inputs;
    if (root === undefined || more.length > 0)
      throw new UsageError(
        `train requires one folder or table of images, got ${inputs.length === 0 ? "none" : inputs.join(" ")}.`,
      );
    if (options.model === undefined) throw new UsageError(`train requires --model <model>: ${MODEL_FORMS}.`);
    const settings = { ...settingsOf(options), augmentation: await readAugment(options.augment) };
    checkSettings(settings);
    // The run has kept the split that it took from another one, which may be gone.
    const splits = resume !== undefined && options.splits !== undefined ? { splits: resume } : {};
    const data = await openDataset(root, { ...datasetOptions(options), ...splits, seed: settings.seed, signal });
    reportDataset(data, output);
    checkForData(settings, data);
    await using model = await openModel(options.model, { options, output, signal });
    const progress = new TrainingProgress(output, describe(data));
    const out = resume ?? options.out ?? join("runs", defaultRunName(parse(resolve(root)).name));
    const run = await fineTune(model, data, {
      ...settings,
      cut: options.cut,
      out,
      resume: resume !== undefined,
      about: aboutCommand("train", [root], options),
      tensorBoard: options.tensorboard,
      signal,
      onProgress: (event) => progress.show(event),
    }).catch((error: unknown) => {
      throw namedAsAsked(error, options);
    });
    progress.end();
    reportFailed(run.failed, output);
    const total = clock() - started;
    await summarize(run, total, output);
    return { json: resultOf(run, data, total) };
  },
});

type TrainOptions = Options<typeof trainOptions>;

/** What decides the result, as `fineTune` takes it. */
function settingsOf(options: TrainOptions): FineTuneOptions & { readonly seed: number } {
  return {
    ...trainingSettings(options),
    views: options.views,
    check: !options["no-check"],
    allowLeaks: options["allow-leaks"],
    cache: !options["no-cache"],
    ...runOptions(options),
    seed: options.seed ?? 0,
  };
}

/** @throws UsageError for settings that cannot be, whatever the model and the images are. */
function checkSettings(settings: FineTuneOptions): void {
  try {
    const loss = typeof settings.loss === "object" ? settings.loss.name : settings.loss;
    const [task] = loss === undefined ? [] : LOSSES[loss]().tasks;
    recipe(settings, 1, { task }); // whether the loss fits the data is told when they are read
  } catch (error) {
    const named = messageOf(namedAsAsked(error, settings));
    throw new UsageError(inOptionNames(named, trainOptions), { cause: error });
  }
}

/** What cannot be unfrozen was asked for by --unfreeze or by --strategy: the message names that which was typed. */
function namedAsAsked(error: unknown, { strategy }: { readonly strategy?: string | undefined }): unknown {
  if (!(error instanceof RootstockError) || error.code !== "BAD_CONFIG" || strategy === undefined) return error;
  const message = error.message.replace(
    /(?:--)?unfreeze "?(head|all|last(?::\d+)?)\b"?/g,
    (_, what: string) => `--strategy ${what === "all" ? "full" : what}`,
  );
  return new RootstockError(error.code, message, { cause: error });
}

/** The object that --json prints. */
function resultOf(run: Run, data: Dataset, total: number): unknown {
  const { id, folder, classes, evaluation, baseline, evaluatedOn, history, phases, bestEpoch, temperature } = run;
  const { seconds, featuresFromCache, failed } = run;
  return {
    run: folder,
    model: folder === undefined ? undefined : join(folder, "model.onnx"),
    id,
    classes,
    ...evaluation,
    baseline: baseline.metrics,
    evaluatedOn,
    epochs: history.length,
    phases,
    bestEpoch,
    temperature,
    seconds: { ...seconds, total },
    featuresFromCache,
    failed,
    skipped: data.skipped,
    notes: data.notes,
  };
}

function describe(data: Dataset): string {
  const count = (split: "train" | "validation" | "test"): number => bySplit(data, split).length;
  const test = count("test") > 0 ? `, ${count("test")} test` : "";
  const what = data.task === "regression" ? "target" : "class";
  const kinds = `${data.classes.length} ${data.classes.length === 1 ? what : { class: "classes", target: "targets" }[what]}`;
  const several = data.task === "multi-label" ? ", any number per image" : "";
  return `data      ${kinds}${several}, ${count("train")} training and ${count("validation")} validation images${test}`;
}
