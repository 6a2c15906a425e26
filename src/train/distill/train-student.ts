/** Trains a student, from the image on, to give what its teacher gives. */
import { GraphBuilder } from "../../graph/builder.ts";
import type { Graph } from "../../graph/graph.ts";
import { LOSSES } from "../../losses/table.ts";
import { initialize, torchUniform, ZERO } from "../../models/architectures/initializers.ts";
import { FEATURES } from "../../models/backbone.ts";
import { HEAD, type HeadSize, headGraph, type Parameters } from "../../models/head.ts";
import { START } from "../../models/trainable-graph.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import type { FitResult, LabelledRows, TrainingRows } from "../fit-options.ts";
import { meanLoss } from "../measure.ts";
import type { Recipe } from "../recipe.ts";
import { scoreRows } from "../score.ts";
import { StepThread } from "../step-thread.ts";
import { checkLogits } from "../train-head.ts";
import { type PhaseContext, trainPhase } from "../train-phase.ts";
import type { Trainer } from "../train-step.ts";
import { scoringGraph, type UnfrozenNetwork } from "../unfreeze-network.ts";

/** Name of the phase, in reports. */
export const STUDENT_PHASE = "distill";

export interface TrainStudentOptions extends PhaseContext {
  /** The student, all of which trains; without its own classifier. */
  readonly network: UnfrozenNetwork;
  /** From the student's features to the teacher's. */
  readonly head: HeadSize;
  readonly train: TrainingRows;
  /** Images that are not trained on. */
  readonly validation: LabelledRows;
  /** Measures of the features with the current weights, by the number of epochs so far: nothing in most epochs. */
  readonly probe?: ((features: Graph, epoch: number) => Promise<Readonly<Record<string, number>>>) | undefined;
  readonly recipe: Recipe;
  readonly session: SessionOptions;
  /** Bytes of activations beyond which parts of the forward pass are computed twice. No limit by default. */
  readonly memoryLimit?: number | undefined;
  /** Told before the first step. */
  readonly onPrepared?: ((step: Trainer) => void | Promise<void>) | undefined;
}

/**
 * Trains to the last epoch; the best epoch is the one with the smallest loss on the images that are held out.
 * A linear layer between the student's features and what the teacher gives is trained along and then dropped, since their
 * widths differ (Romero et al. 2015, arXiv:1412.6550). Equal inputs and seeds give equal bits.
 */
export async function trainStudent(options: TrainStudentOptions): Promise<FitResult> {
  const { network, head, train, validation, recipe, session, memoryLimit, probe, onPrepared, ...context } = options;
  const { trainable } = network;
  const { learningRate, optimizer, optimizerOptions, weightDecay, clipNorm, averageDecay } = recipe;
  const lossOptions = recipe.lossOptions;
  const loss = LOSSES[recipe.loss](lossOptions);
  await using step = await StepThread.create({
    forward: withHead(trainable.evaluation, head),
    training: withHead(trainable.training, head),
    input: START,
    parameters: new Map([...trainable.parameters, ...freshHead(head, recipe.seed)]),
    numClasses: head.numClasses,
    batchSize: Math.min(recipe.batchSize, train.rows.count),
    statistics: trainable.statistics,
    running: trainable.running,
    loss: recipe.loss,
    lossOptions,
    optimizer,
    optimizerOptions: { ...optimizerOptions, weightDecay },
    clipNorm: clipNorm > 0 ? clipNorm : undefined,
    averageDecay: averageDecay > 0 ? averageDecay : undefined,
    memoryLimit,
    session,
  });
  await onPrepared?.(step);
  const stepsPerEpoch = Math.ceil(train.rows.count / Math.min(recipe.batchSize, train.rows.count));
  return await trainPhase({
    ...context,
    phase: STUDENT_PHASE,
    recipe,
    step,
    train,
    validate: async () => {
      const outputs = await scoreRows(step, validation.rows);
      checkLogits(outputs, learningRate);
      const measured = await probe?.(scoringGraph(network, await step.parameters()), step.steps / stepsPerEpoch);
      return { loss: await meanLoss(loss, outputs, validation.targets), ...measured };
    },
    sampleShape: trainable.evaluation.inputs
      .find(({ name }) => name === START)!
      .shape!.slice(1)
      .map(Number),
    numClasses: head.numClasses,
  });
}

/** Suffix and linear layer: to HEAD.logits and the suffix's further outputs. */
function withHead(suffix: Graph, head: HeadSize): Graph {
  const b = new GraphBuilder("student", suffix);
  b.append(headGraph(head));
  const logits = { name: HEAD.logits, dtype: "float32", shape: ["batch", head.numClasses] } as const;
  return b.build([logits, ...suffix.outputs.filter(({ name }) => name !== FEATURES)]);
}

/** Weights drawn as PyTorch draws those of a linear layer: from zeros, the first gradients of the student would be none. */
function freshHead({ width, numClasses }: HeadSize, seed: number): Parameters {
  const init = torchUniform({ in: width, out: numClasses });
  const specs = [
    { name: HEAD.weight, shape: [numClasses, width], init },
    { name: HEAD.bias, shape: [numClasses], init: ZERO },
  ];
  return initialize(specs, seed);
}
