/** Whole models with formula weights, and their gradients by PyTorch: what test/golden/gradients/make.py wrote. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { gradient, gradientName } from "../../src/autodiff/gradient.ts";
import { int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph, Shape, Value } from "../../src/graph/graph.ts";
import { loadGraph } from "../../src/graph/load.ts";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { classTargets } from "../../src/losses/targets.ts";
import { batchNormTraining } from "../../src/models/batch-norm.ts";
import { Session, type Tensors } from "../../src/runtime/session.ts";
import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";

const FOLDER = new URL("../golden/gradients/", import.meta.url);

/** Each has <name>.json. */
export const GOLDEN_MODELS = [
  "alexnet",
  "convnext_tiny",
  "densenet121",
  "efficientnet_b0",
  "mobilenet_v2",
  "mobilenet_v3_small",
  "resnet18",
  "resnet50",
  "squeezenet1_1",
  "vgg11",
  "vit_tiny",
] as const;

/** Center and radius of the uniform distribution that fills a tensor. */
type Fills = Readonly<Record<Value, readonly [number, number]>>;

export interface GoldenCase {
  readonly batchNorm: "frozen" | "training";
  readonly seed: number;
  readonly batchSize: number;
  readonly loss: number;
  /** Smallest distance to a kink of the model, such as 0 in Relu, in the operator's own scale; null where it is smooth. */
  readonly kinkMargin: number | null;
  /** Relative error of PyTorch's own float32 gradient, over all parameters together. */
  readonly float32Error: number;
  /** By parameter. */
  readonly norms: readonly number[];
  /** By direction, by parameter. */
  readonly projections: readonly (readonly number[])[];
}

export interface Golden {
  /** ONNX files of the same model by different exporters, without weights: those are inputs. */
  readonly topologies: readonly string[];
  readonly size: number;
  readonly numClasses: number;
  readonly parameters: Fills;
  /** By batch norm: radius of the running mean, whose center is 0; center and radius of the running variance. */
  readonly statistics: Readonly<Record<string, readonly [number, number, number]>>;
  readonly cases: readonly GoldenCase[];
}

export function goldenOf(model: string): Golden {
  return JSON.parse(readFileSync(new URL(`${model}.json`, FOLDER), "utf8")) as Golden; // written by make.py beside it
}

/** The model with its running statistics filled in and, on top, the mean cross-entropy as its only output, "loss". */
export function lossGraph(topology: string, golden: Golden, { seed, batchNorm }: GoldenCase): Graph {
  const { graph } = loadGraph(gunzipSync(readFileSync(new URL(topology, FOLDER))), { name: topology });
  const statistics = Object.entries(golden.statistics).flatMap(([name, [mean, ...variance]]) => [
    [`${name}.running_mean`, [0, mean]] as const,
    [`${name}.running_var`, variance] as const,
  ]);
  const buffers = filled(graph, Object.fromEntries(statistics), seed);
  const model: Graph = {
    ...graph,
    inputs: graph.inputs.filter(({ name }) => !Object.hasOwn(buffers, name)),
    initializers: new Map([...graph.initializers, ...Object.entries(buffers)]),
  };
  const b = new GraphBuilder(topology, batchNorm === "training" ? batchNormTraining(model).graph : model);
  const batch = String(graph.inputs.find(({ name }) => name === "image")!.shape![0]);
  const target = b.input(crossEntropy().target("target", batch, golden.numClasses));
  b.named("ReduceMean", [crossEntropy().build(b, "logits", target)], "loss", { keepdims: int(0) });
  return b.build([{ name: "loss", dtype: "float32", shape: [] }]);
}

/** The parameters, images and labels of a case. */
export function feedsOf(
  graph: Graph,
  { parameters, size, numClasses }: Golden,
  { seed, batchSize }: GoldenCase,
): Tensors {
  const labels = Array.from({ length: batchSize }, (_, i) => (7 * i + 3) % numClasses);
  return {
    ...filled(graph, parameters, seed),
    image: fill(`${seed}:image`, [batchSize, 3, size, size], [0, 1.732]),
    target: crossEntropy().encode(classTargets(labels), numClasses),
  };
}

/** The loss and, by parameter, its gradient. */
export async function differentiate(
  graph: Graph,
  feeds: Tensors,
  parameters: readonly Value[],
): Promise<{ loss: number; slopes: Float32Array[] }> {
  const differentiated = gradient(graph, { of: "loss", with: parameters });
  await using session = await Session.create(differentiated, { optimization: "none" });
  const out = await session.run(feeds);
  const slopes = parameters.map((name) => out[gradientName(name)]!.data as Float32Array); // of float32 parameters
  return { loss: Number(out["loss"]!.data[0]), slopes };
}

/** How far gradients are from PyTorch's in float64. */
export interface GradientError {
  /** Over all parameters together: |g - g'| / |g|, estimated. */
  readonly overall: number;
  /** The same by parameter. */
  readonly own: readonly number[];
}

/**
 * Estimates the error from a few projections on random signs r: the mean of (r . (g - g'))^2 is |g - g'|^2. With four to
 * six of them it is right to a factor of two for one parameter, and closer for all together.
 */
export function errorOf(names: readonly Value[], slopes: readonly Float32Array[], row: GoldenCase): GradientError {
  const count = row.projections.length;
  const squares = slopes.map((slope, p) => {
    const got = project(names[p]!, slope, count);
    return got.reduce((sum, value, k) => sum + (value - row.projections[k]![p]!) ** 2, 0) / count;
  });
  const total = (values: readonly number[]): number => Math.sqrt(values.reduce((x, y) => x + y, 0));
  return {
    overall: total(squares) / total(row.norms.map((norm) => norm ** 2)),
    own: squares.map((square, p) => Math.sqrt(square) / row.norms[p]!),
  };
}

function filled(graph: Graph, fills: Fills, seed: number): Record<Value, Tensor> {
  const shapes = new Map(graph.inputs.map(({ name, shape }) => [name, shape as Shape & readonly number[]]));
  return Object.fromEntries(
    Object.entries(fills).flatMap(([name, range]) => {
      const shape = shapes.get(name);
      return shape ? [[name, fill(`${seed}:${name}`, shape, range)]] : [];
    }),
  );
}

/** Uniform in center ± radius, rounded to float32; the formula of `fill` in make.py. */
function fill(key: string, shape: readonly number[], [center, radius]: readonly [number, number]): Tensor<"float32"> {
  const seed = keyHash(key);
  const values = new Float32Array(sizeOf(shape));
  for (let i = 0; i < values.length; i++) {
    const k = indexHash(seed, i) >>> 9;
    values[i] = center + radius * ((2 * k + 1 - 2 ** 23) / 2 ** 23);
  }
  return float32(shape, values);
}

/** Dot products with signs: bit k of hash i is the sign of element i in direction k. */
function project(name: Value, values: Float32Array, count: number): Float64Array {
  const seed = keyHash(`signs:${name}`);
  const sums = new Float64Array(count);
  for (let i = 0; i < values.length; i++) {
    const bits = indexHash(seed, i);
    const value = values[i]!;
    for (let k = 0; k < count; k++) sums[k]! += (((bits >>> k) & 1) * 2 - 1) * value;
  }
  return sums;
}

/** FNV-1a, 32 bits. */
function keyHash(key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

/** MurmurHash3's finalizer of the index times the golden ratio, xor the key's hash. */
function indexHash(seed: number, index: number): number {
  let x = Math.imul(index, 0x9e3779b1) ^ seed;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
