/** Trains a fresh linear head on features of the frozen backbone. */
import { memoryRows } from "../features/rows.ts";
import { foldIntoHead, measure, type Standardization, standardize } from "../features/standardize.ts";
import { LOSSES } from "../losses/table.ts";
import { evaluateClassification } from "../metrics/classification.ts";
import { FEATURES } from "../models/backbone.ts";
import { headGraph, linearHead, type Parameters } from "../models/head.ts";
import { cosine } from "../optim/schedule.ts";
import { OPTIMIZERS } from "../optim/table.ts";
import { rng } from "../random.ts";
import type { Callback, Monitor } from "./callback.ts";
import { earlyStopping } from "./early-stopping.ts";
import { diverged, type FitResult, fit } from "./fit.ts";
import type { PhaseRecipe } from "./options.ts";
import { epochMeasures, scoreRows } from "./score.ts";
import { TrainStep } from "./train-step.ts";

/** The best epoch is the one with the smallest validation loss: on small sets it is far less noisy than accuracy. */
export const MONITOR: Monitor = { measure: "loss", mode: "min" };

/** Features [n, width] row-major, with class indices [n]. */
export interface LabelledFeatures {
  readonly features: Float32Array;
  readonly labels: Int32Array;
}

export interface TrainHeadOptions {
  readonly train: LabelledFeatures;
  readonly validation: LabelledFeatures;
  readonly classes: readonly string[];
  readonly recipe: PhaseRecipe;
  readonly callbacks: readonly Callback[];
  readonly signal?: AbortSignal | undefined;
}

/** The trained head: `parameters` for standardized features, `folded` for raw ones. */
export interface TrainedHead extends FitResult {
  readonly scale: Standardization;
  readonly folded: Parameters;
}

/** Trains a head and restores its best epoch. Equal inputs and seeds give equal bits. */
export async function trainHead({
  train,
  validation,
  classes,
  recipe,
  callbacks,
  signal,
}: TrainHeadOptions): Promise<TrainedHead> {
  const { seed, epochs, batchSize, optimizer, learningRate, weightDecay, patience } = recipe;
  const width = train.features.length / train.labels.length;
  const size = { width, numClasses: classes.length };
  const scale = measure(train.features, width);
  const scaled = ({ features, labels }: LabelledFeatures) => ({
    rows: memoryRows(standardize(features, scale), width),
    labels,
  });
  const held = scaled(validation);
  const { activation } = LOSSES[recipe.loss]();
  const totalSteps = epochs * Math.ceil(train.labels.length / batchSize);
  await using step = await TrainStep.create({
    forward: headGraph(size),
    input: FEATURES,
    parameters: linearHead(size),
    loss: LOSSES[recipe.loss]({ labelSmoothing: recipe.labelSmoothing }),
    optimizer: OPTIMIZERS[optimizer].create({ weightDecay }),
    numClasses: classes.length,
    session: { threads: 1 }, // the head is too small to share
  });
  const result = await fit({
    step,
    train: scaled(train),
    validate: async () => {
      const logits = await scoreRows(step, held.rows);
      checkLogits(logits, learningRate);
      return epochMeasures(evaluateClassification({ logits, labels: held.labels, classes, activation }));
    },
    epochs,
    batchSize,
    schedule: cosine({ peak: learningRate, totalSteps, warmupSteps: Math.min(20, Math.floor(totalSteps / 10)) }),
    monitor: MONITOR,
    rng: rng(seed).fork("order"),
    callbacks: [earlyStopping({ monitor: MONITOR, patience }), ...callbacks],
    signal,
  });
  return { ...result, scale, folded: foldIntoHead(result.parameters, scale) };
}

/** @throws RootstockError DIVERGED if scores are no numbers any more. */
export function checkLogits(logits: Float32Array, learningRate: number): void {
  if (!logits.every(Number.isFinite)) throw diverged("the scores of validation images became infinite", learningRate);
}
