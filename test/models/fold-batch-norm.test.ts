import { describe, expect, test } from "vitest";
import { gradient, gradientName } from "../../src/autodiff/gradient.ts";
import { float, int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph, Value } from "../../src/graph/graph.ts";
import { FEATURES } from "../../src/models/backbone.ts";
import { foldBatchNorm } from "../../src/models/fold-batch-norm.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { bytesOfGraph, runBytes } from "../graph/run-graph.ts";
import { Layers, positive, random, residualNetwork } from "./networks.ts";

const image = random("image", 2, 3, 16, 16);
const normsOf = (graph: Graph): number => graph.nodes.filter(({ op }) => op === "BatchNormalization").length;

/** The graph with some of its initializers as inputs, and what to feed them. */
function trained(graph: Graph, names: readonly Value[]): { graph: Graph; feeds: Record<string, Tensor> } {
  const feeds = Object.fromEntries(names.map((name) => [name, graph.initializers.get(name)!]));
  return {
    feeds: { image, ...feeds },
    graph: {
      ...graph,
      inputs: [
        ...graph.inputs,
        ...names.map((name) => ({ name, dtype: "float32" as const, shape: feeds[name]!.shape })),
      ],
      initializers: new Map([...graph.initializers].filter(([name]) => !names.includes(name))),
    },
  };
}

async function outputs(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Float32Array>> {
  const out = await runBytes(bytesOfGraph(graph), feeds, { graphOptimizationLevel: "disabled" });
  return Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, (data as Float32Array).slice()])); // float32
}

function worst(got: Float32Array, wanted: Float32Array): number {
  expect(got.length).toBe(wanted.length);
  return Math.max(...got.map((value, i) => Math.abs(value - wanted[i]!))) / Math.max(1e-3, ...wanted.map(Math.abs));
}

function gradientsOf(graph: Graph, names: readonly Value[]): Graph {
  const b = new GraphBuilder("loss", graph);
  b.named("ReduceSum", [b.mul(FEATURES, b.op("Sin", [FEATURES]))], "loss", { keepdims: int(0) });
  const loss = b.build([{ name: "loss", dtype: "float32", shape: [] }]);
  return gradient(loss, { of: "loss", with: names });
}

/** Layers that a normalization follows, with what is left of it. */
const LAYERS: Readonly<Record<string, (l: Layers) => { graph: Graph; ops: readonly string[] }>> = {
  "a convolution": (l) => ({
    graph: l.end(l.norm(l.conv("image", "conv", [3, 4], { stride: 2 }), "bn", 4), 4),
    ops: ["Conv"],
  }),
  "a convolution with bias": (l) => ({
    graph: l.end(l.norm(l.conv("image", "conv", [3, 4], { bias: true }), "bn", 4), 4),
    ops: ["Conv"],
  }),
  "a grouped convolution": (l) => ({
    graph: l.end(l.norm(l.conv("image", "conv", [3, 6], { group: 3 }), "bn", 6), 6),
    ops: ["Conv"],
  }),
  "a transposed convolution": (l) => {
    const weight = l.b.initializer("conv.weight", random("conv", 3, 4, 2, 2));
    return { graph: l.end(l.norm(l.b.op("ConvTranspose", ["image", weight]), "bn", 4), 4), ops: ["ConvTranspose"] };
  },
  "a grouped transposed convolution": (l) => {
    const weight = l.b.initializer("conv.weight", random("conv", 3, 2, 2, 2));
    const x = l.b.op("ConvTranspose", ["image", weight], { group: int(3) });
    return { graph: l.end(l.norm(x, "bn", 6), 6), ops: ["ConvTranspose", "Mul", "Add"] };
  },
  "a linear layer": (l) => {
    const x = l.b.op("Flatten", ["image"], { axis: int(1) });
    const parts = [l.b.initializer("fc.weight", random("fc", 5, 768)), l.b.initializer("fc.bias", random("fcb", 5))];
    const y = l.b.op("Gemm", [x, ...parts], { transB: int(1), alpha: float(0.5) });
    return { graph: l.endWith(l.norm(y, "bn", 5), 5), ops: ["Gemm"] };
  },
  "a linear layer the other way round, without bias": (l) => {
    const x = l.b.op("Flatten", ["image"], { axis: int(1) });
    const y = l.b.op("Gemm", [x, l.b.initializer("fc.weight", random("fc", 768, 5))]);
    return { graph: l.endWith(l.norm(y, "bn", 5), 5), ops: ["Gemm"] };
  },
  "a matrix product": (l) => {
    const x = l.b.op("Flatten", ["image"], { axis: int(1) });
    const y = l.b.matmul(x, l.b.initializer("fc.weight", random("fc", 768, 5)));
    return { graph: l.endWith(l.norm(y, "bn", 5), 5), ops: ["MatMul", "Mul", "Add"] };
  },
  "an activation": (l) => ({
    graph: l.end(l.norm(l.relu(l.conv("image", "conv", [3, 4])), "bn", 4), 4),
    ops: ["Conv", "Mul", "Add"],
  }),
  "a convolution that something else reads too": (l) => {
    const x = l.conv("image", "conv", [3, 4]);
    return { graph: l.end(l.b.add(x, l.norm(x, "bn", 4)), 4), ops: ["Conv", "Mul", "Add", "Add"] };
  },
};

describe.each(Object.entries(LAYERS))("a normalization after %s", (_, build) => {
  const { graph, ops } = build(new Layers());
  const names = parametersOf(graph).map(({ name }) => name);
  const rest = (nodes: Graph["nodes"]): string[] =>
    nodes.map(({ op }) => op).filter((op) => ["Conv", "ConvTranspose", "Gemm", "MatMul", "Mul", "Add"].includes(op));

  test("is folded into constants, and the graph computes the same", async () => {
    const folded = foldBatchNorm(graph);
    expect(rest(folded.nodes)).toEqual(ops);
    expect(
      worst((await outputs(folded, { image }))[FEATURES]!, (await outputs(graph, { image }))[FEATURES]!),
    ).toBeLessThan(5e-6);
  });

  test.each([
    ["all", (): boolean => true],
    ["weights", (name: string): boolean => /^(conv|fc)\.weight/.test(name)],
    ["scale and shift", (name: string): boolean => name.startsWith("bn.")],
    ["scale", (name: string): boolean => name === "bn.weight"],
    ["shift", (name: string): boolean => name === "bn.bias"],
  ])("lets gradients reach its %s exactly", async (_what, chosen) => {
    const own = names.filter(chosen);
    const { graph: open, feeds } = trained(graph, own);
    const folded = foldBatchNorm(open);
    expect(normsOf(folded)).toBe(0);
    expect(folded.inputs).toEqual(open.inputs);
    const wanted = await outputs(gradientsOf(open, own), feeds);
    const got = await outputs(gradientsOf(folded, own), feeds);
    for (const name of own) expect(worst(got[gradientName(name)]!, wanted[gradientName(name)]!)).toBeLessThan(5e-5);
  });
});

describe("foldBatchNorm", () => {
  test("leaves a trained scale outside of a constant weight", () => {
    const { graph } = LAYERS["a convolution"]!(new Layers());
    const { graph: open } = trained(graph, ["bn.weight", "bn.bias"]);
    const nodes = foldBatchNorm(open).nodes;
    expect(nodes.slice(0, 5).map(({ op }) => op)).toEqual(["Conv", "Reshape", "Mul", "Reshape", "Add"]);
  });

  test("folds every normalization of a residual network", async () => {
    const network = residualNetwork();
    const folded = foldBatchNorm(network);
    expect(normsOf(folded)).toBe(0);
    expect(folded.nodes.filter(({ op }) => op === "Mul")).toEqual([]);
    expect(
      worst((await outputs(folded, { image }))[FEATURES]!, (await outputs(network, { image }))[FEATURES]!),
    ).toBeLessThan(5e-6);
  });

  test("leaves training form, computed parameters and other graphs as they are", () => {
    const l = new Layers();
    const norm = (
      x: Value,
      name: string,
      attributes = {},
      scale = l.b.initializer(`${name}.w`, positive(name, 3)),
    ): Value => {
      const vector = (what: string): Value => l.b.initializer(`${name}.${what}`, positive(name + what, 3));
      return l.b.op("BatchNormalization", [x, scale, vector("b"), vector("m"), vector("v")], attributes, name);
    };
    const computed = l.b.exp(l.b.initializer("log", random("log", 3)));
    const graph = l.end(norm(norm("image", "one", { training_mode: int(1) }), "two", {}, computed), 3);
    expect(foldBatchNorm(graph)).toBe(graph);
    const plain = new Layers();
    const without = plain.end(plain.conv("image", "conv", [3, 4]), 4);
    expect(foldBatchNorm(without)).toBe(without);
  });

  test("keeps node names apart from those that it makes", () => {
    const l = new Layers();
    const x = l.norm(l.relu(l.conv("image", "conv", [3, 4])), "bn", 4);
    const graph = foldBatchNorm(l.end(l.b.op("Add", [x, x], {}, "mul"), 4));
    const names = graph.nodes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
