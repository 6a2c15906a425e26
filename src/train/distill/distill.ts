/** Knowledge distillation: what a large pretrained network sees in unlabelled images is taught to a small one. */
import { bySplit, type Dataset } from "../../data/sample.ts";
import { RootstockError } from "../../errors.ts";
import { selectRows, streamedRows } from "../../features/rows.ts";
import type { ViewOptions } from "../../features/view-tables.ts";
import type { Graph } from "../../graph/graph.ts";
import { saveGraph } from "../../graph/save.ts";
import { findCut } from "../../models/backbone.ts";
import { describeBatchNorm } from "../../models/batch-norm.ts";
import { isHeadParameter, type Parameters } from "../../models/head.ts";
import { Model } from "../../models/model.ts";
import { withValues } from "../../models/trainable-graph.ts";
import { checkKeys } from "../../transforms/known-options.ts";
import { VERSION } from "../../version.ts";
import { writeAtomically } from "../../weights/files.ts";
import type { EpochReport } from "../callback.ts";
import { describeRecipe } from "../describe-recipe.ts";
import { type OpenRun, openRun, withAdvice } from "../open-run.ts";
import { DISTILL_OPTIONS } from "../option-names.ts";
import { graphHash } from "../run-identity.ts";
import { clock, defaultRunName, now, totalMemory } from "../run-record.ts";
import { estimateTime } from "../time-estimate.ts";
import { trainingBackbone, type UnfrozenNetwork, unfreezeNetwork } from "../unfreeze-network.ts";
import { type Lessons, teach } from "./lessons.ts";
import { type DistillOptions, type DistillRecipe, distillAugmentation, distillRecipe } from "./options.ts";
import { type FeatureProbe, featureProbe } from "./probe-student.ts";
import { teacherGraph } from "./teacher.ts";
import { STUDENT_PHASE, type TrainStudentOptions, trainStudent } from "./train-student.ts";

/** A network that was taught. */
export interface Distilled {
  readonly id: string;
  /** The run's folder, if it was given one. */
  readonly folder: string | undefined;
  readonly recipe: DistillRecipe;
  readonly history: readonly EpochReport[];
  /** From 1. */
  readonly bestEpoch: number;
  /** Of the best epoch: `loss` on the images that were held out; of a last probe, where there is one, its measures. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Images that could not be decoded, by file. */
  readonly failed: readonly { readonly file: string; readonly error: string }[];
  readonly seconds: { readonly teacher: number; readonly total: number };
  /** From the image to features. */
  readonly model: Model;
  /** Writes the model as one ONNX file. */
  export(path: string): Promise<void>;
}

/**
 * Teaches a student to give what a teacher gives, on images whose labels, if they have any, are not looked at. The teacher
 * is asked once about each image and each of its random views; its answers are in the feature cache.
 * @param images Of the split "train", and some of "validation", on which the student is measured.
 * @param student A network of any weights, with BatchNormalization or without; `freshModel` gives one without pretraining.
 * @throws RootstockError BAD_MODEL if teacher or student cannot be cut; BAD_CONFIG for an option; BAD_DATA if there are no
 * images; ABORTED through `signal`, after the state was kept in `out`.
 */
export async function distill(
  teacher: Model,
  student: Model,
  images: Dataset,
  options: DistillOptions = {},
): Promise<Distilled> {
  const started = clock();
  checkKeys("distill", options, DISTILL_OPTIONS);
  const recipe = distillRecipe(options, bySplit(images, "train").length);
  const plan = planOf(teacher, student, { images, recipe, options });
  const run = await openRun({ identity: plan.identity, phases: [STUDENT_PHASE], data: images }, options);
  try {
    return await carryOut({ teacher, student, images, plan, recipe, options, run, started });
  } catch (error) {
    throw withAdvice(error, run, options.about);
  } finally {
    await run.folder?.close();
  }
}

/** What a distillation will do, decided before anything is computed. */
interface DistillPlan {
  /** From the image to what is matched. */
  readonly teaching: Graph;
  readonly network: UnfrozenNetwork;
  /** Length of the student's features. */
  readonly width: number;
  readonly augmentation: ReturnType<typeof distillAugmentation>;
  /** Everything that decides the result, besides the images. */
  readonly identity: object;
}

interface Given {
  readonly images: Dataset;
  readonly recipe: DistillRecipe;
  readonly options: DistillOptions;
}

function planOf(teacher: Model, student: Model, { images, recipe, options }: Given): DistillPlan {
  const training = bySplit(images, "train").length;
  if (training === 0 || bySplit(images, "validation").length === 0)
    throw new RootstockError(
      "BAD_DATA",
      `distillation requires images to train on and some to measure on, got ${training} and ${images.samples.length - training} in ${images.root}.`,
    );
  const teaching = teacherGraph(teacher, recipe.match, options.cut);
  const cut = findCut(student.graph);
  const backbone = trainingBackbone({ base: student, cut });
  const policy = describeBatchNorm(backbone).count > 0 ? "train" : "freeze";
  const augmentation = distillAugmentation(options, training);
  return {
    teaching,
    network: unfreezeNetwork(backbone, { unfreeze: "all", batchNorm: policy }),
    width: cut.width,
    augmentation,
    identity: {
      task: STUDENT_PHASE,
      teacher: { name: teacher.name, sha256: graphHash(teaching), preprocessing: teacher.requirePreprocessing() },
      student: { name: student.name, sha256: graphHash(backbone), preprocessing: student.requirePreprocessing() },
      recipe,
      augmentation: augmentation.augmentation,
    },
  };
}

interface Job extends Given {
  readonly teacher: Model;
  readonly student: Model;
  readonly plan: DistillPlan;
  readonly run: OpenRun;
  readonly started: number;
}

async function carryOut(job: Job): Promise<Distilled> {
  const { teacher, images, plan, recipe, options, run, started } = job;
  const { onProgress } = options;
  onProgress?.({ kind: "plan", text: `recipe    ${describeRecipe(recipe)}` });
  const views = { augmentation: plan.augmentation.augmentation, seed: recipe.seed, count: recipe.views };
  const lessons = await teach(plan.teaching, images, recipe.match, {
    ...options,
    views,
    name: teacher.name,
    preprocessing: teacher.requirePreprocessing(),
    clock: now,
    onWarning: (text) => onProgress?.({ kind: "warning", text }),
    onProgress: (done, total) => onProgress?.({ kind: "features", done, total }),
  });
  const taught = clock();
  const fitted = run.state.outcomes[0] ?? (await learn(job, lessons, views));
  if (fitted.diverged)
    onProgress?.({ kind: "warning", text: `the student has learned less than it was to: ${fitted.stopped}` });
  if (run.state.outcomes.length === 0) await run.checkpoints?.ended({ ...fitted, phase: STUDENT_PHASE });
  const parameters = new Map([...fitted.parameters].filter(([name]) => !isHeadParameter(name)));
  const model = modelOf(job, parameters, run.folder?.id ?? defaultRunName(STUDENT_PHASE));
  const write = async (path: string): Promise<void> => {
    await writeAtomically(path, saveGraph(model.graph, model.metadata));
  };
  const { history, bestEpoch } = fitted;
  const distilled: Distilled = {
    id: model.metadata.get("run_id")!, // set by modelOf
    folder: run.folder?.path,
    recipe,
    history,
    bestEpoch,
    metrics: history.find(({ epoch }) => epoch === bestEpoch)!.validation, // the start is no epoch: keepStart is off
    failed: lessons.failed.map(({ sample, error }) => ({ file: sample.file, error })),
    seconds: { teacher: taught - started, total: clock() - started },
    model,
    export: write,
  };
  if (!run.folder) return distilled;
  await run.folder.writeModel(write);
  await run.folder.write("result", recordOf(distilled));
  await run.folder.dropCheckpoints();
  return distilled;
}

async function learn({ student, plan, recipe, options, run }: Job, lessons: Lessons, views: ViewOptions) {
  const { threads, provider, signal, onProgress, memoryLimit = 0.5 * totalMemory() } = options;
  const session = { threads, provider };
  const preprocessing = student.requirePreprocessing();
  const [height, width] = preprocessing.inputSize;
  const rows = streamedRows(lessons.samples, { preprocessing, augmented: views, width: 3 * height * width, signal });
  const train = { rows: selectRows(rows, lessons.training), targets: lessons.targets };
  const validation = { rows: selectRows(rows, lessons.held), targets: lessons.heldTargets };
  const { batchSize, epochs } = recipe;
  await using probe = options.probe
    ? await featureProbe(options.probe, { name: student.name, preprocessing, clock: now, signal }, session)
    : undefined;
  return await trainStudent({
    network: plan.network,
    head: { width: plan.width, numClasses: lessons.width },
    train,
    validation,
    probe: probe && sometimes(probe, recipe),
    recipe,
    session,
    memoryLimit,
    callbacks: run.listeners,
    checkpoints: run.checkpoints?.phase(),
    from: run.state.fit,
    onStep: (done, total) => onProgress?.({ kind: "step", done, total }),
    signal,
    onPrepared: async (step) => {
      const text = await estimateTime({ step, train, batchSize, epochs, validation: validation.rows.count });
      onProgress?.({ kind: "plan", text });
    },
  });
}

/** A probe after every so many epochs, and after the last; its measures have its name. */
function sometimes(probe: FeatureProbe, { probeEvery, epochs }: DistillRecipe): TrainStudentOptions["probe"] {
  return async (features, epoch) => {
    if (epoch % probeEvery !== 0 && epoch !== epochs) return {};
    const measures = await probe(features);
    return Object.fromEntries(Object.entries(measures).map(([name, value]) => [`probe ${name}`, value]));
  };
}

function modelOf({ teacher, student, plan, recipe }: Job, parameters: Parameters, run: string): Model {
  const own = ["architecture"].flatMap((key) => {
    const value = student.metadata.get(key);
    return value === undefined ? [] : [[key, value] as const];
  });
  return new Model({
    name: student.name,
    graph: withValues(plan.network.backbone, parameters),
    metadata: new Map([
      ...own,
      ["task", "image-feature-extraction"],
      ["preprocessing", JSON.stringify(student.requirePreprocessing())],
      ["pretraining", `distilled from ${teacher.name}: ${recipe.match}`],
      ["teacher_license", teacher.metadata.get("license") ?? "not stated by the teacher"],
      ["run_id", run],
      ["rootstock_version", VERSION],
    ]),
    preprocessing: student.preprocessing,
    preprocessingSource: student.preprocessingSource,
    labels: undefined,
    task: "features",
  });
}

/** What a run's result.json holds. */
function recordOf({ id, recipe, metrics, history, bestEpoch, failed, seconds }: Distilled): unknown {
  return { version: 1, id, task: STUDENT_PHASE, recipe, metrics, epochs: history.length, bestEpoch, failed, seconds };
}
