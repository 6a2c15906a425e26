/** Keras's own networks with weights by formula: what test/golden/architectures/make_keras.py wrote. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { fromKeras, type KERAS_NETWORKS, kerasTarget } from "../../../src/models/architectures/keras-names.ts";
import { ARCHITECTURES } from "../../../src/models/architectures/table.ts";
import { sizeOf, type Tensor } from "../../../src/tensor/tensor.ts";
import { expectSameScores, fill, type GoldenOutput } from "./golden.ts";

export interface KerasModel {
  readonly gain: number;
  /** The model whose paths these are. */
  readonly pathsOf: KerasName;
  /** "conv1_conv/kernel", in Keras's order; with the model that has them first. */
  readonly paths?: readonly string[];
  /** Of every variable, in its order: "7,7,3,64 64". */
  readonly shapes: string;
  readonly outputs: readonly GoldenOutput[];
}

export type KerasName = keyof typeof KERAS_NETWORKS;

const file = readFileSync(new URL("../../golden/architectures/keras.json", import.meta.url), "utf8");
export const KERAS_MODELS = (JSON.parse(file) as { models: Record<KerasName, KerasModel> }).models; // as it was written

/** Every variable of a network: path and shape. */
export function kerasVariables(name: KerasName): [path: string, shape: number[]][] {
  const { pathsOf, shapes } = KERAS_MODELS[name];
  return shapes.split(" ").map((shape, i) => [KERAS_MODELS[pathsOf].paths![i]!, shape.split(",").map(Number)]);
}

/** Checks that Keras's variables become exactly the network's parameters, and that it gives Keras's scores with them. */
export async function expectSameAsKeras(name: KerasName): Promise<void> {
  const { gain, outputs } = KERAS_MODELS[name];
  const weights = new Map<string, Tensor>();
  for (const [path, shape] of kerasVariables(name)) {
    const target = kerasTarget(name, path)!;
    expect(weights.has(target.name), target.name).toBe(false);
    weights.set(target.name, fromKeras(kerasValue(path, shape, gain), target.layout));
  }
  const { parameters } = ARCHITECTURES[name].build();
  const lines = parameters.map(({ name: parameter, shape }) => `${parameter} ${shape}`);
  expect([...weights].map(([parameter, { shape }]) => `${parameter} ${shape}`).toSorted()).toEqual(lines.toSorted());
  await expectSameScores(ARCHITECTURES[name], { outputs }, weights);
}

/** `value_of` in make_keras.py. */
function kerasValue(path: string, shape: readonly number[], gain: number): Tensor<"float32"> {
  const leaf = path.split("/").at(-1);
  if (leaf === "moving_variance") return fill(path, shape, [1, 0.3]);
  if (leaf === "moving_mean") return fill(path, shape, [0, 0.2]);
  if (leaf === "gamma") return fill(path, shape, [gain * 0.8, gain * 0.3]);
  if (leaf !== "kernel") return fill(path, shape, [0, 0.1]);
  const fan = sizeOf(path.includes("depthwise") ? shape.slice(0, 2) : shape.slice(0, -1));
  return fill(path, shape, [0, Math.sqrt((shape.length === 4 ? 6 : 3) / fan)]);
}
