/** Small learning problems that tests make for themselves. */

import { int, ints } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Value } from "../../src/graph/graph.ts";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { classTargets } from "../../src/losses/targets.ts";
import { FEATURES } from "../../src/models/backbone.ts";
import { withBatchNorm } from "../../src/models/batch-norm.ts";
import { HEAD, headGraph, linearHead, type Parameters } from "../../src/models/head.ts";
import { adamw } from "../../src/optim/adam.ts";
import { rng } from "../../src/random.ts";
import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { type Recipe, recipe } from "../../src/train/recipe.ts";
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

export const RECIPE: Recipe = recipe(
  { epochs: 20, batchSize: 8, learningRate: 0.01, weightDecay: 0.01, patience: 10 },
  30,
);

/** A step that trains a linear head on `clusters`, a fresh one unless told otherwise. */
export async function headStep({
  loss = crossEntropy(),
  optimizer = adamw(),
  numClasses = CLASSES.length,
  parameters = linearHead({ width: WIDTH, numClasses }),
  ...others
}: Partial<Omit<TrainStepOptions, "forward" | "input">> = {}): Promise<TrainStep> {
  const forward = headGraph({ width: WIDTH, numClasses });
  return await TrainStep.create({ forward, input: FEATURES, parameters, loss, optimizer, numClasses, ...others });
}

/** A convolutional network with batch normalization that follows the batches, and what a step of it needs. */
export interface MadeNetwork extends Pick<TrainStepOptions, "forward" | "training" | "statistics" | "numClasses"> {
  readonly input: "x";
  readonly parameters: Parameters;
  readonly running: Parameters;
  /** Numbers per sample. */
  readonly rowLength: number;
}

/** Convolution, normalization, Relu and convolution of images [channels, 6, 6], their average and a head of 3 classes. */
export function normalizedNetwork(channels = 32): MadeNetwork {
  const random = rng("network");
  const parameters = new Map<Value, Tensor<"float32">>();
  const b = new GraphBuilder("network");
  const parameter = (name: string, ...shape: number[]): Value => {
    const values = Float32Array.from({ length: sizeOf(shape) }, () => random.normal() / Math.sqrt(9 * channels));
    parameters.set(name, float32(shape, values));
    return b.input({ name, dtype: "float32", shape });
  };
  const same = { pads: ints([1, 1, 1, 1]) };
  const x = b.input({ name: "x", dtype: "float32", shape: ["batch", channels, 6, 6] });
  const convolved = b.op("Conv", [x, parameter("first", channels, channels, 3, 3)], same);
  const [scale, shift] = [parameter("norm.scale", channels), parameter("norm.shift", channels)];
  parameters.get(scale)!.data.fill(1);
  const mean = b.initializer("norm.mean", float32([channels], new Float32Array(channels).fill(0.1)));
  const variance = b.initializer("norm.var", float32([channels], new Float32Array(channels).fill(2)));
  const normalized = b.op("Relu", [b.op("BatchNormalization", [convolved, scale, shift, mean, variance])]);
  const second = b.op("Conv", [normalized, parameter("second", channels, channels, 3, 3)], same);
  const features = b.op("Flatten", [b.op("GlobalAveragePool", [second])], { axis: int(1) });
  const head = parameter(HEAD.weight, 3, channels);
  b.named("Gemm", [features, head, parameter(HEAD.bias, 3)], HEAD.logits, { transB: int(1) });
  const graph = b.build([{ name: HEAD.logits, dtype: "float32", shape: ["batch", 3] }]);
  const { training, evaluation, statistics, running } = withBatchNorm({ suffix: graph, parameters }, "train");
  const rowLength = channels * 36;
  return { forward: evaluation, training, statistics, running, parameters, input: "x", numClasses: 3, rowLength };
}

/** Images for a network and the classes 0, 1, 2 in turn. */
export function noise(count: number, { rowLength }: Pick<MadeNetwork, "rowLength">, seed: number | string = 0) {
  const random = rng(seed);
  return {
    samples: Float32Array.from({ length: count * rowLength }, () => random.normal()),
    targets: classTargets(Int32Array.from({ length: count }, (_, i) => i % 3)),
  };
}
