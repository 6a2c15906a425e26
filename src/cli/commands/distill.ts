/** `rootstock distill`: unlabelled images and a large pretrained model become a small pretrained model. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openDataset } from "../../data/open-dataset.ts";
import { unlabelledImages } from "../../data/unlabelled-images.ts";
import { messageOf } from "../../errors.ts";
import { ARCHITECTURES } from "../../models/architectures/table.ts";
import { freshModel } from "../../models/fresh-model.ts";
import { loadModel } from "../../models/load-model.ts";
import type { Model } from "../../models/model.ts";
import { SCHEDULES } from "../../optim/schedule.ts";
import { OPTIMIZERS } from "../../optim/table.ts";
import { type Distilled, distill as distillModel } from "../../train/distill/distill.ts";
import { type DistillOptions, distillRecipe } from "../../train/distill/options.ts";
import { MATCHES } from "../../train/distill/teacher.ts";
import { clock, defaultRunName } from "../../train/run-record.ts";
import { inOptionNames, type Options, type OptionTable, UsageError } from "../arguments.ts";
import { augmentOption, readAugment } from "../augment-option.ts";
import { command } from "../command.ts";
import { namedChoice } from "../named-option.ts";
import { MODEL_FORMS, openModel } from "../open-model.ts";
import { formatPercent, formatSeconds, type Output } from "../output.ts";
import { reportDataset, reportFailed } from "../report-dataset.ts";
import { aboutCommand, commandLine } from "../resume-option.ts";
import { runOptions, sessionOptions } from "../session-options.ts";
import { TrainingProgress } from "../training-progress.ts";

const number = (value: string, help: string, min = 0) => ({ kind: "number", value, min, whole: false, help }) as const;
const count = (value: string, help: string, min = 1) => ({ kind: "number", value, min, whole: true, help }) as const;
const text = (value: string, help: string) => ({ kind: "text", value, help }) as const;

const SCHEDULE_NAMES = [...Object.keys(SCHEDULES), "plateau"];

const distillOptions = {
  teacher: text("<model>", `pretrained model to learn from (required): ${MODEL_FORMS}`),
  student: text(
    "<architecture|file>",
    `network to teach (required): an architecture such as ${Object.keys(ARCHITECTURES).slice(-1)[0]}, whose weights start fresh, or a model file, whose weights go on`,
  ),
  "image-size": {
    ...count("<pixels>", "height and width of a fresh student's input (default: the architecture's)"),
    max: 4096,
  },
  match: {
    kind: "text",
    value: "<what>",
    choices: MATCHES,
    help: "what the student learns to give: the teacher's features, or the probabilities of its classes (default features)",
  },
  temperature: number("<t>", "what logits are divided by where they are matched (default 2)"),
  cut: text("<value>", "value of the teacher's graph to take as features (default: found; see rootstock inspect)"),
  views: count("<n>", "random views of each image that the teacher is asked about, once (default 16)"),
  ...augmentOption,
  epochs: count("<n>", "passes over the images (default 100)"),
  "batch-size": count("<n>", "images per update (default 32)"),
  "learning-rate": number("<x>", "peak learning rate (default 0.002)", 1e-12),
  schedule: text(
    "<name[:key=value,…]>",
    `how the learning rate goes on: ${SCHEDULE_NAMES.join(", ")} (default cosine)`,
  ),
  warmup: number("<share>", "share of the updates in which the learning rate rises (default 0.05)"),
  optimizer: text("<name[:key=value,…]>", `optimizer: ${Object.keys(OPTIMIZERS).join(", ")} (default adamw)`),
  "weight-decay": number("<x>", "weight decay; biases and normalizations have none (default 0.02)"),
  "clip-norm": number("<x>", "largest norm of the gradients of an update (default: no limit)"),
  "average-decay": number(
    "<x>",
    "decay of the running average of the weights that is kept, 0 for none (default 0.999)",
  ),
  probe: text("<data>", "labelled images on which a linear probe of the student is measured while it trains"),
  "probe-every": count("<n>", "epochs between two probes (default a tenth of the epochs)"),
  drawings: count("<n>", "scenes to draw beside the images: forms, textures, light and shade (default none)", 0),
  val: number("<fraction>", "share of the images to measure the loss on (default 0.03)"),
  seed: count("<n>", "decides every random choice (default 0)", 0),
  out: text(
    "<dir>",
    "folder of the run (default runs/<time>-distill); a folder that is taken stays, and the run goes to <dir>-2",
  ),
  resume: text(
    "<run>",
    "go on with an interrupted run, exactly: its images and settings are in its folder; name its images too if they have moved",
  ),
  "checkpoint-seconds": number("<s>", "seconds between two states that are kept to go on from (default 30)"),
  "keep-checkpoints": count("<n>", "states that are kept (default 2)"),
  tensorboard: { kind: "flag", help: "write event files for TensorBoard into the run's folder" },
  "no-cache": { kind: "flag", help: "ask the teacher anew and keep nothing" },
  ...sessionOptions,
} as const satisfies OptionTable;

export const distill = command({
  summary:
    "Teach a small network what a large pretrained one sees in unlabelled images: a pretrained model of your own, for your kind of images, to fine-tune afterwards.",
  usage: "distill <images…> --teacher <model> --student <architecture> [options] | distill --resume <run> [images…]",
  options: distillOptions,
  examples: [
    ["rootstock distill photos --teacher resnet50 --student mobilenet_v2", "features, on all photographs in a folder"],
    [
      "rootstock distill photos --teacher mobilenetv2.onnx --student resnet20_cifar10 --image-size 64 --match logits --probe flowers",
      "probabilities; every tenth of the time a probe says how good the features are for flowers",
    ],
    ["rootstock distill --resume runs/photos", "go on after an interruption"],
  ],
  async run({ positionals, options: given, output, signal }) {
    const started = clock();
    const line = await commandLine("distill", { positionals, options: given }, distillOptions);
    const { inputs: paths, options } = line;
    const { resume } = given;
    const { teacher: teacherName, student: studentName } = options;
    if (paths.length === 0 && !options.drawings)
      throw new UsageError("distill requires folders or files of images, or --drawings <n>, got none.");
    if (teacherName === undefined) throw new UsageError(`distill requires --teacher <model>: ${MODEL_FORMS}.`);
    if (studentName === undefined) throw new UsageError("distill requires --student <architecture>.");
    const settings = { ...settingsOf(options), augmentation: await readAugment(options.augment) };
    checkSettings(settings);
    const { seed } = settings;
    const images = await unlabelledImages(paths, { validation: options.val, drawings: options.drawings, seed, signal });
    reportDataset(images, output);
    const probe = options.probe === undefined ? undefined : await openDataset(options.probe, { seed, signal });
    await using teacher = await openModel(teacherName, { options: NO_MODEL_OPTIONS, output, signal });
    await using student = await openStudent(studentName, options, seed);
    const progress = new TrainingProgress(output, `data      ${images.samples.length} images`);
    const run = await distillModel(teacher, student, images, {
      ...settings,
      probe,
      out: resume ?? options.out ?? join("runs", defaultRunName("distill")),
      resume: resume !== undefined,
      about: aboutCommand("distill", paths, options),
      tensorBoard: options.tensorboard,
      signal,
      onProgress: (event) => progress.show(event),
    });
    progress.end();
    reportFailed(run.failed, output);
    summarize(run, output);
    const { id, folder, metrics, bestEpoch, history, failed, seconds } = run;
    const model = folder === undefined ? undefined : join(folder, "model.onnx");
    const total = clock() - started;
    return {
      json: {
        run: folder,
        model,
        id,
        metrics,
        bestEpoch,
        epochs: history.length,
        failed,
        seconds: { ...seconds, total },
      },
    };
  },
});

type Given = Options<typeof distillOptions>;

const NO_MODEL_OPTIONS = {
  preprocessing: undefined,
  architecture: undefined,
  "image-size": undefined,
  "state-dict": undefined,
};

/** What decides the result, as `distill` takes it. */
function settingsOf(options: Given): DistillOptions {
  return {
    match: MATCHES.find((match) => match === options.match),
    temperature: options.temperature,
    cut: options.cut,
    views: options.views,
    epochs: options.epochs,
    batchSize: options["batch-size"],
    learningRate: options["learning-rate"],
    schedule: namedChoice("schedule", options.schedule, SCHEDULE_NAMES) as DistillOptions["schedule"], // the recipe checks it
    warmup: options.warmup,
    optimizer: namedChoice("optimizer", options.optimizer, Object.keys(OPTIMIZERS)) as DistillOptions["optimizer"],
    weightDecay: options["weight-decay"],
    clipNorm: options["clip-norm"],
    averageDecay: options["average-decay"],
    probeEvery: options["probe-every"],
    checkpointSeconds: options["checkpoint-seconds"],
    keepCheckpoints: options["keep-checkpoints"],
    cache: !options["no-cache"],
    seed: options.seed,
    ...runOptions(options),
  };
}

/** @throws UsageError for settings that cannot be, whatever the images are. */
function checkSettings(settings: DistillOptions): void {
  try {
    distillRecipe(settings, 1);
  } catch (error) {
    throw new UsageError(inOptionNames(messageOf(error), distillOptions), { cause: error });
  }
}

/** A model file, or an architecture with fresh weights. */
async function openStudent(name: string, options: Given, seed: number | undefined): Promise<Model> {
  const { "image-size": side } = options;
  const imageSize = side === undefined ? undefined : ([side, side] as const);
  if (existsSync(name)) return await loadModel(name, { imageSize });
  return freshModel(name, { imageSize, seed });
}

function summarize({ folder, metrics, bestEpoch, history, seconds }: Distilled, output: Output): void {
  const { loss, "probe accuracy": probe } = metrics;
  output.result();
  output.result(`loss      ${loss!.toFixed(4)} on the images that were held out`);
  if (probe !== undefined) output.result(`probe     ${formatPercent(probe)} of the labelled validation images`);
  if (folder !== undefined) {
    output.result(`model     ${join(folder, "model.onnx")}`);
    output.result(`run       ${folder}`);
  }
  output.result(`epochs    best ${bestEpoch} of ${history.length}`);
  output.result(`time      ${formatSeconds(seconds.total)} (teacher ${formatSeconds(seconds.teacher)})`);
  if (folder !== undefined) output.result(`next      rootstock train <photos> --model ${join(folder, "model.onnx")}`);
}
