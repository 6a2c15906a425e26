/** Trains a linear head on features of the frozen backbone, from the probe on or from a fresh one. */
import { memoryRows, type RowViews } from "../features/rows.ts";
import { foldIntoHead, measure, type Standardization, standardize } from "../features/standardize.ts";
import { countTargets, type Targets, totalWeight } from "../losses/targets.ts";
import { FEATURES } from "../models/backbone.ts";
import { headGraph, linearHead, type Parameters } from "../models/head.ts";
import { OPTIMIZERS } from "../optim/table.ts";
import { diverged } from "./fit.ts";
import type { FitResult } from "./fit-options.ts";
import { epochMeasures } from "./measure.ts";
import { type Objective, objectiveOf } from "./objective.ts";
import type { PhaseRecipe } from "./recipe.ts";
import { scoreRows } from "./score.ts";
import { measureTargets, scaleTargets, type TargetScale, unscaleHead } from "./target-scale.ts";
import { type PhaseContext, trainPhase } from "./train-phase.ts";
import { TrainStep } from "./train-step.ts";

/** Features [n, width] row-major, with n rows of targets. */
export interface LabelledFeatures {
  readonly features: Float32Array;
  /** Random views of the rows, which training shows beside them. */
  readonly views?: RowViews | undefined;
  readonly targets: Targets;
}

/** How features and targets are brought to zero mean and unit variance: what a head reads and gives while it trains. */
export interface HeadScale {
  readonly features: Standardization;
  /** Of a regression. */
  readonly targets: TargetScale | undefined;
}

/** Measures the training split. */
export function measureHeadScale({ features, targets }: LabelledFeatures): HeadScale {
  return { features: measure(features, features.length / countTargets(targets)), targets: measureTargets(targets) };
}

/** Features and targets on a scale. */
export function onScale({ features, views, targets }: LabelledFeatures, scale: HeadScale): LabelledFeatures {
  return {
    features: standardize(features, scale.features),
    views: views && { ...views, values: standardize(views.values, scale.features) },
    targets: scaleTargets(targets, scale.targets),
  };
}

/** The head that gives on raw features, in the targets' own unit, what `head` gives on the scale. */
export function offScale(head: Parameters, scale: HeadScale): Parameters {
  return unscaleHead(foldIntoHead(head, scale.features), scale.targets);
}

export interface TrainHeadOptions extends PhaseContext {
  readonly train: LabelledFeatures;
  readonly validation: LabelledFeatures;
  readonly scale: HeadScale;
  readonly classes: readonly string[];
  readonly recipe: PhaseRecipe;
  /** Head on the scale to start from, which counts as epoch 0: the probe. @default undefined, a fresh head, which does not count */
  readonly start?: Parameters | undefined;
}

/**
 * Trains a head, for standardized features and targets, and restores its best epoch: with a start, it never ends with a
 * worse one. Equal inputs and seeds give equal bits.
 */
export async function trainHead(options: TrainHeadOptions): Promise<FitResult> {
  const { train, validation, scale, classes, recipe, start, ...context } = options;
  const { optimizer, optimizerOptions, weightDecay, learningRate, clipNorm, averageDecay } = recipe;
  const width = train.features.length / countTargets(train.targets);
  const size = { width, numClasses: classes.length };
  const scaled = onScale(train, scale);
  const held = memoryRows(onScale(validation, scale).features, width);
  const objective = objectiveOf(recipe, scaled.targets, classes.length);
  await using step = await TrainStep.create({
    forward: headGraph(size),
    input: FEATURES,
    parameters: start ?? linearHead(size, priorBias(train.targets, objective)),
    loss: objective.loss,
    optimizer: OPTIMIZERS[optimizer].create({ ...optimizerOptions, weightDecay }),
    clipNorm: clipNorm > 0 ? clipNorm : undefined,
    averageDecay: averageDecay > 0 ? averageDecay : undefined,
    numClasses: classes.length,
    session: { threads: 1 }, // the head is too small to share
  });
  return await trainPhase({
    ...context,
    phase: "head",
    recipe,
    step,
    train: { rows: memoryRows(scaled.features, width, scaled.views), targets: objective.targets },
    validate: async () => {
      const { targets } = validation;
      const outputs = await scoreRows(step, held);
      checkLogits(outputs, learningRate);
      return await epochMeasures(outputs, { targets, classes, loss: objective.loss, scale: scale.targets });
    },
    keepStart: start !== undefined,
    sampleShape: [width],
    numClasses: classes.length,
    mostWarmup: start ? undefined : MOST_WARMUP,
  });
}

/**
 * Updates of a fresh head in which the learning rate rises at most. One that starts from the probe is where it should be
 * and keeps the whole warm-up: steps that are large before the optimizer knows the gradients would lead it away.
 */
const MOST_WARMUP = 20;

/**
 * The bias with which a fresh head of independent classes starts: the logarithm of the odds of each class in training, times its
 * positive weight, of one image more with it and one more without. It is where binary cross-entropy is least for a head
 * that says the same of every image: w P sigmoid(-b) = N sigmoid(b). Rare and usual classes would take a bias that
 * starts at 0 many steps to reach.
 */
function priorBias(targets: Targets, { options: { positiveWeights } }: Objective): number[] | undefined {
  const { task, values, width, weights } = targets;
  if (task !== "multi-label") return undefined;
  const positive = new Array<number>(width).fill(1);
  for (const [i, value] of values.entries()) positive[i % width]! += value * (weights?.[Math.floor(i / width)] ?? 1);
  const total = totalWeight(targets) + 2;
  return positive.map((count, k) => Math.log(((positiveWeights?.[k] ?? 1) * count) / (total - count)));
}

/** @throws RootstockError DIVERGED if scores are no numbers any more. */
export function checkLogits(logits: Float32Array, learningRate: number): void {
  if (!logits.every(Number.isFinite)) throw diverged("the scores of validation images became infinite", learningRate);
}
