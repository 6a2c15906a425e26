/** Sources of weights in memory, and the formulas of test/golden/importers/make.py. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { Graph } from "../../../src/graph/graph.ts";
import { float32, sizeOf, type Tensor } from "../../../src/tensor/tensor.ts";
import { type TensorEntry, type TensorSource, tensorSource } from "../../../src/weights/tensor-source.ts";
import { bytesOfGraph, runBytes } from "../../graph/run-graph.ts";

/** The folder of the golden files. */
export const GOLDEN = fileURLToPath(new URL("../../golden/importers/", import.meta.url));

/** What Keras gave: some of the elements of a tensor. */
export interface Recorded {
  readonly shape: readonly number[];
  /** Distance of the elements that were kept. */
  readonly step: number;
  readonly values: readonly number[];
}

/** One small model and what Keras computes with it. */
export interface GoldenCase {
  readonly name: string;
  readonly topology: unknown;
  readonly weights: readonly (readonly [name: string, shape: readonly number[]])[];
  /** Shape of the input, with the batch. */
  readonly input: readonly number[];
  readonly output: Recorded;
}

/** The small models of a version of Keras. */
export function goldenCases(file: string): readonly GoldenCase[] {
  const text = gunzipSync(readFileSync(`${GOLDEN}${file}`)).toString();
  return (JSON.parse(text) as { cases: GoldenCase[] }).cases; // written by make.py
}

/** Weight number k of a golden model. */
export function filled(name: string, shape: readonly number[], k: number): Tensor {
  const positive = /variance|count/.test(name);
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
      const wave = Math.sin(0.7 * i + k);
      return positive ? 0.75 + 0.25 * wave : 0.3 * wave;
    }),
  );
}

/** Weights in memory, by name. */
export function memoryWeights(tensors: Readonly<Record<string, Tensor>>): TensorSource {
  const entries = Object.entries(tensors).map(([name, t]): [string, TensorEntry] => [
    name,
    { dtype: t.dtype, shape: t.shape, bytes: t.data.byteLength, read: () => t },
  ]);
  const none: [string, TensorEntry] = ["", { dtype: "float32", shape: [0], bytes: 0, read: () => float32([0], []) }];
  return tensorSource({ format: "keras", origin: "memory", entries: new Map([none, ...entries]), close() {} });
}

/** The input of golden models, in Keras' order of axes. */
export function goldenInput(shape: readonly number[]): Tensor<"float32"> {
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.001 * i + 0.1 * (i % 7))),
  );
}

/** [n, h, w, c] → [n, c, h, w], or back. */
export function moveChannels({ shape, data }: Tensor<"float32">, to: "first" | "last"): Tensor<"float32"> {
  const [n, h, w, c] = to === "first" ? shape : [shape[0], shape[2], shape[3], shape[1]];
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const [channel, pixel] = [i % c!, Math.floor(i / c!)];
    const [position, image] = [pixel % (h! * w!), Math.floor(pixel / (h! * w!))];
    const planes = (image * c! + channel) * h! * w! + position;
    if (to === "first") out[planes] = data[i]!;
    else out[i] = data[planes]!;
  }
  return float32(to === "first" ? [n!, c!, h!, w!] : [n!, h!, w!, c!], out);
}

/** Runs an imported graph on an image in Keras' order, and gives its output in that order. */
export async function runImported(graph: Graph, input: Tensor<"float32">, wanted: readonly number[]) {
  const [declared] = graph.inputs;
  const isAsInKeras = declared?.shape?.slice(1).join() === input.shape.slice(1).join();
  const fed = isAsInKeras ? input : moveChannels(input, "first");
  const results = await runBytes(bytesOfGraph(graph), { [declared!.name]: fed });
  const output = results[graph.outputs[0]!.name]!;
  const t = float32(output.dims, output.data as Float32Array); // imported models compute float32
  const isSame = t.shape.join() === wanted.join();
  return isSame ? t : moveChannels(t, "last");
}

/** The largest difference between a tensor and what was recorded, relative to the largest value. */
export function difference(got: Tensor<"float32">, { shape, step, values }: Recorded): number {
  if (got.shape.join() !== shape.join()) throw new Error(`got [${got.shape}], recorded was [${shape}]`);
  const largest = Math.max(...values.map(Math.abs), 1e-6);
  return Math.max(...values.map((value, i) => Math.abs(value - got.data[i * step]!))) / largest;
}
