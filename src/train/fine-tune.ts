/** Transfer learning in one call: frozen backbone → features → new head → trained, measured, exportable model. */
import { type DatasetReport, withFindings } from "../data/check/dataset-report.ts";
import type { Dataset, Task } from "../data/sample.ts";
import { formatShape } from "../graph/graph.ts";
import { LOSSES } from "../losses/table.ts";
import { compareEvaluations } from "../metrics/compare.ts";
import type { Cut } from "../models/backbone.ts";
import type { Model } from "../models/model.ts";
import { checkKeys } from "../transforms/known-options.ts";
import { describePreprocessing } from "../transforms/preprocessing.ts";
import { viewsOf } from "./augment-plan.ts";
import { lookAt, lookCloser } from "./check/look.ts";
import { checkFiles, checkSplits } from "./check-splits.ts";
import { type FeatureRows, featureRows } from "./data-rows.ts";
import { describeRecipe } from "./describe-recipe.ts";
import { farFromProbe } from "./far-from-probe.ts";
import { measureNetwork, modelOf } from "./finish-run.ts";
import { type Grown, grow, type Seedling } from "./grow.ts";
import { inSplitsOf, isChecked, type OpenRun, openRun, withAdvice } from "./open-run.ts";
import { FINE_TUNE_OPTIONS } from "./option-names.ts";
import type { FineTuneOptions } from "./options.ts";
import { trainProbe } from "./probe/probe.ts";
import { type Run, type RunPhase, resultRecord } from "./run.ts";
import { identityOf } from "./run-identity.ts";
import { planRun, type RunPlan } from "./run-plan.ts";
import { clock, defaultRunName, now } from "./run-record.ts";
import { measureHeadScale, onScale } from "./train-head.ts";
import { adaptBackbone, featuresGraph } from "./unfreeze-network.ts";

/**
 * Trains a new head for a dataset's classes or targets on a pretrained model, and as much of the model as `strategy` or
 * `unfreeze` says. A linear probe of the frozen features comes first: what it reaches is the run's baseline, training
 * starts from there, and it is what is kept where nothing is better.
 * @throws RootstockError BAD_MODEL if the model cannot be cut; BAD_CONFIG for an option or an unknown preprocessing;
 * BAD_DATA if a split or a class has no usable image; ABORTED through `signal`, after the state was kept in `out`.
 */
export async function fineTune<T extends Task>(
  base: Model,
  given: Dataset & { readonly task: T },
  options: FineTuneOptions = {},
): Promise<Run<T>> {
  const started = clock();
  checkKeys("fineTune", options, FINE_TUNE_OPTIONS);
  base.requirePreprocessing();
  const { resume = false, out } = options;
  const known = resume && out !== undefined ? await inSplitsOf<Dataset>(out, given) : given;
  // Whatever needs only the model and the names of the files is checked before anything is written or computed.
  const first = planRun(base, known, options);
  await checkFiles(known);
  const looked = resume && (await isChecked(out)) ? { data: known } : await lookAt(known, options);
  const { data, report } = { report: undefined, ...looked };
  const plan = data.samples === known.samples ? first : planRun(base, data, options);
  const phases = plan.phases.map(({ unfreeze }) => unfreeze);
  const run = await openRun({ identity: identityOf(base, plan), phases, data }, options);
  try {
    announce(base, plan.cut, options);
    const finished = await runPlan({ base, data, report, options, plan, run, started });
    return finished as unknown as Run<T>; // runPlan measures as the data's task is
  } catch (error) {
    throw withAdvice(error, run, options.about);
  } finally {
    await run.folder?.close();
  }
}

interface Job {
  readonly base: Model;
  readonly data: Dataset;
  /** What looking at the images found, if they were looked at. */
  readonly report: DatasetReport | undefined;
  readonly options: FineTuneOptions;
  readonly plan: RunPlan;
  readonly run: OpenRun;
  readonly started: number;
}

async function runPlan(job: Job): Promise<Run> {
  const { base, data, options, plan, run, started } = job;
  const { recipe } = plan;
  for (const text of plan.notes) options.onProgress?.({ kind: "plan", text });
  options.onProgress?.({ kind: "plan", text: `recipe    ${describeRecipe(recipe)}` });
  for (const text of plan.warnings) options.onProgress?.({ kind: "warning", text });
  const seedling = await sow(job);
  const featuresDone = clock();
  await using grown = await grow(seedling, plan, run, options);
  const worse = await farFromProbe(seedling, grown.outcomes, recipe);
  if (worse !== undefined) options.onProgress?.({ kind: "warning", text: worse });

  const { classes, task } = data;
  const { activation } = LOSSES[recipe.loss](recipe.lossOptions);
  const { scale, features } = seedling;
  const common = { scale, classes, activation, session: { threads: options.threads, provider: options.provider } };
  const probe = { ...common, scoring: featuresGraph(seedling.backbone), rows: features, head: seedling.head };
  const baseline = await measureNetwork(probe);
  const measured = grown.outcomes.length === 0 ? baseline : await measureNetwork({ ...common, ...grown });
  const id = run.folder?.id ?? defaultRunName("run");
  const { model, write } = modelOf({
    base,
    backbone: grown.backbone,
    measured,
    activation,
    task,
    classes,
    trainingMean: scale.targets?.mean,
    augmentation: plan.phases.find(({ augment }) => augment.augmentation)?.augment.augmentation,
    run: id,
  });
  const trainingDone = clock();
  const { folder } = run;
  const phases = phasesOf(grown);
  const finished: Run = {
    id,
    folder: folder?.path,
    classes,
    cut: plan.cut,
    recipe,
    metrics: measured.evaluation.metrics,
    evaluation: measured.evaluation,
    baseline: baseline.evaluation,
    comparison:
      measured === baseline
        ? undefined
        : compareEvaluations(baseline.evaluation, measured.evaluation, { a: baseline.results, b: measured.results }),
    evaluatedOn: measured.evaluatedOn,
    history: grown.outcomes.flatMap(({ history }) => history),
    phases,
    bestEpoch: phases.at(-1)?.bestEpoch ?? 0,
    stopped: phases.at(-1)?.stopped,
    temperature: measured.temperature,
    calibration: measured.calibration,
    thresholds: measured.thresholds,
    seconds: { features: featuresDone - started, training: trainingDone - featuresDone, total: trainingDone - started },
    featuresFromCache: features.clean.fromCache,
    failed: failedOf(features),
    model,
    export: write,
  };
  if (!folder) return finished;
  await folder.writeModel(write);
  const written = { ...finished, seconds: { ...finished.seconds, total: clock() - started } };
  await folder.write("result", resultRecord(written));
  await folder.dropCheckpoints();
  return written;
}

/** Computes the features of the frozen network, checks them, and solves the probe on them. */
async function sow({ base, data, report, options, plan, run }: Job): Promise<Seedling> {
  const { onProgress, signal } = options;
  const { recipe, cut } = plan;
  const preprocessing = base.requirePreprocessing();
  const warn = (text: string): void => onProgress?.({ kind: "warning", text });
  const backbone =
    recipe.batchNorm === "adapt" ? await adaptBackbone(plan.backbone, { data, preprocessing }, options) : plan.backbone;
  const features = await featureRows(backbone, data, {
    ...options,
    views: viewsOf(plan.augment, recipe.seed).views,
    name: base.name,
    preprocessing,
    clock: now,
    onWarning: warn,
    onProgress: (done, total) => onProgress?.({ kind: "features", done, total }),
  });
  for (const text of checkSplits(data, features.split, failedOf(features))) warn(text);
  if (report !== undefined) {
    const found = await lookCloser({ model: base, cut, set: features.clean, data, seed: recipe.seed }, report, options);
    await run.folder?.write("check", withFindings(report, found));
  }
  const train = features.split("train");
  const scale = measureHeadScale(train);
  const { parameters: head } = await trainProbe({
    train: onScale({ ...train, views: undefined }, scale),
    validation: onScale(features.split("validation"), scale),
    numClasses: data.classes.length,
    activation: LOSSES[recipe.loss](recipe.lossOptions).activation,
    deviation: scale.features.deviation,
    signal,
  });
  const usable = { ...data, samples: features.clean.samples };
  return { name: base.name, preprocessing, backbone, head, scale, features, data: usable };
}

function failedOf({ clean }: FeatureRows): Run["failed"] {
  return clean.failed.map(({ sample, error }) => ({ file: sample.file, error }));
}

function phasesOf({ outcomes }: Grown): readonly RunPhase[] {
  return outcomes.map(({ phase, history, bestEpoch, averaged, stopped }) => ({
    phase,
    epochs: history.length,
    bestEpoch,
    averaged,
    stopped,
  }));
}

function announce(base: Model, cut: Cut, { onProgress }: FineTuneOptions): void {
  const say = (text: string): void => onProgress?.({ kind: "plan", text });
  const pooled = { none: "", spatial: ", averaged over positions", tokens: ", averaged over tokens" }[cut.pooling];
  say(`input     ${describePreprocessing(base.requirePreprocessing())} (from ${base.preprocessingSource})`);
  say(
    `features  "${cut.value}" ${formatShape(cut.shape)}${pooled} → ${cut.width} per image${cut.classifier ? `, before ${cut.classifier.op} "${cut.classifier.name}"` : ""}`,
  );
}
