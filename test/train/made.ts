/** Small learning problems that tests make for themselves. */

import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { classTargets } from "../../src/losses/targets.ts";
import { FEATURES } from "../../src/models/backbone.ts";
import { headGraph, linearHead } from "../../src/models/head.ts";
import { adamw } from "../../src/optim/adam.ts";
import { rng } from "../../src/random.ts";
import type { PhaseRecipe } from "../../src/train/options.ts";
import type { LabelledFeatures } from "../../src/train/train-head.ts";
import { TrainStep, type TrainStepOptions } from "../../src/train/train-step.ts";

export const WIDTH = 4;
export const CLASSES = ["a", "b", "c"];

/** Points of three classes around three corners, `spread` wide. */
export function clusters(count: number, { seed = 0, spread = 0.3 } = {}): LabelledFeatures {
  const random = rng(seed);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  const features = Float32Array.from({ length: count * WIDTH }, (_, i) => {
    const column = i % WIDTH;
    return (column === labels[Math.floor(i / WIDTH)]! ? 2 : 0) + spread * random.normal();
  });
  return { features, targets: classTargets(labels) };
}

export const RECIPE: PhaseRecipe = {
  epochs: 20,
  batchSize: 8,
  learningRate: 0.01,
  optimizer: "adamw",
  weightDecay: 0.01,
  loss: "cross-entropy",
  labelSmoothing: 0,
  patience: 10,
  seed: 0,
};

/** A step that trains a linear head on `clusters`, a fresh one unless told otherwise. */
export async function headStep({
  loss = crossEntropy(),
  optimizer = adamw(),
  numClasses = CLASSES.length,
  parameters = linearHead({ width: WIDTH, numClasses }),
  rates,
}: Partial<
  Pick<TrainStepOptions, "loss" | "optimizer" | "numClasses" | "parameters" | "rates">
> = {}): Promise<TrainStep> {
  const forward = headGraph({ width: WIDTH, numClasses });
  return await TrainStep.create({ forward, input: FEATURES, parameters, loss, optimizer, numClasses, rates });
}
