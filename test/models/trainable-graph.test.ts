import { describe, expect, test } from "vitest";
import { gradient, gradientName } from "../../src/autodiff/gradient.ts";
import { int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { inferTypes } from "../../src/graph/infer-types.ts";
import { FEATURES } from "../../src/models/backbone.ts";
import { HEAD } from "../../src/models/head.ts";
import { START, trainableGraph, withValues } from "../../src/models/trainable-graph.ts";
import { unfreeze } from "../../src/models/unfreeze.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import { bytesOfGraph, runBytes } from "../graph/run-graph.ts";
import { invertedNetwork, Layers, random, residualNetwork, transformer } from "./networks.ts";

const split = (graph: Graph, spec: string): ReturnType<typeof trainableGraph> =>
  trainableGraph(graph, unfreeze(graph, spec));

async function run(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Tensor<"float32">> {
  const name = graph.outputs[0]!.name;
  const value = (await runBytes(bytesOfGraph(graph), feeds))[name]!;
  return float32(value.dims, (value.data as Float32Array).slice()); // features are float32
}

/** The features by prefix and suffix one after the other. */
async function inTwo(
  { prefix, suffix, parameters }: ReturnType<typeof trainableGraph>,
  image: Tensor,
): Promise<Tensor<"float32">> {
  const start = prefix ? await run(prefix, { image }) : image;
  return run(suffix, { [START]: start, ...Object.fromEntries(parameters) });
}

const difference = (x: Tensor<"float32">, y: Tensor<"float32">): number =>
  Math.max(...x.data.map((value, i) => Math.abs(value - y.data[i]!))) / Math.max(...y.data.map(Math.abs));

describe("trainableGraph", () => {
  const networks = { residual: residualNetwork(), inverted: invertedNetwork(), transformer: transformer(8) };
  test.each(
    Object.entries(networks).flatMap(([name, graph]) =>
      ["head", "last", "last:2", "all", "*.bias"].map((spec) => [name, spec, graph] as const),
    ),
  )("cuts the %s network for %s, and both parts compute what the whole does", async (_, spec, graph) => {
    const image = random("image", 3, 3, 16, 16);
    const parts = split(graph, spec);
    expect(difference(await inTwo(parts, image), await run(graph, { image }))).toBeLessThan(2e-6);
    expect(parts.suffix.inputs[0]).toEqual({ name: START, dtype: "float32", shape: unfreeze(graph, spec).startShape });
    expect(inferTypes(parts.suffix).get(FEATURES)!.shape).toEqual(["batch", Number(graph.outputs[0]!.shape![1])]);
    expect(parts.prefix === undefined).toBe(unfreeze(graph, spec).start === "image");
  });

  test("makes the parameters inputs, and their values copies", () => {
    const graph = residualNetwork();
    const { suffix, parameters, backbone } = split(graph, "layer2.1.bn2.*");
    expect(suffix.inputs.map(({ name }) => name)).toEqual([START, "layer2.1.bn2.weight", "layer2.1.bn2.bias"]);
    for (const [name, value] of parameters) {
      expect(value).toEqual(graph.initializers.get(name));
      expect(value.data).not.toBe(graph.initializers.get(name)!.data);
      expect(suffix.initializers.has(name)).toBe(false);
      expect(backbone.initializers.has(name)).toBe(true);
    }
    expect(suffix.nodes.map(({ name }) => name)).not.toContain("layer1.0.conv1");
  });

  test("lets gradients reach every parameter", async () => {
    const { suffix, parameters, prefix } = split(transformer(8), "last");
    const b = new GraphBuilder("loss", suffix);
    b.named("ReduceSum", [b.mul(FEATURES, FEATURES)], "loss", { keepdims: int(0) });
    const loss = b.build([{ name: "loss", dtype: "float32", shape: [] }]);
    const training = gradient(loss, { of: "loss", with: [...parameters.keys()] });
    const start = await run(prefix!, { image: random("image", 2, 3, 16, 16) });
    const out = await runBytes(bytesOfGraph(training), { [START]: start, ...Object.fromEntries(parameters) });
    for (const name of parameters.keys()) {
      const slope = out[gradientName(name)]!.data as Float32Array; // a gradient has its parameter's type
      expect(slope.every(Number.isFinite)).toBe(true);
      // A key's bias adds the same to all scores of a query: its gradient is zero.
      if (!/\.k\.bias$/.test(name)) expect(Math.max(...slope.map(Math.abs))).toBeGreaterThan(0);
    }
  });

  test("renames values of the file that have the names of the head or of the start", async () => {
    const l = new Layers();
    const x = l.relu(l.conv(l.relu(l.conv("image", "a", [3, 4])), "head", [4, 4], { bias: true }), START);
    const graph = l.end(x, 4);
    const parts = split(graph, "head.*");
    expect([...parts.parameters.keys()]).toEqual([`backbone.${HEAD.weight}`, `backbone.${HEAD.bias}`]);
    const image = random("image", 2, 3, 16, 16);
    expect(difference(await inTwo(parts, image), await run(graph, { image }))).toBeLessThan(1e-6);
    expect(await run(withValues(parts.backbone, parts.parameters), { image })).toEqual(await run(graph, { image }));
  });

  test("refuses to train a file for a fixed number of images, and extracts features all the same", () => {
    const l = new Layers([2, 3, 16, 16]);
    const x = l.b.op("Concat", [l.conv("image", "a", [3, 8]), l.b.constant(random("c", 2, 1, 16, 16))], {
      axis: int(1),
    });
    const graph = l.end(x, 9, 2);
    expect(() => split(graph, "all")).toThrow(
      'training requires a backbone for any number of images, got "network" for exactly 2. Export it with a dynamic batch axis, or use --unfreeze head.',
    );
    expect(split(graph, "head").parameters.size).toBe(0);
  });
});

describe("withValues", () => {
  test("puts other values in place, and refuses those of another shape or name", async () => {
    const { backbone, parameters } = split(residualNetwork(), "layer2.1.bn2.bias");
    const [[name, { shape }]] = [...parameters] as [[string, Tensor]];
    const other = withValues(backbone, new Map([[name, random("other", ...shape)]]));
    const image = random("image", 1, 3, 16, 16);
    expect(difference(await run(other, { image }), await run(backbone, { image }))).toBeGreaterThan(0.01);
    expect(() => withValues(backbone, new Map([[name, random("x", 3)]]))).toThrow(
      'new values require an initializer of "network", got "layer2.1.bn2.bias" float32 [3].',
    );
    expect(() => withValues(backbone, new Map([["nothing", random("x", 3)]]))).toThrow('got "nothing" float32 [3]');
  });
});
