/** Trains the unfrozen part of a network together with its head, from where the head alone has brought it. */
import type { Choose, VariantTable } from "../autodiff/lowering/fast/choice.ts";
import { RootstockError } from "../errors.ts";
import type { Standardization } from "../features/standardize.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { withoutNames } from "../graph/rename.ts";
import { FEATURES } from "../models/backbone.ts";
import type { NormalizedSuffix } from "../models/batch-norm.ts";
import { HEAD, headGraph, type Parameters } from "../models/head.ts";
import { START } from "../models/trainable-graph.ts";
import { blockedLayout } from "../runtime/blocked-layout.ts";
import type { SessionOptions } from "../runtime/session.ts";
import { float32 } from "../tensor/tensor.ts";
import type { FitResult, LabelledRows } from "./fit-options.ts";
import { epochMeasures } from "./measure.ts";
import { objectiveOf } from "./objective.ts";
import type { Recipe } from "./recipe.ts";
import { scoreRows } from "./score.ts";
import { StepThread } from "./step-thread.ts";
import { scaleTargets } from "./target-scale.ts";
import { divided, temperatureOf } from "./temperature.ts";
import { checkLogits, type HeadScale } from "./train-head.ts";
import { type PhaseContext, trainPhase } from "./train-phase.ts";
import type { Trainer } from "./train-step.ts";
import { planTraining, type StepMemory, type TrainingPlanOptions } from "./training-plan.ts";
import { tunedVariants } from "./tuned-variants.ts";

export interface TrainNetworkOptions extends PhaseContext {
  /** What is unfrozen, for reports. */
  readonly phase: string;
  /** The unfrozen part, from START and its parameters to FEATURES [batch, width]. */
  readonly suffix: NormalizedSuffix;
  /** The head's parameters at the start, for features and targets on `scale`. */
  readonly head: Parameters;
  readonly scale: HeadScale;
  readonly train: LabelledRows;
  readonly validation: LabelledRows;
  readonly classes: readonly string[];
  readonly recipe: Recipe;
  /** Order of the axes of images, where training starts at them. */
  readonly layout?: "NCHW" | "NHWC" | undefined;
  /** Learning rate of a parameter as a multiple of the recipe's. @default 1 for all */
  readonly rates?: ReadonlyMap<Value, number> | undefined;
  readonly session: SessionOptions;
  /** Bytes of activations beyond which parts of the forward pass are computed twice. No limit by default. */
  readonly memoryLimit?: number | undefined;
  /** Told what a step takes, before the first. */
  readonly onPrepared?: ((step: PreparedStep) => void | Promise<void>) | undefined;
  /** Told how many gradients are about to be measured, where the recipe asks for that and this machine has not yet. */
  readonly onMeasure?: ((count: number) => void) | undefined;
}

/** A step that is ready. */
export interface PreparedStep {
  readonly memory: StepMemory;
  /** Images that the network takes at once. */
  readonly batchSize: number;
  readonly step: Trainer;
}

/**
 * Trains until the monitored measure no longer improves and restores the best epoch; the start counts as epoch 0. The loss
 * is measured at the best temperature of each epoch: a network that trains on soon grows surer than it is right, and its
 * plain loss rises while it still gets better. A regression has no temperature.
 * The head keeps reading standardized features, on the scale measured before training (Kumar et al. 2022,
 * arXiv:2202.10054, for training the head first). Equal inputs and seeds give equal bits.
 */
export async function trainNetwork(options: TrainNetworkOptions): Promise<FitResult> {
  const { phase, suffix, head, scale, train, validation, classes, recipe, layout, rates, session } = options;
  const { callbacks, checkpoints, from, remembered, onFound, onStep, signal } = options;
  const { learningRate, optimizer, optimizerOptions, weightDecay, clipNorm, averageDecay, startPenalty } = recipe;
  const objective = objectiveOf(recipe, scaleTargets(train.targets, scale.targets), classes.length);
  const network = {
    forward: withHead(suffix.evaluation, scale.features, classes.length),
    training: withHead(suffix.training, scale.features, classes.length),
    input: START,
    parameters: new Map([...suffix.parameters, ...head]),
    numClasses: classes.length,
    memoryLimit: options.memoryLimit,
    session,
  };
  const { step: started, batchSize } = await withinMemory(options, async (size) =>
    StepThread.create({
      ...network,
      batchSize: size,
      statistics: suffix.statistics,
      running: suffix.running,
      loss: objective.name,
      lossOptions: objective.options,
      optimizer,
      optimizerOptions: { ...optimizerOptions, weightDecay },
      rates,
      clipNorm: clipNorm > 0 ? clipNorm : undefined,
      averageDecay: averageDecay > 0 ? averageDecay : undefined,
      startPenalty,
      variants: recipe.autotune
        ? await variantsFor({ ...network, batchSize: size, loss: objective.loss }, options)
        : undefined,
    }),
  );
  await using step = started;
  await options.onPrepared?.({ memory: step.memory, step, batchSize });
  const { targets } = validation;
  return await trainPhase({
    callbacks,
    checkpoints,
    from,
    remembered,
    onFound,
    onStep,
    signal,
    phase,
    recipe,
    step,
    train: { rows: train.rows, targets: objective.targets },
    validate: async () => {
      const { loss } = objective;
      const outputs = await scoreRows(step, validation.rows);
      checkLogits(outputs, learningRate);
      const calibrated = divided(outputs, temperatureOf(outputs, targets, { classes, activation: loss.activation }));
      return await epochMeasures(calibrated, { targets, classes, loss, scale: scale.targets });
    },
    keepStart: recipe.keepHead,
    sampleShape: suffix.evaluation.inputs
      .find(({ name }) => name === START)!
      .shape!.slice(1)
      .map(Number),
    layout,
    numClasses: classes.length,
  });
}

/**
 * A step for as many images at once as memory allows, at most a batch; the batches of training stay what they are.
 * @throws RootstockError BAD_CONFIG if not even one image fits.
 */
async function withinMemory(
  { recipe: { batchSize, microBatch }, train, memoryLimit }: TrainNetworkOptions,
  create: (size: number) => Promise<StepThread>,
): Promise<{ readonly step: StepThread; readonly batchSize: number }> {
  let size = Math.min(batchSize, train.rows.count, microBatch || batchSize); // no step is larger, so none is planned for more
  for (;;) {
    const step = await create(size);
    const { activations } = step.memory;
    if (memoryLimit === undefined || activations <= memoryLimit || microBatch > 0) return { step, batchSize: size };
    await step[Symbol.asyncDispose]();
    if (size === 1) {
      const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
      throw new RootstockError(
        "BAD_CONFIG",
        `training requires about ${megabytes(activations)} of memory for a single image, and ${megabytes(memoryLimit)} is the limit. Unfreeze less, take a smaller --image-size, or raise memoryLimit.`,
      );
    }
    size = Math.ceil(size / 2);
  }
}

/** How this machine computes the gradients of the network fastest; measured in the calling thread, without blocking it. */
async function variantsFor(
  network: TrainingPlanOptions & { readonly training: Graph },
  { session, onMeasure, signal }: TrainNetworkOptions,
): Promise<VariantTable | undefined> {
  const block = (session.provider ?? "cpu") === "cpu" ? await blockedLayout() : undefined;
  if (block === undefined) return undefined;
  const plan = (choose: Choose) => planTraining({ ...network, forward: network.training, block, choose });
  return tunedVariants(plan, { block, session, onMeasure, signal });
}

/** Suffix, standardization with constants, and the linear head: to HEAD.logits and the suffix's further outputs. */
function withHead(suffix: Graph, { mean, deviation }: Standardization, numClasses: number): Graph {
  const width = mean.length;
  const { graph, renamed } = withoutNames(suffix, [FEATURES], "backbone.");
  const b = new GraphBuilder("network", graph);
  const centered = b.sub(renamed(FEATURES), b.constant(float32([width], mean)));
  b.named(
    "Mul",
    [
      centered,
      b.constant(
        float32(
          [width],
          deviation.map((value) => 1 / value),
        ),
      ),
    ],
    FEATURES,
  );
  b.append(headGraph({ width, numClasses }));
  const logits = { name: HEAD.logits, dtype: "float32", shape: ["batch", numClasses] } as const;
  return b.build([logits, ...graph.outputs.filter(({ name }) => name !== renamed(FEATURES))]);
}
