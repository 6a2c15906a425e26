/** Measures a model on labelled image files. */
import { z } from "zod";
import { bySplit, type Dataset, type Sample, type Split, sourceOf, type Task } from "../data/sample.ts";
import { listed, RootstockError } from "../errors.ts";
import { type EvaluationOf, type EvaluationResults, evaluateResults } from "../metrics/evaluation.ts";
import type { Model, ModelTask, Prediction, PredictOptions } from "../models/model.ts";
import { resultsOf } from "./measure.ts";
import { type TargetKind, targetsOf } from "./targets.ts";

/** The smallest probability that a float32 holds exactly: keeps the logarithm of an impossible class finite. */
const LEAST = 2 ** -126;

/** How far from 1 a float32 probability can be told apart from it: a sigmoid of 17 and more is written as 1. */
const NEAREST_ONE = 2 ** -25;

export interface EvaluateOptions extends PredictOptions {
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What a model gets right and wrong. */
export interface ModelEvaluation<T extends Task = Task> {
  readonly evaluation: EvaluationOf<T>;
  /** What was measured, in the order of the images: what `compareEvaluations` needs to compare models image by image. */
  readonly results: EvaluationResults;
  /** With test-time augmentation: the same without it, from the same run. */
  readonly plain?: { readonly evaluation: EvaluationOf<T>; readonly results: EvaluationResults };
  /** Images that could not be decoded. */
  readonly failed: readonly { readonly file: string; readonly error: string }[];
}

/** The images of a dataset that an evaluation is about: those asked for, else test, else validation that the data name, else all. */
export function samplesToEvaluate(
  data: Dataset,
  asked?: Split | "all",
): { samples: readonly Sample[]; split: Split | "all" } {
  const has = (split: Split): boolean => bySplit(data, split).length > 0;
  const own = has("test") ? "test" : typeof data.splitSource === "string" && has("validation") ? "validation" : "all";
  const split = asked ?? own;
  const samples = split === "all" ? data.samples : bySplit(data, split);
  if (samples.length === 0)
    throw new RootstockError(
      "BAD_DATA",
      `evaluation requires images, got none in the split "${split}" of ${data.root}. Name another split, or all.`,
    );
  return { samples, split };
}

/**
 * Predicts every sample and measures the result. Classes and targets are matched by name, so their order is free; a class
 * that the model knows and the data do not counts as absent, a target as not asked for. Independent classes are decided by
 * the thresholds of the model's file.
 * @param data what the samples' targets mean.
 * @throws RootstockError BAD_DATA if the data are for another task than the model, a class or target is not among the
 * model's labels, or no image could be decoded.
 */
export async function evaluateModel<T extends Task>(
  model: Model,
  data: TargetKind & { readonly task: T },
  samples: readonly Sample[],
  { onProgress, ...options }: EvaluateOptions = {},
): Promise<ModelEvaluation<T>> {
  checkTask(model, data);
  const names = namesToMeasure(model, data);
  const failed: { file: string; error: string }[] = [];
  const measured: Sample[] = [];
  const predictions: Found[] = [];
  let done = 0;
  for await (const prediction of model.predictFiles(samples.map(sourceOf), { ...options, top: 1 })) {
    const sample = samples[done++]!;
    if ("error" in prediction) failed.push({ file: sample.file, error: prediction.error });
    else {
      measured.push(sample);
      predictions.push(prediction);
    }
    onProgress?.(done, samples.length);
  }
  if (predictions.length === 0)
    throw new RootstockError(
      "BAD_DATA",
      `none of ${samples.length} images could be decoded: ${listed(
        failed.map(({ file, error }) => `${file}: ${error}`),
        3,
      )}.`,
    );
  const targets = targetsOf({ task: data.task, classes: names }, inModelOrder(measured, data, names));
  const { activation, thresholds } = model;
  const measure = (rowOf: (prediction: Found) => ArrayLike<number>) => {
    const outputs = new Float32Array(predictions.length * names.length);
    for (const [i, prediction] of predictions.entries()) outputs.set(rowOf(prediction), i * names.length);
    const trainingMean = trainingMeanOf(model, names);
    const results = resultsOf(outputs, targets, { classes: names, activation, trainingMean, thresholds });
    return { evaluation: evaluateResults(results) as EvaluationOf<T>, results }; // measured as the task is
  };
  const whole = measure((prediction) => outputsOf(prediction, names, model));
  if (!predictions.every(({ views }) => views)) return { ...whole, failed };
  return {
    ...whole,
    plain: measure((prediction) => outputsOf(withoutMirror(prediction, model), names, model)),
    failed,
  };
}

/** A prediction of an image that could be decoded. */
type Found = Exclude<Prediction, { readonly error: string }>;

/** What a prediction would have been of the image alone. */
function withoutMirror(prediction: Found, { labels = [] }: Model): Found {
  const [row] = prediction.views!; // asked for
  return "values" in prediction
    ? { ...prediction, values: Object.fromEntries(labels.map((label, i) => [label, row![i]!])) }
    : { ...prediction, probabilities: row! };
}

/** Values of the targets that are measured, or scores of all classes. */
function outputsOf(prediction: Found, names: readonly string[], { activation }: Model): ArrayLike<number> {
  if ("values" in prediction) return names.map((name) => prediction.values[name]!);
  return logitsOf(prediction.probabilities, activation);
}

/** What data of a task are measured with. */
const TASKS: Readonly<Record<TargetKind["task"], ModelTask>> = {
  "single-label": "classification",
  "multi-label": "multi-label",
  regression: "regression",
};

const SAID: Readonly<Record<ModelTask, string>> = {
  classification: "one class for each image (single-label)",
  "multi-label": "any number of classes for each image (multi-label)",
  regression: "values (regression)",
  features: "features",
};

function checkTask(model: Model, { task }: TargetKind): void {
  if (model.task === TASKS[task]) return;
  throw new RootstockError(
    "BAD_DATA",
    `the model ${model.name} gives ${SAID[model.task]}, but the data are ${task}. Evaluate it on data of its own task.`,
  );
}

/** Every class of a classifier; of a regression the targets that the data have. */
function namesToMeasure(model: Model, { task, classes }: TargetKind): readonly string[] {
  const names = model.labels ?? [];
  const unknown = classes.filter((name) => !names.includes(name));
  if (unknown.length === 0) return task === "regression" ? classes : names;
  const known = names.length > 0 ? listed(names) : `no ${task === "regression" ? "target" : "class"} names`;
  const todo =
    task === "regression"
      ? "Rename the columns, or pass the model's target names (--labels)."
      : "Rename the folders or classes, or pass the model's class names (--labels).";
  throw new RootstockError(
    "BAD_DATA",
    `the model ${model.name} knows ${known}, but the data have ${listed(unknown)}. ${todo}`,
  );
}

/** The samples with class indices of the model instead of the data. */
function inModelOrder(samples: readonly Sample[], { task, classes }: TargetKind, names: readonly string[]) {
  if (task === "regression") return samples;
  const indices = new Map(classes.map((name, i) => [i, names.indexOf(name)]));
  return samples.map((sample) => ({
    ...sample,
    target: sample.target.map((index) => indices.get(index) ?? Number.NaN), // NaN is refused as no class index
  }));
}

const trainingMeans = z.array(z.number());

/** What the file says of its training targets. A file without, or with something else, has no baseline. */
function trainingMeanOf({ metadata, labels = [] }: Model, names: readonly string[]): number[] | undefined {
  try {
    const means = trainingMeans.parse(JSON.parse(metadata.get("training_mean") ?? ""));
    return means.length === labels.length ? names.map((name) => means[labels.indexOf(name)]!) : undefined;
  } catch {
    return undefined;
  }
}

/** Scores that give these probabilities: log p, or log p - log(1 - p) for independent classes. */
function logitsOf(probabilities: Float32Array, activation: Model["activation"]): Float32Array {
  const log = (p: number): number => Math.log(Math.max(p, LEAST));
  return probabilities.map((p) => (activation === "softmax" ? log(p) : log(p) - log(Math.max(1 - p, NEAREST_ONE))));
}
