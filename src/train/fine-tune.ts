/** Transfer learning in one call: frozen backbone → features → new head → trained, measured, exportable model. */
import { type DatasetReport, withFindings } from "../data/check/dataset-report.ts";
import { bySplit, type Dataset, manifest, sourceOf, type Task } from "../data/sample.ts";
import { exportMetadata, exportModel, type TrainedModel } from "../export/export-model.ts";
import type { ParityCheck } from "../export/verify.ts";
import { formatShape } from "../graph/graph.ts";
import { LOSSES } from "../losses/table.ts";
import { countTargets } from "../losses/targets.ts";
import type { EvaluationOf } from "../metrics/evaluation.ts";
import { ACTIVATIONS } from "../metrics/probabilities.ts";
import { type Cut, findCut } from "../models/backbone.ts";
import type { NormalizedSuffix } from "../models/batch-norm.ts";
import { classifierGraph, logitsGraph } from "../models/head.ts";
import { Model } from "../models/model.ts";
import { withValues } from "../models/trainable-graph.ts";
import { OPTIMIZERS } from "../optim/table.ts";
import { describePreprocessing } from "../transforms/preprocessing.ts";
import { type AugmentPlan, planAugmentation } from "./augment-plan.ts";
import type { EpochReport } from "./callback.ts";
import { lookAt, lookCloser } from "./check/look.ts";
import { checkFiles, checkSplits } from "./check-splits.ts";
import { type DataRowsOptions, dataRows, type SplitRows } from "./data-rows.ts";
import { measureOutputs } from "./measure.ts";
import { type FineTuneOptions, headRecipe, type Recipe, recipe } from "./options.ts";
import { claimRunFolder, RUN_MARK, type RunFolder } from "./run-folder.ts";
import { clock, defaultRunName, environment, now, totalMemory } from "./run-record.ts";
import { GraphScorer, type Scorer, scoreRows } from "./score.ts";
import { trainHead } from "./train-head.ts";
import { trainNetwork } from "./train-network.ts";
import type { StepMemory } from "./training-plan.ts";
import { adaptNetwork, scoringGraph, sizeNote, type UnfrozenNetwork, unfreezeNetwork } from "./unfreeze-network.ts";

/** Images on which an exported file is checked against training. */
const PARITY_IMAGES = 16;

/** A finished run on data of a task, which decides how it is measured. */
export interface Run<T extends Task = Task> {
  readonly id: string;
  /** The run's folder, if it was given one. */
  readonly folder: string | undefined;
  /** Names of the classes, or of a regression's targets. */
  readonly classes: readonly string[];
  /** Where the pretrained graph was cut. */
  readonly cut: Cut;
  readonly recipe: Recipe;
  /** Measures on the split named by `evaluatedOn`. */
  readonly metrics: EvaluationOf<T>["metrics"];
  readonly evaluation: EvaluationOf<T>;
  /** The test split where the data have one, else validation, which also chose the best epoch. */
  readonly evaluatedOn: "test" | "validation";
  readonly history: readonly EpochReport[];
  readonly bestEpoch: number;
  readonly stopped: string | undefined;
  /** What the logits were divided by after the network had trained, fitted on validation; undefined for a head alone and for a regression. */
  readonly temperature: number | undefined;
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
 * Trains a new head for a dataset's classes or targets on a pretrained model, and as much of the model as `unfreeze` says.
 * @throws RootstockError BAD_MODEL if the model cannot be cut; BAD_CONFIG for an option or an unknown preprocessing;
 * BAD_DATA if a split or a class has no usable image; ABORTED through `signal`.
 */
export async function fineTune<T extends Task>(
  base: Model,
  given: Dataset & { readonly task: T },
  options: FineTuneOptions = {},
): Promise<Run<T>> {
  const started = clock();
  const cut = findCut(base.graph, options.cut);
  const plan = recipe(options, bySplit(given, "train").length, { task: given.task, width: cut.width });
  const preprocessing = base.requirePreprocessing();
  // Whatever needs only the model and the names of the files is checked before anything is written or computed.
  const network = unfreezeNetwork({ base, cut }, plan);
  const augment = planAugmentation(options, given, network.suffix === undefined || network.prefix !== undefined);
  await checkFiles(given);
  const { data, report } = await lookAt(given, options);
  const folder = options.out === undefined ? undefined : await claimRunFolder(options.out);
  try {
    announce(base, cut, options);
    await folder?.write("config", {
      [RUN_MARK]: 1,
      model: base.name,
      cut: cut.value,
      preprocessing,
      recipe: plan,
      augmentation: augment.augmentation,
      views: augment.views,
      data: data.root,
    });
    await folder?.write("environment", environment());
    await folder?.write("data", manifest(data));
    const run = await runPlan({ base, data, report, options, plan, augment, cut, network, folder, started });
    return run as unknown as Run<T>; // runPlan measures as the data's task is
  } finally {
    await folder?.close();
  }
}

interface Job {
  readonly base: Model;
  readonly data: Dataset;
  /** What looking at the images found, if they were looked at. */
  readonly report: DatasetReport | undefined;
  readonly options: FineTuneOptions;
  readonly plan: Recipe;
  readonly augment: AugmentPlan;
  readonly cut: Cut;
  /** With the statistics of the file. */
  readonly network: UnfrozenNetwork;
  readonly folder: RunFolder | undefined;
  readonly started: number;
}

async function runPlan({
  base,
  data,
  report,
  options,
  plan,
  augment,
  cut,
  network: planned,
  folder,
  started,
}: Job): Promise<Run> {
  const { onProgress, signal, threads, provider } = options;
  const { classes } = data;
  const session = { threads, provider };
  const network = plan.batchNorm === "adapt" ? await adaptNetwork({ base, cut, data }, plan, options) : planned;
  for (const text of [...network.notes, ...augment.notes]) onProgress?.({ kind: "plan", text });
  const large = sizeNote(network, bySplit(data, "train").length);
  if (large !== undefined) onProgress?.({ kind: "warning", text: large });
  await using rows = await dataRows(network, data, {
    ...options,
    ...viewsOf(augment, plan.seed),
    name: base.name,
    preprocessing: base.requirePreprocessing(),
    clock: now,
    onWarning: (text) => onProgress?.({ kind: "warning", text }),
    onProgress: (done, total) => onProgress?.({ kind: "features", done, total }),
  });
  const failed = rows.failed.map(({ sample, error }) => ({ file: sample.file, error }));
  const [train, validation, test] = [rows.split("train"), rows.split("validation"), rows.split("test")];
  for (const text of checkSplits(data, rows.split, failed)) onProgress?.({ kind: "warning", text });
  if (report !== undefined) {
    const found = await lookCloser({ model: base, cut, set: rows.clean, data, seed: plan.seed }, report, options);
    await folder?.write("check", withFindings(report, found));
  }
  const featuresDone = clock();

  const listener = { name: "record", onEpochEnd: (report: EpochReport) => tell(report, folder, options) };
  const phase = { train, validation, classes, signal };
  const head = await trainHead({
    ...phase,
    recipe: network.trainable
      ? headRecipe(plan, countTargets(train.targets), { task: data.task, width: cut.width })
      : plan,
    callbacks: network.trainable ? [] : [listener],
  });
  const tuned = network.trainable
    ? await trainNetwork({
        ...phase,
        suffix: network.trainable,
        head,
        recipe: plan,
        callbacks: [listener],
        session,
        memoryLimit: options.memoryLimit ?? 0.5 * totalMemory(),
        onMemory: (memory) => onProgress?.({ kind: "plan", text: memoryNote(memory, network.trainable!, plan) }),
        onMeasure: (count) =>
          onProgress?.({ kind: "plan", text: `autotune  measuring ${count} gradients on this machine, once` }),
        onStep: (done, total) => onProgress?.({ kind: "step", done, total }),
      })
    : { ...head, parameters: new Map<string, never>(), temperature: undefined };
  const { mean: trainingMean, deviation: units } = head.targetScale ?? {};
  const backbone = withValues(network.backbone, tuned.parameters);
  const { activation } = LOSSES[plan.loss]();
  const id = folder?.id ?? defaultRunName("run");
  const trained: TrainedModel = {
    base,
    backbone,
    parameters: tuned.folded,
    activation,
    task: data.task,
    classes,
    trainingMean,
    augmentation: augment.augmentation,
    run: id,
  };

  // The weights as they will be exported, on the rows that training read.
  const scoring = logitsGraph(scoringGraph(network, tuned.parameters), tuned.folded);
  await using scorer = await GraphScorer.create(scoring, session);
  const evaluatedOn = test.rows.count > 0 ? "test" : "validation";
  const measured = evaluatedOn === "test" ? test : validation;
  const outputs = await scoreRows(scorer, measured.rows);
  const evaluation = measureOutputs(outputs, measured.targets, { classes, activation, trainingMean });
  const parity = { ...(await parityCheck(scorer, validation, activation)), units };
  const trainingDone = clock();
  const run: Run = {
    id,
    folder: folder?.path,
    classes,
    cut,
    recipe: plan,
    metrics: evaluation.metrics,
    evaluation,
    evaluatedOn,
    history: tuned.history,
    bestEpoch: tuned.bestEpoch,
    stopped: tuned.stopped,
    temperature: tuned.temperature,
    seconds: { features: featuresDone - started, training: trainingDone - featuresDone, total: trainingDone - started },
    featuresFromCache: rows.fromCache,
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

/** How the rows of training images vary. */
function viewsOf(
  { augmentation, views: count }: AugmentPlan,
  seed: number,
): Required<Pick<DataRowsOptions, "views" | "augmented">> {
  if (augmentation === undefined) return { views: undefined, augmented: undefined };
  if (count === 0) return { augmented: { augmentation, seed }, views: undefined };
  const views = { augmentation, seed, count };
  return { augmented: views, views };
}

/** What a run's result.json holds. */
function record(run: Run): unknown {
  const { id, classes, evaluation, evaluatedOn, bestEpoch, stopped, temperature, seconds, featuresFromCache, failed } =
    run;
  return {
    version: 1,
    id,
    classes,
    evaluatedOn,
    ...evaluation,
    epochs: run.history.length,
    bestEpoch,
    stopped,
    temperature,
    seconds,
    featuresFromCache,
    failed,
  };
}

/** What training takes in memory, as far as it can be told beforehand. */
function memoryNote({ activations, recomputed }: StepMemory, { parameters }: NormalizedSuffix, plan: Recipe): string {
  const weights = [...parameters.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  const slots = OPTIMIZERS[plan.optimizer].create().slots.length;
  const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
  const state = (2 + slots) * weights;
  const twice = recomputed ? ", with parts of the forward pass computed twice" : "";
  return `memory    about ${megabytes(activations + state)}: activations ${megabytes(activations)}${twice}; weights, gradients and optimizer ${megabytes(state)}`;
}

/** Probabilities or values of a few validation images by the training path, spread evenly over the split. */
async function parityCheck(
  scorer: Scorer,
  { rows, samples }: SplitRows,
  activation: TrainedModel["activation"],
): Promise<ParityCheck> {
  const count = Math.min(PARITY_IMAGES, samples.length);
  const chosen = Int32Array.from({ length: count }, (_, i) => Math.floor((i * samples.length) / count));
  const logits = await scoreRows(scorer, rows, chosen);
  return {
    files: Array.from(chosen, (row) => sourceOf(samples[row]!)),
    outputs: ACTIVATIONS[activation](logits, logits.length / count),
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
