/** Weights by formula, and what the reference implementations compute with them: written by test/golden/architectures. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { Architecture } from "../../../src/models/architectures/architecture.ts";
import { INPUT, LOGITS, type Network } from "../../../src/models/architectures/network.ts";
import { Session } from "../../../src/runtime/session.ts";
import { float32, sizeOf, type Tensor } from "../../../src/tensor/tensor.ts";

/** What a golden file says of one model. */
export interface GoldenModel {
  /** Parameters and buffers without integer counters. */
  readonly tensors: number;
  readonly elements: number;
  /** Over lines of name and shape in state-dict order: "conv1.weight 64,3,7,7\n". */
  readonly sha256: string;
  /** Factor of the scales of normalizations. */
  readonly gain: number;
  readonly outputs: readonly GoldenOutput[];
}

/** Scores of the image of one size. */
export interface GoldenOutput {
  /** [height, width] */
  readonly size: readonly [number, number];
  readonly norm: number;
  /** Up to 16 of them, evenly spaced. */
  readonly logits: readonly number[];
}

/** The models of a golden file, by name. */
export function goldenModels(file: string): Readonly<Record<string, GoldenModel>> {
  const text = readFileSync(new URL(`../../golden/architectures/${file}.json`, import.meta.url), "utf8");
  return (JSON.parse(text) as { models: Record<string, GoldenModel> }).models; // written by a script beside it
}

/** Checks that a network has exactly the tensors of the reference: names, shapes and order. */
export function expectSameTensors({ parameters }: Network, golden: GoldenModel): void {
  const lines = parameters.map(({ name, shape }) => `${name} ${shape}\n`);
  expect(lines.length).toBe(golden.tensors);
  expect(parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(golden.elements);
  expect(createHash("sha256").update(lines.join("")).digest("hex")).toBe(golden.sha256);
}

/** Checks the scores of an architecture at every size of its golden record, to 1e-4 relative to their size. */
export async function expectSameScores(
  design: Architecture,
  golden: Pick<GoldenModel, "outputs"> & Partial<GoldenModel>,
  weights: ReadonlyMap<string, Tensor> = formulaWeights(design.build(), golden.gain ?? 1),
): Promise<void> {
  for (const { size, norm, logits } of golden.outputs) {
    const scores = await run(design.build({ inputSize: size }), weights, formulaImage(size));
    const scale = norm / Math.sqrt(scores.length);
    expect(Math.abs(Math.hypot(...scores) / norm - 1), `${design.name} at ${size}`).toBeLessThan(1e-4);
    const errors = logits.map((value, i) => Math.abs(value - scores[Math.floor((i * scores.length) / logits.length)]!));
    expect(Math.max(...errors) / scale, `${design.name} at ${size}`).toBeLessThan(1e-4);
  }
}

/** Runs a network's topology, its weights fed as inputs so that they are never copied. */
export async function run(
  { topology }: Network,
  weights: ReadonlyMap<string, Tensor>,
  image: Tensor,
): Promise<Float32Array> {
  await using session = await Session.create(topology, { optimization: "none" });
  const out = await session.run({ ...Object.fromEntries(weights), [INPUT]: image });
  return out[LOGITS]!.data as Float32Array; // the type of logits
}

/** Every parameter of a network by formula. */
export function formulaWeights({ parameters }: Pick<Network, "parameters">, gain: number): Map<string, Tensor> {
  return new Map(parameters.map(({ name, shape }) => [name, formulaValue(name, shape, gain)]));
}

/** Images [batch, 3, height, width]. */
export function formulaImage([height, width]: readonly [number, number], batch = 1): Tensor<"float32"> {
  return fill("image", [batch, 3, height, width], [0, 1.732]);
}

/** `value_of` in formula.py. */
export function formulaValue(name: string, shape: readonly number[], gain: number): Tensor<"float32"> {
  const leaf = name.split(".").at(-1)!;
  if (leaf === "running_var") return fill(name, shape, [1, 0.3]);
  if (leaf === "running_mean") return fill(name, shape, [0, 0.2]);
  if (shape.length === 1 && ["weight", "gamma", "scale"].includes(leaf))
    return fill(name, shape, [gain * 0.8, gain * 0.3]);
  if (shape.length === 4 || shape.length === 2)
    return fill(name, shape, [0, Math.sqrt((shape.length === 4 ? 6 : 3) / sizeOf(shape.slice(1)))]);
  return fill(name, shape, [0, 0.1]);
}

/** A prime. */
const PERIOD = 65521;

/** In (-1, 1), symmetric, never 0. */
const UNIFORM = Float64Array.from({ length: PERIOD }, (_, i) => {
  let x = Math.imul(i, 0x9e3779b1); // MurmurHash3's finalizer
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (2 * ((x ^ (x >>> 16)) >>> 9) + 1 - 2 ** 23) / 2 ** 23;
});

/** Uniform in center ± radius: UNIFORM in steps and from a start that the key's hash gives, repeated. */
export function fill(
  key: string,
  shape: readonly number[],
  [center, radius]: readonly [number, number],
): Tensor<"float32"> {
  let seed = 0x811c9dc5; // FNV-1a
  for (const byte of new TextEncoder().encode(key)) seed = Math.imul(seed ^ byte, 0x01000193);
  seed >>>= 0;
  const step = 1 + (seed % (PERIOD - 1));
  const values = new Float32Array(sizeOf(shape));
  const first = Math.min(PERIOD, values.length);
  for (let i = 0; i < first; i++) values[i] = center + radius * UNIFORM[(i * step + (seed >>> 16)) % PERIOD]!;
  for (let at = PERIOD; at < values.length; at *= 2) values.copyWithin(at, 0, Math.min(at, values.length - at));
  return float32(shape, values);
}
