/** Measures a model on labelled image files. */
import { bySplit, type Dataset, type Sample, type Split } from "../data/sample.ts";
import { listed, RootstockError } from "../errors.ts";
import { type Evaluation, evaluateClassification } from "../metrics/classification.ts";
import type { Model, PredictOptions } from "../models/model.ts";

/** The smallest probability that a float32 holds exactly: keeps the logarithm of an impossible class finite. */
const LEAST = 2 ** -126;

/** How far from 1 a float32 probability can be told apart from it: a sigmoid of 17 and more is written as 1. */
const NEAREST_ONE = 2 ** -25;

export interface EvaluateOptions extends PredictOptions {
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The images of a dataset that an evaluation is about: those asked for, else test, else validation folders, else all. */
export function samplesToEvaluate(
  data: Dataset,
  asked?: Split | "all",
): { samples: readonly Sample[]; split: Split | "all" } {
  const has = (split: Split): boolean => bySplit(data, split).length > 0;
  const own = has("test") ? "test" : data.splitSource === "folders" && has("validation") ? "validation" : "all";
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
 * Predicts every sample and measures the result. Classes are matched by name, so their order in the folder is free.
 * @param classes names that the samples' labels refer to.
 * @throws RootstockError BAD_DATA if a class is not among the model's labels, or no image could be decoded.
 */
export async function evaluateModel(
  model: Model,
  classes: readonly string[],
  samples: readonly Sample[],
  { onProgress, ...options }: EvaluateOptions = {},
): Promise<{ evaluation: Evaluation; failed: { file: string; error: string }[] }> {
  const names = model.labels ?? [];
  const unknown = classes.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new RootstockError(
      "BAD_DATA",
      `the model ${model.name} knows ${names.length > 0 ? listed(names) : "no class names"}, but the folder has ${listed(unknown)}. Rename the folders, or pass the model's class names (--labels).`,
    );
  }
  const failed: { file: string; error: string }[] = [];
  const labels: number[] = [];
  const rows: Float32Array[] = [];
  let done = 0;
  for await (const prediction of model.predictFiles(
    samples.map(({ file }) => file),
    { ...options, top: 1 },
  )) {
    const sample = samples[done++]!;
    if ("error" in prediction) failed.push({ file: prediction.file, error: prediction.error });
    else {
      labels.push(names.indexOf(classes[sample.target[0]!]!));
      rows.push(logitsOf(prediction.probabilities, model.activation));
    }
    onProgress?.(done, samples.length);
  }
  if (rows.length === 0)
    throw new RootstockError(
      "BAD_DATA",
      `none of ${samples.length} images could be decoded: ${listed(
        failed.map(({ file, error }) => `${file}: ${error}`),
        3,
      )}.`,
    );
  const logits = new Float32Array(rows.length * names.length);
  for (const [i, row] of rows.entries()) logits.set(row, i * names.length);
  return {
    evaluation: evaluateClassification({ logits, labels, classes: names, activation: model.activation }),
    failed,
  };
}

/** Scores that give these probabilities: log p, or log p - log(1 - p) for independent classes. */
function logitsOf(probabilities: Float32Array, activation: "softmax" | "sigmoid"): Float32Array {
  const log = (p: number): number => Math.log(Math.max(p, LEAST));
  return probabilities.map((p) => (activation === "softmax" ? log(p) : log(p) - log(Math.max(1 - p, NEAREST_ONE))));
}
