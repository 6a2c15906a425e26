import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { FEATURES } from "../../src/models/backbone.ts";
import {
  type BatchNormPolicy,
  batchNormTraining,
  describeBatchNorm,
  type NormalizedSuffix,
  requireBatchNorm,
  updateStatistics,
  withBatchNorm,
} from "../../src/models/batch-norm.ts";
import { START, trainableGraph, withValues } from "../../src/models/trainable-graph.ts";
import { unfreeze } from "../../src/models/unfreeze.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import { bytesOfGraph, runBytes } from "../graph/run-graph.ts";
import { Layers, positive, random, residualNetwork } from "./networks.ts";

const network = residualNetwork();
const image = random("image", 4, 3, 16, 16);
const apply = (spec: string, policy: BatchNormPolicy): NormalizedSuffix =>
  withBatchNorm(trainableGraph(network, unfreeze(network, spec)), policy);

async function run(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor<"float32">>> {
  const out = await runBytes(bytesOfGraph(graph), feeds);
  return Object.fromEntries(
    Object.entries(out).map(([name, { dims, data }]) => [name, float32(dims, (data as Float32Array).slice())]), // float32
  );
}

const feedsOf = ({ parameters, running }: NormalizedSuffix): Record<string, Tensor> => ({
  [START]: image,
  ...Object.fromEntries(parameters),
  ...Object.fromEntries(running),
});

function distance(x: Tensor, y: Tensor): number {
  const [a, b] = [x.data as Float32Array, y.data as Float32Array]; // both are float32
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / Math.max(...b.map(Math.abs));
}

describe("describeBatchNorm", () => {
  test("counts normalizations and convolutions with biases", () => {
    expect(describeBatchNorm(network)).toEqual({ count: 10, convolutions: 10, biased: 0 });
  });

  test("is behind messages that say where normalization went", () => {
    const folded = new Layers();
    const graph = folded.end(folded.conv("image", "a", [3, 4], { bias: true }), 4);
    expect(() => requireBatchNorm(graph, "train")).toThrow(
      "--batch-norm train requires BatchNormalization, got a network or part of one without: it was folded into the 1 convolutions there, or it never was in them.",
    );
    const plain = new Layers();
    expect(() => requireBatchNorm(plain.end(plain.relu("image"), 3), "adapt")).toThrow(
      "no convolution there ever had one",
    );
    expect(() => requireBatchNorm(network, "train")).not.toThrow();
  });
});

describe("the policy", () => {
  test.each(["freeze", "affine", "train"] as const)(
    "%s predicts what the file does before anything was trained",
    async (policy) => {
      const suffix = apply("all", policy);
      const { [FEATURES]: got } = await run(suffix.evaluation, feedsOf(suffix));
      expect(distance(got!, (await run(network, { image }))[FEATURES]!)).toBeLessThan(2e-6);
    },
  );

  test("freeze leaves no normalization, and all parameters", () => {
    const { training, parameters, statistics } = apply("all", "freeze");
    expect(training.nodes.some(({ op }) => op === "BatchNormalization")).toBe(false);
    expect(training.inputs).toHaveLength(31);
    expect([parameters.size, statistics.length]).toEqual([30, 0]);
  });

  test("affine keeps only scales and shifts as parameters", () => {
    const { training, parameters } = apply("layer2.*", "affine");
    expect(parameters.size).toBe(10);
    expect([...parameters.keys()].every((name) => /bn\d\.(weight|bias)$/.test(name))).toBe(true);
    expect(training.inputs.map(({ name }) => name)).toEqual([START, ...parameters.keys()]);
    expect(() => apply("layer2.0.conv1.weight", "affine")).toThrow(
      "--batch-norm affine requires scales or shifts of BatchNormalization among what is unfrozen, got 1 other parameters.",
    );
  });

  test("train gives out mean and biased variance of the batch, and uses them", async () => {
    const l = new Layers();
    const graph = l.end(l.relu(l.norm("image", "bn", 3)), 3);
    const suffix = withBatchNorm(trainableGraph(graph, unfreeze(graph, "bn.*")), "train");
    const [{ batchMean, batchVariance, positions }] = suffix.statistics as [NormalizedSuffix["statistics"][number]];
    expect(positions).toBe(256);
    const out = await run(suffix.training, { [START]: image, ...Object.fromEntries(suffix.parameters) });
    for (let c = 0; c < 3; c++) {
      const values = Array.from(image.data).filter((_, i) => Math.floor(i / 256) % 3 === c);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      expect(out[batchMean]!.data[c]!).toBeCloseTo(mean, 6);
      expect(out[batchVariance]!.data[c]! / variance).toBeCloseTo(1, 5);
      const [scale, shift] = ["bn.weight", "bn.bias"].map((name) => suffix.parameters.get(name)!.data[c]!);
      const y = values.map((value) => Math.max(0, ((value - mean) / Math.sqrt(variance + 1e-3)) * scale! + shift!));
      const wanted = y.slice(0, 256).reduce((sum, value) => sum + value, 0) / 256; // the first image
      expect(out[FEATURES]!.data[c]!).toBeCloseTo(wanted, 5);
    }
  });

  test("train reads no constant in two places", () => {
    const { training, statistics } = apply("all", "train");
    expect(statistics).toHaveLength(10);
    const inputs = training.nodes
      .filter(({ op }) => op === "BatchNormalization")
      .flatMap((node) => node.inputs.slice(1));
    expect(new Set(inputs).size).toBe(inputs.length);
  });

  test("train evaluates with statistics that follow the batches, and they go back into the file", async () => {
    const suffix = apply("all", "train");
    const parts = trainableGraph(network, unfreeze(network, "all"));
    const outputs = await run(suffix.training, { [START]: image, ...Object.fromEntries(suffix.parameters) });
    for (let step = 0; step < 200; step++) updateStatistics(suffix.running, suffix.statistics, { outputs, images: 4 });
    const { [FEATURES]: got } = await run(suffix.evaluation, feedsOf(suffix));
    expect(distance(got!, outputs[FEATURES]!)).toBeLessThan(0.05); // but for n / (n - 1)
    const merged = withValues(parts.backbone, new Map([...suffix.parameters, ...suffix.running]));
    expect(distance((await run(merged, { image }))[FEATURES]!, got!)).toBeLessThan(1e-6);
  });

  test("train requires normalization and sizes", () => {
    const l = new Layers();
    const plain = l.end(l.conv("image", "a", [3, 4]), 4);
    expect(() => withBatchNorm(trainableGraph(plain, unfreeze(plain, "all")), "train")).toThrow(
      "--batch-norm train requires",
    );
    const open = new Layers(["n", 3, "h", "w"]);
    expect(() => batchNormTraining(open.end(open.norm("image", "bn", 3), 3))).toThrow(
      'the input of BatchNormalization "bn" has an unknown height or width. Use --batch-norm freeze.',
    );
  });
});

describe("updateStatistics", () => {
  const statistics = [{ node: "bn", mean: "m", variance: "v", batchMean: "bm", batchVariance: "bv", positions: 5 }];
  const outputs = { bm: float32([2], [1, 2]), bv: float32([2], [3, 4]) };
  const fresh = (): Map<string, Tensor<"float32">> =>
    new Map([
      ["m", float32([2], [0, 10])],
      ["v", float32([2], [1, 2])],
    ]);

  test("moves by a tenth, with the unbiased variance", () => {
    const running = fresh();
    updateStatistics(running, statistics, { outputs, images: 2 });
    expect(Array.from(running.get("m")!.data)).toEqual([0.1, 9.2].map(Math.fround));
    const factor = 10 / 9;
    expect(running.get("v")!.data[0]!).toBeCloseTo(0.9 + 0.3 * factor, 6);
    expect(running.get("v")!.data[1]!).toBeCloseTo(1.8 + 0.4 * factor, 6);
  });

  test("takes everything with momentum 1, and nothing from a single element", () => {
    const running = fresh();
    updateStatistics(running, [{ ...statistics[0]!, positions: 1 }], { outputs, images: 1 });
    expect(running).toEqual(fresh());
    updateStatistics(running, statistics, { outputs, images: 2, momentum: 1 });
    expect(Array.from(running.get("m")!.data)).toEqual([1, 2]);
  });
});

test("vectors may be shared in the file", async () => {
  const l = new Layers();
  const one = l.b.initializer("one", positive("one", 3));
  const norm = (x: string, name: string): string => l.b.op("BatchNormalization", [x, one, one, one, one], {}, name);
  const graph = l.end(norm(norm("image", "bn1"), "bn2"), 3);
  const suffix = withBatchNorm(trainableGraph(graph, unfreeze(graph, "one")), "train");
  const { [FEATURES]: got } = await run(suffix.evaluation, feedsOf(suffix));
  expect(distance(got!, (await run(graph, { image }))[FEATURES]!)).toBeLessThan(1e-6);
  expect(suffix.running.size).toBe(4);
});
