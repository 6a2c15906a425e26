/** Transfer learning in one call: frozen backbone → features → new head → trained, measured, exportable model. */
import { bySplit, type Dataset, labelsOf, manifest, type Sample } from "../data/sample.ts";
import { listed, RootstockError } from "../errors.ts";
import { exportMetadata, exportModel, type TrainedModel } from "../export/export-model.ts";
import type { ParityCheck } from "../export/verify.ts";
import { extractFeatures, type FeatureSet } from "../features/extract.ts";
import { formatShape } from "../graph/graph.ts";
import { LOSSES } from "../losses/table.ts";
import type { ClassificationMetrics, Evaluation } from "../metrics/classification.ts";
import { ACTIVATIONS } from "../metrics/probabilities.ts";
import { backboneGraph, type Cut, findCut } from "../models/backbone.ts";
import { classifierGraph, headGraph } from "../models/head.ts";
import { Model } from "../models/model.ts";
import { describePreprocessing } from "../transforms/preprocessing.ts";
import type { EpochReport } from "./callback.ts";
import type { LabelledFeatures } from "./fit.ts";
import { type FineTuneOptions, type Recipe, recipe } from "./options.ts";
import { claimRunFolder, RUN_MARK, type RunFolder } from "./run-folder.ts";
import { clock, defaultRunName, environment, now } from "./run-record.ts";
import { HeadEvaluator, type TrainedHead, trainHead } from "./train-head.ts";

/** Images on which an exported file is checked against training. */
const PARITY_IMAGES = 16;

/** A finished run. */
export interface Run {
  readonly id: string;
  /** The run's folder, if it was given one. */
  readonly folder: string | undefined;
  readonly classes: readonly string[];
  /** Where the pretrained graph was cut. */
  readonly cut: Cut;
  readonly recipe: Recipe;
  /** Measures on the split named by `evaluatedOn`. */
  readonly metrics: ClassificationMetrics;
  readonly evaluation: Evaluation;
  /** The test split where the data have one, else validation, which also chose the best epoch. */
  readonly evaluatedOn: "test" | "validation";
  readonly history: readonly EpochReport[];
  readonly bestEpoch: number;
  readonly stopped: string | undefined;
  readonly seconds: { readonly features: number; readonly training: number; readonly total: number };
  /** How many images' features came from the cache. */
  readonly featuresFromCache: number;
  /** Images that could not be decoded, by file. */
  readonly failed: readonly { readonly file: string; readonly error: string }[];
  /** The trained model, ready to predict. */
  readonly model: Model;
  /** Writes the model as one ONNX file, after it passed the parity gate. @throws RootstockError PARITY */
  export(path: string): Promise<void>;
}

/**
 * Trains a new head for a dataset's classes on a pretrained model whose weights stay frozen.
 * @throws RootstockError BAD_MODEL if the model cannot be cut; BAD_CONFIG for an option or an unknown preprocessing;
 * BAD_DATA if a split or a class has no usable image; ABORTED through `signal`.
 */
export async function fineTune(base: Model, data: Dataset, options: FineTuneOptions = {}): Promise<Run> {
  const started = clock();
  const plan = recipe(options, bySplit(data, "train").length);
  const cut = findCut(base.graph, options.cut);
  const preprocessing = base.requirePreprocessing();
  const folder = options.out === undefined ? undefined : await claimRunFolder(options.out);
  try {
    announce(base, cut, options);
    await folder?.write("config", {
      [RUN_MARK]: 1,
      model: base.name,
      cut: cut.value,
      preprocessing,
      recipe: plan,
      data: data.root,
    });
    await folder?.write("environment", environment());
    await folder?.write("data", manifest(data));
    return await runPlan({ base, data, options, plan, cut, folder, started });
  } finally {
    await folder?.close();
  }
}

interface Job {
  readonly base: Model;
  readonly data: Dataset;
  readonly options: FineTuneOptions;
  readonly plan: Recipe;
  readonly cut: Cut;
  readonly folder: RunFolder | undefined;
  readonly started: number;
}

async function runPlan({ base, data, options, plan, cut, folder, started }: Job): Promise<Run> {
  const { onProgress, signal } = options;
  const { classes } = data;
  const backbone = backboneGraph(base.graph, cut);
  const extracted = await extractFeatures(backbone, data.samples, {
    ...options,
    name: base.name,
    preprocessing: base.requirePreprocessing(),
    clock: now,
    onWarning: (text) => onProgress?.({ kind: "warning", text }),
    onProgress: (done, total) => onProgress?.({ kind: "features", done, total }),
  });
  const failed = extracted.failed.map(({ sample, error }) => ({ file: sample.file, error }));
  const [train, validation, test] = [take(extracted, "train"), take(extracted, "validation"), take(extracted, "test")];
  checkSplits(classes, train.labels, validation.labels, failed);
  const featuresDone = clock();

  const head = await trainHead({
    train,
    validation,
    classes,
    recipe: plan,
    callbacks: [{ name: "record", onEpochEnd: (report) => tell(report, folder, options) }],
    signal,
  });
  const evaluatedOn = test.labels.length > 0 ? "test" : "validation";
  await using evaluator = await HeadEvaluator.create(
    headGraph({ width: cut.width, numClasses: classes.length }),
    classes,
    plan,
  );
  const evaluation = await evaluator.evaluate(head.parameters, evaluatedOn === "test" ? test : validation);
  const parity = await parityCheck(evaluator, head, extracted, plan);
  const trainingDone = clock();

  const id = folder?.id ?? defaultRunName("run");
  const trained: TrainedModel = {
    base,
    backbone,
    parameters: head.parameters,
    activation: LOSSES[plan.loss]().activation,
    classes,
    run: id,
  };
  const run: Run = {
    id,
    folder: folder?.path,
    classes,
    cut,
    recipe: plan,
    metrics: evaluation.metrics,
    evaluation,
    evaluatedOn,
    history: head.history,
    bestEpoch: head.bestEpoch,
    stopped: head.stopped,
    seconds: { features: featuresDone - started, training: trainingDone - featuresDone, total: trainingDone - started },
    featuresFromCache: extracted.fromCache,
    failed,
    model: modelOf(trained),
    export: (path) => exportModel(path, trained, parity),
  };
  if (!folder) return run;
  await run.export(folder.file("model"));
  const finished = { ...run, seconds: { ...run.seconds, total: clock() - started } };
  await folder.write("result", record(finished));
  return finished;
}

/** What a run's result.json holds. */
function record(run: Run): unknown {
  const { id, classes, evaluation, evaluatedOn, bestEpoch, stopped, seconds, featuresFromCache, failed } = run;
  return {
    version: 1,
    id,
    classes,
    evaluatedOn,
    ...evaluation,
    epochs: run.history.length,
    bestEpoch,
    stopped,
    seconds,
    featuresFromCache,
    failed,
  };
}

function take(
  { features, samples }: FeatureSet,
  split: Sample["split"],
): LabelledFeatures & { samples: readonly Sample[] } {
  const rows = samples.flatMap((sample, i) => (sample.split === split ? [i] : []));
  const width = samples.length === 0 ? 0 : features.length / samples.length;
  const out = new Float32Array(rows.length * width);
  for (const [to, from] of rows.entries()) out.set(features.subarray(from * width, (from + 1) * width), to * width);
  const chosen = rows.map((row) => samples[row]!);
  return { features: out, labels: labelsOf(chosen), samples: chosen };
}

/** Every class needs a training image that can be decoded, and validation needs any. */
function checkSplits(
  classes: readonly string[],
  train: Int32Array,
  validation: Int32Array,
  failed: Run["failed"],
): void {
  const reasons =
    failed.length > 0
      ? ` Not usable: ${listed(
          failed.map(({ file, error }) => `${file} ${error}`),
          2,
        )}.`
      : "";
  const absent = classes.filter((_, label) => !train.includes(label));
  if (absent.length > 0) {
    throw new RootstockError(
      "BAD_DATA",
      `training requires a usable image of every class, got none of ${listed(absent)}. Add images, or remove the folder.${reasons}`,
    );
  }
  if (validation.length === 0) {
    throw new RootstockError(
      "BAD_DATA",
      `validation requires at least one usable image, got none. Add images, or use a larger --val fraction.${reasons}`,
    );
  }
}

/** Probabilities of a few validation images by the training path, spread evenly over the split. */
async function parityCheck(
  evaluator: HeadEvaluator,
  head: TrainedHead,
  extracted: FeatureSet,
  plan: Recipe,
): Promise<ParityCheck> {
  const { features, samples } = take(extracted, "validation");
  const count = Math.min(PARITY_IMAGES, samples.length);
  const rows = Array.from({ length: count }, (_, i) => Math.floor((i * samples.length) / count));
  const width = features.length / samples.length;
  const chosen = new Float32Array(count * width);
  for (const [to, from] of rows.entries()) chosen.set(features.subarray(from * width, (from + 1) * width), to * width);
  const logits = await evaluator.logits(head.parameters, chosen);
  return {
    files: rows.map((row) => samples[row]!.file),
    probabilities: ACTIVATIONS[LOSSES[plan.loss]().activation](logits, logits.length / count),
  };
}

function modelOf(trained: TrainedModel): Model {
  const { base, backbone, parameters, activation, classes } = trained;
  const graph = classifierGraph(backbone, parameters, activation);
  return new Model({
    name: `${base.name} fine-tuned`,
    graph,
    metadata: exportMetadata(trained),
    preprocessing: base.preprocessing,
    preprocessingSource: base.preprocessingSource,
    labels: classes,
  });
}

function announce(base: Model, cut: Cut, { onProgress }: FineTuneOptions): void {
  const say = (text: string): void => onProgress?.({ kind: "plan", text });
  const pooled = { none: "", spatial: ", averaged over positions", tokens: ", averaged over tokens" }[cut.pooling];
  say(`input     ${describePreprocessing(base.requirePreprocessing())} (from ${base.preprocessingSource})`);
  say(
    `features  "${cut.value}" ${formatShape(cut.shape)}${pooled} → ${cut.width} per image${cut.classifier ? `, before ${cut.classifier.op} "${cut.classifier.name}"` : ""}`,
  );
}

async function tell(
  report: EpochReport,
  folder: RunFolder | undefined,
  { onProgress }: FineTuneOptions,
): Promise<void> {
  await folder?.append("metrics", report);
  onProgress?.({ kind: "epoch", report });
}
