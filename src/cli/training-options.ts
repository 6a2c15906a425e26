/** Options of `rootstock train` that decide how the network learns, and what they ask of `fineTune`. */
import type { Dataset } from "../data/sample.ts";
import { listed } from "../errors.ts";
import { printable } from "../graph/printable.ts";
import { OPTIMIZERS } from "../optim/table.ts";
import { BATCH_NORM_CHOICES, type ClassWeights, type FineTuneOptions } from "../train/options.ts";
import { STRATEGY_FORMS, type Strategy } from "../train/strategy.ts";
import { type Options, type OptionTable, UsageError } from "./arguments.ts";
import { checkMonitor, MONITOR_FORMS, readMonitor } from "./monitor-option.ts";
import { SETTINGS_FORM } from "./named-option.ts";
import { LOSS_NAMES, OPTIMIZER_NAMES, readLoss, readOptimizer, readSchedule, SCHEDULE_NAMES } from "./part-options.ts";

const { adamw: ADAMW } = OPTIMIZERS;

const number = (value: string, help: string, min = 0) => ({ kind: "number", value, min, whole: false, help }) as const;
const count = (value: string, help: string, min = 1) => ({ kind: "number", value, min, whole: true, help }) as const;
const text = (value: string, help: string) => ({ kind: "text", value, help }) as const;

export const trainingOptions = {
  strategy: text(
    "<name>",
    `how much trains: ${STRATEGY_FORMS} (default head). auto: the probe first, then as much as the images allow, kept where it is better`,
  ),
  unfreeze: text(
    "<what>",
    "what trains with the head: head (nothing else), last, last:N (the last N stages), all, or a pattern such as layer4.* (default head; see rootstock inspect)",
  ),
  "batch-norm": {
    ...text(
      "<policy>",
      "BatchNormalization in the part that trains: freeze (pretrained statistics), affine (only its scale and shift train), train (statistics of each batch) or adapt (statistics of the new images); default freeze",
    ),
    choices: BATCH_NORM_CHOICES,
  },
  epochs: count(
    "<n>",
    "most passes over the data (default: enough for 600 updates, 20 to 100; with --unfreeze 300, 5 to 30)",
  ),
  "batch-size": count("<n>", "images per update (default 32, with --unfreeze 16)"),
  "micro-batch": count("<n>", "images at once, where a batch is computed in parts (default: as many as memory allows)"),
  "learning-rate": number(
    "<x>",
    `peak learning rate (default: the optimizer's, of adamw ${ADAMW.learningRate} for a head alone, else ${ADAMW.backbone.learningRate})`,
    1e-12,
  ),
  "find-learning-rate": {
    kind: "flag",
    help: "look for the peak learning rate with up to 100 steps first, and say what was seen; --learning-rate is for where it finds none",
  },
  schedule: text(
    "<name[:key=value,…]>",
    `how the learning rate goes on from its peak: ${SCHEDULE_NAMES.join(", ")} (default cosine); such as step:stepSize=10,gamma=0.1 or "multi-step:milestones=10|20" (${SETTINGS_FORM})`,
  ),
  warmup: number(
    "<share>",
    "share of the updates in which the learning rate rises (default 0.1; of a fresh head at most 20 updates)",
  ),
  optimizer: text(
    "<name[:key=value,…]>",
    `optimizer: ${OPTIMIZER_NAMES.join(", ")} (default adamw; sgd for a head that gives numbers); such as sgd:momentum=0.9,nesterov=true or "adamw:betas=0.9|0.99"`,
  ),
  "weight-decay": number(
    "<x>",
    `weight decay; biases and normalizations have none (default: the optimizer's, of adamw ${ADAMW.weightDecay} for a head alone, else ${ADAMW.backbone.weightDecay})`,
  ),
  "head-rate": number("<x>", "learning rate of the head as a multiple of the last stage's (default 1)", 1e-12),
  "layer-decay": number(
    "<x>",
    "learning rate of a stage as a multiple of the next stage's, up to 1 (default 1)",
    1e-12,
  ),
  "clip-norm": number("<x>", "largest norm of the gradients of an update (default: no limit)"),
  "start-penalty": number(
    "<x>",
    "pull of the backbone towards its pretrained weights, instead of weight decay (L2-SP)",
  ),
  "average-decay": number(
    "<x>",
    "decay of a running average of the weights, which is kept instead of the last ones (EMA)",
  ),
  soup: count("<n>", "best epochs whose average is tried in the end (default 3, of a head alone 1: none)"),
  loss: text(
    "<name[:key=value,…]>",
    `objective: ${LOSS_NAMES.join(", ")} (default: cross-entropy; binary-cross-entropy for several labels per image; mean-squared-error for numbers); such as focal:gamma=2`,
  ),
  "label-smoothing": number("<x>", "share of each target spread over all classes (default 0)"),
  "class-weights": text(
    "<how>",
    "how much classes count: none, balanced, effective, or a number for each in their order, such as 1,2.5 (default none)",
  ),
  mixup: number("<alpha>", "blend the images or features of a batch in pairs, with shares from Beta(alpha, alpha)"),
  "cut-mix": number("<alpha>", "paste a rectangle of one image into another, where training starts at the image"),
  monitor: text("<measure>", `validation measure that decides which epoch is best (default loss): ${MONITOR_FORMS}`),
  patience: count(
    "<n>",
    "stop after so many epochs in which it did not improve (default: a fifth of the epochs, at least 10)",
  ),
  "min-delta": number("<x>", "smallest change that counts as an improvement for --patience (default 0)"),
  seed: count("<n>", "decides every random choice (default 0)", 0),
  autotune: {
    kind: "flag",
    help: "with --unfreeze: measure how this machine computes each gradient fastest, once, and keep the result",
  },
  "memory-limit": number(
    "<GB>",
    "memory for what a step of an unfrozen network keeps (default half of the machine's)",
    1e-6,
  ),
  "checkpoint-seconds": number("<s>", "seconds between two states that are kept to go on from (default 30)"),
  "keep-checkpoints": count("<n>", "states that are kept (default 2)"),
} as const satisfies OptionTable;

/** What decides the result, as `fineTune` takes it. @throws UsageError for a value that has not the form of its option. */
export function trainingSettings(options: Options<typeof trainingOptions>): FineTuneOptions {
  return {
    strategy: strategy(options.strategy),
    unfreeze: options.unfreeze,
    batchNorm: BATCH_NORM_CHOICES.find((policy) => policy === options["batch-norm"]),
    epochs: options.epochs,
    batchSize: options["batch-size"],
    microBatch: options["micro-batch"],
    learningRate: options["learning-rate"],
    findLearningRate: options["find-learning-rate"],
    schedule: readSchedule(options.schedule),
    warmup: options.warmup,
    ...readOptimizer(options.optimizer, options["weight-decay"]),
    headRate: options["head-rate"],
    layerDecay: options["layer-decay"],
    clipNorm: options["clip-norm"],
    startPenalty: options["start-penalty"],
    averageDecay: options["average-decay"],
    soup: options.soup,
    loss: readLoss(options.loss),
    labelSmoothing: options["label-smoothing"],
    classWeights: classWeights(options["class-weights"]),
    mixup: options.mixup,
    cutMix: options["cut-mix"],
    monitor: readMonitor(options.monitor),
    patience: options.patience,
    minDelta: options["min-delta"],
    seed: options.seed ?? 0,
    autotune: options.autotune,
    memoryLimit: options["memory-limit"] === undefined ? undefined : 1e9 * options["memory-limit"],
    checkpointSeconds: options["checkpoint-seconds"],
    keepCheckpoints: options["keep-checkpoints"],
  };
}

function strategy(given: string | undefined): Strategy | undefined {
  if (given === undefined || /^(probe|head|last(:[1-9]\d*)?|gradual|full|auto)$/.test(given))
    return given as Strategy | undefined; // one of these
  throw new UsageError(`--strategy requires ${STRATEGY_FORMS} with N from 1, got "${given}".`);
}

function classWeights(given: string | undefined): ClassWeights | undefined {
  if (given === undefined) return undefined;
  const word = (["none", "balanced", "effective"] as const).find((name) => name === given);
  if (word !== undefined) return word;
  const numbers = given.split(/[,|]/).map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (numbers.every((weight) => weight > 0 && Number.isFinite(weight))) return numbers;
  throw new UsageError(
    `--class-weights requires none, balanced, effective or numbers above 0 such as 1,2.5, got "${given}".`,
  );
}

/**
 * Checks what can be only for some data, before anything is computed.
 * @throws UsageError for a measure that data of the task do not have, or weights of other classes than these.
 */
export function checkForData(
  { monitor, classWeights }: FineTuneOptions,
  { task, classes }: Pick<Dataset, "task" | "classes">,
): void {
  checkMonitor(monitor, task);
  if (classWeights === undefined || classWeights === "none") return;
  if (task === "regression") throw new UsageError("--class-weights requires classes, got numbers to predict.");
  if (typeof classWeights === "string" || classWeights.length === classes.length) return;
  throw new UsageError(
    `--class-weights requires a number for each of the ${classes.length} classes, in the order ${printable(listed(classes, 20))}, got ${classWeights.length}.`,
  );
}
