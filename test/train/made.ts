/** Small learning problems that tests make for themselves. */

import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import type { Loss } from "../../src/losses/loss.ts";
import { headGraph, linearHead, type Parameters } from "../../src/models/head.ts";
import { adamw } from "../../src/optim/adam.ts";
import type { Optimizer } from "../../src/optim/optimizer.ts";
import { rng } from "../../src/random.ts";
import type { LabelledFeatures } from "../../src/train/fit.ts";
import type { Recipe } from "../../src/train/options.ts";
import { TrainStep } from "../../src/train/train-step.ts";

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
  return { features, labels };
}

export const RECIPE: Recipe = {
  epochs: 20,
  batchSize: 8,
  learningRate: 0.01,
  optimizer: "adamw",
  weightDecay: 0.01,
  loss: "cross-entropy",
  patience: 10,
  seed: 0,
};

/** A step that trains a fresh linear head on `clusters`. */
export async function headStep(
  loss: Loss = crossEntropy(),
  optimizer: Optimizer = adamw(),
): Promise<{ step: TrainStep; parameters: Parameters }> {
  const size = { width: WIDTH, numClasses: CLASSES.length };
  const parameters = linearHead(size);
  return {
    parameters,
    step: await TrainStep.create({ forward: headGraph(size), parameters, loss, optimizer, numClasses: CLASSES.length }),
  };
}
