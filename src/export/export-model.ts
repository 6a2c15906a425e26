/** Trained model → one `.onnx` file that says everything about itself, checked before it takes its name. */
import type { Graph } from "../graph/graph.ts";
import { saveGraph } from "../graph/save.ts";
import type { Activation } from "../losses/loss.ts";
import type { Targets } from "../losses/targets.ts";
import { classifierGraph, type Parameters } from "../models/head.ts";
import type { MODEL_TASKS, Model } from "../models/model.ts";
import { runtimeVersion } from "../runtime/session.ts";
import type { Augmentation } from "../transforms/transform.ts";
import { VERSION } from "../version.ts";
import { writeAtomically } from "../weights/files.ts";
import { type ParityCheck, verifyExport } from "./verify.ts";

/** A trained model in parts. */
export interface TrainedModel {
  /** The pretrained model that it was made from. */
  readonly base: Model;
  /** From the input to FEATURES. */
  readonly backbone: Graph;
  /** The head on raw features. */
  readonly parameters: Parameters;
  readonly activation: Activation;
  readonly task: Targets["task"];
  /** Names of the classes, or of a regression's targets. */
  readonly classes: readonly string[];
  /** Mean of each target over the training images: what a regression must beat. */
  readonly trainingMean?: readonly number[] | undefined;
  /** What the logits were divided by, fitted on validation; the head contains it. */
  readonly temperature?: number | undefined;
  /** Probability above which each independent class is predicted, chosen on validation; 0.5 for all without it. */
  readonly thresholds?: readonly number[] | undefined;
  /** How training images varied, if they did. */
  readonly augmentation?: Augmentation | undefined;
  readonly run: string;
}

/** What an exported file calls its task. */
const EXPORTED_TASKS = {
  "single-label": "image-classification",
  "multi-label": "multi-label-image-classification",
  regression: "image-regression",
} as const satisfies Record<Targets["task"], keyof typeof MODEL_TASKS>;

/** The metadata of an exported file: what a program needs to use it without this package. All values are strings. */
export function exportMetadata(trained: TrainedModel): Map<string, string> {
  const { base, activation, task, classes, trainingMean, temperature, thresholds, augmentation, run } = trained;
  const kept = ["architecture", "license", "source", "pretraining"].flatMap((key) => {
    const value = base.metadata.get(key);
    return value === undefined ? [] : [[key, value] as const];
  });
  return new Map([
    ["task", EXPORTED_TASKS[task]],
    ["labels", JSON.stringify(classes)],
    ["preprocessing", JSON.stringify(base.requirePreprocessing())],
    ["activation", activation],
    ...(trainingMean ? [["training_mean", JSON.stringify(trainingMean)] as const] : []),
    ...(temperature === undefined ? [] : [["temperature", JSON.stringify(temperature)] as const]),
    ...(thresholds ? [["thresholds", JSON.stringify(thresholds)] as const] : []),
    ...(augmentation ? [["augmentation", JSON.stringify(augmentation)] as const] : []),
    ["base_model", base.name],
    ["run_id", run],
    ["rootstock_version", VERSION],
    ["onnxruntime_version", runtimeVersion()],
    ["license", "not stated by the base model"],
    ...kept,
  ]);
}

/**
 * Writes backbone, head and activation as one file. The file takes its name only after `verifyExport` has run it on
 * real images and found what training found.
 * @throws RootstockError PARITY if the file and the training path disagree; then nothing is left at `path`.
 */
export async function exportModel(path: string, trained: TrainedModel, parity: ParityCheck): Promise<void> {
  const graph = classifierGraph(trained.backbone, trained.parameters, trained.activation);
  const chunks = saveGraph(graph, exportMetadata(trained));
  await writeAtomically(path, chunks, (temporary) => verifyExport(temporary, parity));
}
