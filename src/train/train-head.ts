/** Trains a fresh linear head on features of the frozen backbone. */
import { memoryRows, type RowViews } from "../features/rows.ts";
import { foldIntoHead, measure, type Standardization, standardize } from "../features/standardize.ts";
import { LOSSES } from "../losses/table.ts";
import { countTargets, type Targets, totalWeight } from "../losses/targets.ts";
import { FEATURES } from "../models/backbone.ts";
import { headGraph, linearHead, type Parameters } from "../models/head.ts";
import { cosine } from "../optim/schedule.ts";
import { OPTIMIZERS } from "../optim/table.ts";
import { rng } from "../random.ts";
import type { Callback, Monitor } from "./callback.ts";
import { earlyStopping } from "./early-stopping.ts";
import { diverged, type FitResult, fit } from "./fit.ts";
import { epochMeasures } from "./measure.ts";
import type { PhaseRecipe } from "./options.ts";
import { scoreRows } from "./score.ts";
import { measureTargets, scaleTargets, type TargetScale, unscaleHead } from "./target-scale.ts";
import { TrainStep } from "./train-step.ts";

/** The best epoch is the one with the smallest validation loss: on small sets it is far less noisy than accuracy. */
export const MONITOR: Monitor = { measure: "loss", mode: "min" };

/** Features [n, width] row-major, with n rows of targets. */
export interface LabelledFeatures {
  readonly features: Float32Array;
  /** Random views of the rows, which training shows beside them. */
  readonly views?: RowViews | undefined;
  readonly targets: Targets;
}

export interface TrainHeadOptions {
  readonly train: LabelledFeatures;
  readonly validation: LabelledFeatures;
  readonly classes: readonly string[];
  readonly recipe: PhaseRecipe;
  readonly callbacks: readonly Callback[];
  readonly signal?: AbortSignal | undefined;
}

/** The trained head: `parameters` for standardized features and targets, `folded` for raw ones. */
export interface TrainedHead extends FitResult {
  readonly scale: Standardization;
  /** Of the training targets of a regression. */
  readonly targetScale: TargetScale | undefined;
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
  const count = countTargets(train.targets);
  const width = train.features.length / count;
  const size = { width, numClasses: classes.length };
  const scale = measure(train.features, width);
  const targetScale = measureTargets(train.targets);
  const scaled = ({ features, views, targets }: LabelledFeatures) => ({
    rows: memoryRows(
      standardize(features, scale),
      width,
      views && { ...views, values: standardize(views.values, scale) },
    ),
    targets: scaleTargets(targets, targetScale),
  });
  const held = scaled(validation).rows;
  const loss = LOSSES[recipe.loss]({ labelSmoothing: recipe.labelSmoothing });
  const totalSteps = epochs * Math.ceil(count / batchSize);
  await using step = await TrainStep.create({
    forward: headGraph(size),
    input: FEATURES,
    parameters: linearHead(size, priorBias(train.targets)),
    loss,
    optimizer: OPTIMIZERS[optimizer].create({ weightDecay }),
    numClasses: classes.length,
    session: { threads: 1 }, // the head is too small to share
  });
  const result = await fit({
    step,
    train: scaled(train),
    validate: async () => {
      const outputs = await scoreRows(step, held);
      checkLogits(outputs, learningRate);
      return await epochMeasures(outputs, { targets: validation.targets, classes, loss, scale: targetScale });
    },
    epochs,
    batchSize,
    schedule: cosine({ peak: learningRate, totalSteps, warmupSteps: Math.min(20, Math.floor(totalSteps / 10)) }),
    monitor: MONITOR,
    rng: rng(seed).fork("order"),
    callbacks: [earlyStopping({ monitor: MONITOR, patience }), ...callbacks],
    signal,
  });
  const folded = unscaleHead(foldIntoHead(result.parameters, scale), targetScale);
  return { ...result, scale, targetScale, folded };
}

/**
 * The bias with which a head of independent classes starts: the logarithm of the odds of each class in training, of one
 * image more with it and one more without. Rare and usual classes would take a bias that starts at 0 many steps to reach.
 */
function priorBias(targets: Targets): number[] | undefined {
  const { task, values, width, weights } = targets;
  if (task !== "multi-label") return undefined;
  const positive = new Array<number>(width).fill(1);
  for (const [i, value] of values.entries()) positive[i % width]! += value * (weights?.[Math.floor(i / width)] ?? 1);
  const total = totalWeight(targets) + 2;
  return positive.map((count) => Math.log(count / (total - count)));
}

/** @throws RootstockError DIVERGED if scores are no numbers any more. */
export function checkLogits(logits: Float32Array, learningRate: number): void {
  if (!logits.every(Number.isFinite)) throw diverged("the scores of validation images became infinite", learningRate);
}
