/** Trains a fresh linear head on features of the frozen backbone. */
import { foldIntoHead, measure, standardize } from "../features/standardize.ts";
import { LOSSES } from "../losses/table.ts";
import { type Evaluation, evaluateClassification } from "../metrics/classification.ts";
import { FEATURES } from "../models/backbone.ts";
import { HEAD, headGraph, linearHead, type Parameters } from "../models/head.ts";
import { cosine } from "../optim/schedule.ts";
import { OPTIMIZERS } from "../optim/table.ts";
import { rng } from "../random.ts";
import { Session } from "../runtime/session.ts";
import { tensor } from "../tensor/tensor.ts";
import type { Callback, Monitor } from "./callback.ts";
import { earlyStopping } from "./early-stopping.ts";
import { diverged, type FitResult, fit, type LabelledFeatures } from "./fit.ts";
import type { Recipe } from "./options.ts";
import { TrainStep } from "./train-step.ts";

/** The best epoch is the one with the smallest validation loss: on small sets it is far less noisy than accuracy. */
const MONITOR: Monitor = { measure: "loss", mode: "min" };

export interface TrainHeadOptions {
  readonly train: LabelledFeatures;
  readonly validation: LabelledFeatures;
  readonly classes: readonly string[];
  readonly recipe: Recipe;
  readonly callbacks: readonly Callback[];
  readonly signal?: AbortSignal | undefined;
}

/** The trained head, for raw (not standardized) features. */
export interface TrainedHead extends FitResult {
  readonly parameters: Parameters;
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
  const scaled = ({ features, labels }: LabelledFeatures): LabelledFeatures => ({
    features: standardize(features, scale),
    labels,
  });
  const held = scaled(validation);

  const parameters = linearHead(size);
  const forward = headGraph(size);
  const totalSteps = epochs * Math.ceil(train.labels.length / batchSize);
  await using evaluator = await HeadEvaluator.create(forward, classes, recipe);
  await using step = await TrainStep.create({
    forward,
    parameters,
    loss: LOSSES[recipe.loss](),
    optimizer: OPTIMIZERS[optimizer].create({ weightDecay }),
    numClasses: classes.length,
    session: { threads: 1 }, // the head is too small to share
  });
  const result = await fit({
    step,
    parameters,
    train: scaled(train),
    validate: async () => {
      const logits = await evaluator.logits(parameters, held.features);
      if (!logits.every(Number.isFinite))
        throw diverged("the scores of validation images became infinite", learningRate);
      return measures(evaluator.measure(logits, held.labels));
    },
    epochs,
    batchSize,
    schedule: cosine({ peak: learningRate, totalSteps, warmupSteps: Math.min(20, Math.floor(totalSteps / 10)) }),
    monitor: MONITOR,
    rng: rng(seed).fork("order"),
    callbacks: [earlyStopping({ monitor: MONITOR, patience }), ...callbacks],
    signal,
  });
  return { ...result, parameters: foldIntoHead(parameters, scale) };
}

/** Measures heads on features. */
export class HeadEvaluator implements AsyncDisposable {
  readonly #session: Session;
  readonly #classes: readonly string[];
  readonly #activation: "softmax" | "sigmoid";

  private constructor(session: Session, classes: readonly string[], activation: "softmax" | "sigmoid") {
    this.#session = session;
    this.#classes = classes;
    this.#activation = activation;
  }

  static async create(
    forward: ReturnType<typeof headGraph>,
    classes: readonly string[],
    { loss }: Recipe,
  ): Promise<HeadEvaluator> {
    return new HeadEvaluator(
      await Session.create(forward, { threads: 1, optimization: "none" }),
      classes,
      LOSSES[loss]().activation,
    );
  }

  /** Logits [n, numClasses] of a head. */
  async logits(parameters: Parameters, features: Float32Array): Promise<Float32Array> {
    const width = parameters.get(HEAD.weight)!.shape[1]!;
    const feeds = {
      ...Object.fromEntries(parameters),
      [FEATURES]: tensor("float32", [features.length / width, width], features),
    };
    return (await this.#session.run(feeds))[HEAD.logits]!.data as Float32Array; // the head is float32
  }

  /** Everything that is measured of a head. */
  async evaluate(parameters: Parameters, { features, labels }: LabelledFeatures): Promise<Evaluation> {
    return this.measure(await this.logits(parameters, features), labels);
  }

  /** Everything that is measured of logits [n, numClasses]. */
  measure(logits: Float32Array, labels: Int32Array): Evaluation {
    return evaluateClassification({ logits, labels, classes: this.#classes, activation: this.#activation });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#session.release();
  }
}

function measures({ metrics }: Evaluation): Record<string, number> {
  const { loss, accuracy, balancedAccuracy, macroF1 } = metrics;
  return { loss, accuracy, balancedAccuracy, macroF1 };
}
