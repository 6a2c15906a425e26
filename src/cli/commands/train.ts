/** `rootstock train`: a folder of images and a pretrained model become a trained, measured, exported model. */
import { basename, join, resolve } from "node:path";
import { imageFolder } from "../../data/image-folder.ts";
import { bySplit, type Dataset } from "../../data/sample.ts";
import { messageOf } from "../../errors.ts";
import { printable } from "../../graph/printable.ts";
import { LOSSES } from "../../losses/table.ts";
import { OPTIMIZERS } from "../../optim/table.ts";
import { fineTune, type Run } from "../../train/fine-tune.ts";
import { BATCH_NORM_CHOICES, type FineTuneOptions, type Progress, recipe } from "../../train/options.ts";
import { clock, defaultRunName } from "../../train/run-record.ts";
import { inOptionNames, type Options, type OptionTable, UsageError } from "../arguments.ts";
import { command } from "../command.ts";
import { MODEL_FORMS, modelOptions, openModel } from "../open-model.ts";
import { formatPercent, type Output } from "../output.ts";
import { reportDataset, reportFailed } from "../report-dataset.ts";
import { choice, runOptions, sessionOptions } from "../session-options.ts";
import { summarize } from "../summary.ts";

const trainOptions = {
  model: {
    kind: "text",
    value: "<model>",
    help: `pretrained classifier or backbone to start from (required): ${MODEL_FORMS}`,
  },
  val: {
    kind: "text",
    value: "<dir|fraction>",
    help: "validation images: a folder of classes, or a share of the training images (default 0.2 where the data have no val folder)",
  },
  unfreeze: {
    kind: "text",
    value: "<what>",
    help: "what trains with the head: head (nothing else), last, last:N (the last N stages), all, or a pattern such as layer4.* (default head; see rootstock inspect)",
  },
  "batch-norm": {
    kind: "text",
    value: "<policy>",
    choices: BATCH_NORM_CHOICES,
    help: "BatchNormalization in the part that trains: freeze (pretrained statistics), affine (only its scale and shift train), train (statistics of each batch) or adapt (statistics of the new images); default freeze",
  },
  epochs: {
    kind: "number",
    value: "<n>",
    min: 1,
    whole: true,
    help: "most passes over the data (default: enough for 600 updates, 20 to 100; with --unfreeze 300, 5 to 30)",
  },
  "batch-size": {
    kind: "number",
    value: "<n>",
    min: 1,
    whole: true,
    help: "images per update (default 32, with --unfreeze 16)",
  },
  "learning-rate": {
    kind: "number",
    value: "<x>",
    min: 1e-12,
    whole: false,
    help: "peak learning rate (default: the optimizer's)",
  },
  "weight-decay": { kind: "number", value: "<x>", min: 0, whole: false, help: "weight decay of the head" },
  optimizer: { kind: "text", value: "<name>", choices: Object.keys(OPTIMIZERS), help: "optimizer, default adamw" },
  loss: { kind: "text", value: "<name>", choices: Object.keys(LOSSES), help: "objective, default cross-entropy" },
  "label-smoothing": {
    kind: "number",
    value: "<x>",
    min: 0,
    whole: false,
    help: "share of each target spread over all classes (default 0)",
  },
  patience: {
    kind: "number",
    value: "<n>",
    min: 1,
    whole: true,
    help: "stop after so many epochs without a smaller validation loss",
  },
  cut: {
    kind: "text",
    value: "<value>",
    help: "value of the graph to use as features (default: found; see rootstock inspect)",
  },
  ...modelOptions,
  seed: { kind: "number", value: "<n>", min: 0, whole: true, help: "decides every random choice (default 0)" },
  out: { kind: "text", value: "<dir>", help: "folder of the run (default runs/<time>-<data>)" },
  autotune: {
    kind: "flag",
    help: "with --unfreeze: measure how this machine computes each gradient fastest, once, and keep the result",
  },
  "no-cache": { kind: "flag", help: "compute features anew and keep none" },
  ...sessionOptions,
} as const satisfies OptionTable;

export const train = command({
  summary:
    "Train a model on a folder of images: one subfolder per class, with or without train/ val/ test/ above them.",
  usage: "train <data> --model <model> [options]",
  options: trainOptions,
  examples: [
    [
      "rootstock train photos --model mobilenetv2.onnx",
      "a folder per class; a fifth of the images is held out for validation",
    ],
    ["rootstock train flowers --model resnet50.onnx --val 0.3 --seed 7 --out runs/flowers", "other choices"],
    ["rootstock train photos --model vgg16.onnx --preprocessing caffe --json > result.json", "for another program"],
  ],
  async run({ positionals, options, output, signal }) {
    const started = clock();
    const [root, ...more] = positionals;
    if (root === undefined || more.length > 0)
      throw new UsageError(
        `train requires one folder of images, got ${positionals.length === 0 ? "none" : positionals.join(" ")}.`,
      );
    if (options.model === undefined) throw new UsageError(`train requires --model <model>: ${MODEL_FORMS}.`);
    const settings = settingsOf(options);
    checkSettings(settings);
    const validation = validationOf(options.val);
    const data = await imageFolder(root, { validation, seed: settings.seed, signal });
    reportDataset(data, output);
    await using model = await openModel(options.model, { options, output, signal });
    const progress = new TrainingProgress(output, describe(data));
    const run = await fineTune(model, data, {
      ...settings,
      cut: options.cut,
      out: options.out ?? join("runs", defaultRunName(basename(resolve(root)))),
      signal,
      onProgress: (event) => progress.show(event),
    });
    progress.end();
    reportFailed(run.failed, output);
    const total = clock() - started;
    await summarize(run, total, output);
    return { json: resultOf(run, data, total) };
  },
});

/** What decides the result, as `fineTune` takes it. */
function settingsOf(options: Options<typeof trainOptions>): FineTuneOptions {
  return {
    unfreeze: options.unfreeze,
    batchNorm: BATCH_NORM_CHOICES.find((policy) => policy === options["batch-norm"]),
    epochs: options.epochs,
    batchSize: options["batch-size"],
    learningRate: options["learning-rate"],
    weightDecay: options["weight-decay"],
    optimizer: choice(options.optimizer, OPTIMIZERS),
    loss: choice(options.loss, LOSSES),
    labelSmoothing: options["label-smoothing"],
    patience: options.patience,
    autotune: options.autotune,
    cache: !options["no-cache"],
    ...runOptions(options),
    seed: options.seed ?? 0,
  };
}

/** @throws UsageError for settings that cannot be, whatever the model and the images are. */
function checkSettings(settings: FineTuneOptions): void {
  try {
    recipe(settings, 1);
  } catch (error) {
    throw new UsageError(inOptionNames(messageOf(error), trainOptions), { cause: error });
  }
}

/** The object that --json prints. */
function resultOf(run: Run, data: Dataset, total: number): unknown {
  const {
    id,
    folder,
    classes,
    metrics,
    evaluation,
    evaluatedOn,
    history,
    bestEpoch,
    seconds,
    featuresFromCache,
    failed,
  } = run;
  return {
    run: folder,
    model: folder === undefined ? undefined : join(folder, "model.onnx"),
    id,
    classes,
    metrics,
    perClass: evaluation.perClass,
    confusion: evaluation.confusion,
    evaluatedOn,
    epochs: history.length,
    bestEpoch,
    seconds: { ...seconds, total },
    featuresFromCache,
    failed,
    skipped: data.skipped,
    notes: data.notes,
  };
}

/** A fraction if it is a number, else a folder. */
function validationOf(text: string | undefined): number | string | undefined {
  if (text === undefined || text.trim() === "" || Number.isNaN(Number(text))) return text;
  const fraction = Number(text);
  if (!(fraction > 0 && fraction < 1)) {
    throw new UsageError(`--val requires a folder, or a fraction between 0 and 1 such as 0.2, got "${text}".`);
  }
  return fraction;
}

function describe(data: Dataset): string {
  const count = (split: "train" | "validation" | "test"): number => bySplit(data, split).length;
  const test = count("test") > 0 ? `, ${count("test")} test` : "";
  return `data      ${data.classes.length} classes, ${count("train")} training and ${count("validation")} validation images${test}`;
}

/** Shows what happens while a run is under way. */
class TrainingProgress {
  readonly #output: Output;
  readonly #features;

  constructor(output: Output, headline: string) {
    this.#output = output;
    this.#features = output.progress("features", "img");
    output.note(headline);
  }

  show(event: Progress): void {
    if (event.kind === "plan") this.#output.note(printable(event.text));
    else if (event.kind === "warning") this.#output.warn(printable(event.text));
    else if (event.kind === "features") {
      this.#features.update(event.done, event.total);
      if (event.done === event.total) this.#features.end();
    } else if (event.kind === "step") {
      if (this.#output.isTerminal) this.#output.redraw(`epoch     image ${event.done} of ${event.total}`);
    } else {
      const { epoch, epochs, trainLoss, validation, best } = event.report;
      const line = `epoch     ${epoch}/${epochs}  loss ${trainLoss.toFixed(3)}  validation loss ${validation["loss"]!.toFixed(3)}  accuracy ${formatPercent(validation["accuracy"]!)}${best ? "  best" : ""}`;
      if (this.#output.isTerminal) this.#output.redraw(line);
      else if (epoch === 1 || epoch === epochs || epoch % Math.ceil(epochs / 10) === 0) this.#output.note(line);
    }
  }

  end(): void {
    this.#features.end();
  }
}
