/** Trains the unfrozen part of a network together with its head, from where the head alone has brought it. */
import type { Choose, VariantTable } from "../autodiff/lowering/fast/choice.ts";
import type { Standardization } from "../features/standardize.ts";
import { foldIntoHead } from "../features/standardize.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph } from "../graph/graph.ts";
import { withoutNames } from "../graph/rename.ts";
import { LOSSES } from "../losses/table.ts";
import type { Targets } from "../losses/targets.ts";
import { fitTemperature, type TemperatureOptions } from "../metrics/temperature.ts";
import { FEATURES } from "../models/backbone.ts";
import type { NormalizedSuffix } from "../models/batch-norm.ts";
import { HEAD, headGraph, type Parameters } from "../models/head.ts";
import { START } from "../models/trainable-graph.ts";
import { cosine } from "../optim/schedule.ts";
import { rng } from "../random.ts";
import { blockedLayout } from "../runtime/blocked-layout.ts";
import type { SessionOptions } from "../runtime/session.ts";
import { float32 } from "../tensor/tensor.ts";
import type { Callback } from "./callback.ts";
import { earlyStopping } from "./early-stopping.ts";
import { type FitResult, fit, type LabelledRows } from "./fit.ts";
import { epochMeasures } from "./measure.ts";
import type { Recipe } from "./options.ts";
import { scoreRows } from "./score.ts";
import { StepThread } from "./step-thread.ts";
import { scaleTargets, unscaleHead } from "./target-scale.ts";
import { checkLogits, MONITOR, type TrainedHead } from "./train-head.ts";
import { planTraining, type StepMemory, type TrainingPlanOptions } from "./training-plan.ts";
import { tunedVariants } from "./tuned-variants.ts";

export interface TrainNetworkOptions {
  /** The unfrozen part, from START and its parameters to FEATURES [batch, width]. */
  readonly suffix: NormalizedSuffix;
  readonly head: TrainedHead;
  readonly train: LabelledRows;
  readonly validation: LabelledRows;
  readonly classes: readonly string[];
  readonly recipe: Recipe;
  readonly callbacks: readonly Callback[];
  readonly session: SessionOptions;
  /** Bytes of activations beyond which parts of the forward pass are computed twice. No limit by default. */
  readonly memoryLimit?: number | undefined;
  /** Told what a step takes in memory, before the first. */
  readonly onMemory?: ((memory: StepMemory) => void) | undefined;
  /** Told how many gradients are about to be measured, where the recipe asks for that and this machine has not yet. */
  readonly onMeasure?: ((count: number) => void) | undefined;
  readonly onStep?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The trained network: `parameters` and statistics of the backbone, `folded` those of the head on raw features. */
export interface TrainedNetwork extends FitResult {
  /** What the logits were divided by, fitted on the validation split; `folded` contains it. Undefined for a regression. */
  readonly temperature: number | undefined;
  readonly folded: Parameters;
}

/**
 * Trains until the validation loss stops falling and restores the best epoch; the head alone counts as epoch 0. The loss
 * is measured at the best temperature of each epoch: a network that trains on soon grows surer than it is right, and its
 * plain loss rises while it still gets better. A regression has no temperature.
 * The head keeps reading standardized features, on the scale measured before training (Kumar et al. 2022,
 * arXiv:2202.10054, for training the head first). Equal inputs and seeds give equal bits.
 */
export async function trainNetwork(options: TrainNetworkOptions): Promise<TrainedNetwork> {
  const { suffix, head, train, validation, classes, recipe, callbacks, session, signal } = options;
  const { seed, epochs, learningRate, patience } = recipe;
  const batchSize = Math.min(recipe.batchSize, train.rows.count); // no step is larger, so none is planned for more
  const loss = LOSSES[recipe.loss]({ labelSmoothing: recipe.labelSmoothing });
  const temperatureOf = (logits: Float32Array): number | undefined =>
    loss.activation === "identity"
      ? undefined
      : fitTemperature({
          logits,
          labels: labelsFrom(validation.targets),
          numClasses: classes.length,
          activation: loss.activation,
        });
  const totalSteps = epochs * Math.ceil(train.rows.count / batchSize);
  const network = {
    forward: withHead(suffix.evaluation, head.scale, classes.length),
    training: withHead(suffix.training, head.scale, classes.length),
    input: START,
    parameters: new Map([...suffix.parameters, ...head.parameters]),
    numClasses: classes.length,
    batchSize,
    memoryLimit: options.memoryLimit,
    session,
  };
  await using step = await StepThread.create({
    ...network,
    statistics: suffix.statistics,
    running: suffix.running,
    loss: recipe.loss,
    labelSmoothing: recipe.labelSmoothing,
    optimizer: recipe.optimizer,
    weightDecay: recipe.weightDecay,
    variants: recipe.autotune ? await variantsFor(network, options) : undefined,
  });
  options.onMemory?.(step.memory);
  const result = await fit({
    step,
    train: { ...train, targets: scaleTargets(train.targets, head.targetScale) },
    validate: async () => {
      const outputs = await scoreRows(step, validation.rows);
      checkLogits(outputs, learningRate);
      const calibrated = divided(outputs, temperatureOf(outputs));
      return await epochMeasures(calibrated, {
        targets: validation.targets,
        classes,
        loss,
        scale: head.targetScale,
      });
    },
    epochs,
    batchSize,
    schedule: cosine({ peak: learningRate, totalSteps, warmupSteps: Math.floor(totalSteps / 10) }),
    monitor: MONITOR,
    keepStart: recipe.keepHead,
    rng: rng(seed).fork("order"),
    callbacks: [earlyStopping({ monitor: MONITOR, patience }), ...callbacks],
    onStep: options.onStep,
    signal,
  });
  const temperature = temperatureOf(await scoreRows(step, validation.rows)); // of the best epoch, which is restored
  const folded = unscaleHead(foldIntoHead(result.parameters, head.scale), head.targetScale);
  return {
    ...result,
    temperature,
    parameters: new Map([...result.parameters].filter(([name]) => !head.parameters.has(name))),
    folded: new Map(
      [...folded].map(([name, { shape, data }]) => [name, float32(shape, divided(data, temperature))] as const),
    ),
  };
}

/** How this machine computes the gradients of the network fastest; measured in the calling thread, without blocking it. */
async function variantsFor(
  network: Omit<TrainingPlanOptions, "loss"> & { readonly training: Graph },
  { recipe, session, onMeasure, signal }: TrainNetworkOptions,
): Promise<VariantTable | undefined> {
  const block = (session.provider ?? "cpu") === "cpu" ? await blockedLayout() : undefined;
  if (block === undefined) return undefined;
  const loss = LOSSES[recipe.loss]();
  const plan = (choose: Choose) => planTraining({ ...network, forward: network.training, loss, block, choose });
  return tunedVariants(plan, { block, session, onMeasure, signal });
}

function divided(values: Float32Array, divisor: number | undefined): Float32Array {
  return divisor === undefined ? values : values.map((value) => value / divisor);
}

/** Classes as a temperature is fitted to them. */
function labelsFrom({ task, values }: Targets): TemperatureOptions["labels"] {
  return task === "multi-label" ? { indicators: values } : values;
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
