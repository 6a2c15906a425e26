import { describe, expect, test } from "vitest";
import { int } from "../../src/graph/attributes.ts";
import { foldConstants } from "../../src/graph/fold.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { parametersOf, untie } from "../../src/models/parameters.ts";
import { float32, zeros } from "../../src/tensor/tensor.ts";
import { Layers, positive, random, residualNetwork, transformer } from "./networks.ts";

const found = (graph: Graph): string[] => parametersOf(graph).map(({ name, kind }) => `${name} ${kind}`);

describe("parametersOf", () => {
  test("lists weights, biases, scales and shifts in graph order, with their nodes and shapes, and no statistics", () => {
    const l = new Layers();
    const graph = l.end(l.norm(l.conv("image", "conv", [3, 4], { bias: true }), "bn", 4), 4);
    expect(found(graph)).toEqual(["conv.weight weight", "conv.bias bias", "bn.weight scale", "bn.bias shift"]);
    const [first] = parametersOf(graph);
    expect(first).toMatchObject({ shape: [4, 3, 3, 3], node: { op: "Conv" } });
  });

  test("finds every parameter of a transformer, and neither its attention scales nor its sizes", () => {
    const names = found(transformer(1));
    const block = ["norm1.weight scale", "norm1.bias shift"];
    for (const part of ["q", "k", "v", "proj"]) block.push(`${part}.weight weight`, `${part}.bias bias`);
    block.push("norm2.weight scale", "norm2.bias shift", "fc1.weight weight", "fc1.bias bias");
    block.push("fc2.weight weight", "fc2.bias bias");
    const all = [
      "patch.weight weight",
      "cls_token embedding",
      "pos_embed embedding",
      "norm.weight scale",
      "norm.bias shift",
    ];
    expect([...names].sort()).toEqual([...all, ...block.map((name) => `blocks.0.${name}`)].sort());
  });

  test("leaves out preprocessing in front of the first weights, scalars, masks, grids and padding", () => {
    const l = new Layers();
    const { b } = l;
    const mean = b.initializer("mean", random("mean", 1, 3, 1, 1));
    const std = b.initializer("std", positive("std", 1, 3, 1, 1));
    let x = b.div(b.sub("image", mean), std);
    x = l.conv(x, "conv", [3, 4]);
    x = b.mul(x, b.scalar(0.5));
    x = b.add(
      x,
      b.initializer(
        "mask",
        float32(
          [16, 16],
          Array.from({ length: 256 }, (_, i) => (i % 2 ? -100 : 0)),
        ),
      ),
    );
    x = b.mul(x, b.initializer("keep", float32([4, 1, 1], [1, 0, 1, 1])));
    x = b.add(
      x,
      b.initializer(
        "grid",
        float32(
          [16],
          Array.from({ length: 16 }, (_, i) => i),
        ),
      ),
    );
    x = b.mul(x, b.initializer("gamma", random("gamma", 4, 1, 1)));
    x = b.add(x, b.initializer("beta", random("beta", 4, 1, 1)));
    x = b.op("Concat", [x, b.initializer("padding", zeros("float32", [1, 4, 16, 16]))], { axis: int(1) });
    expect(found(l.end(x, 8))).toEqual(["conv.weight weight", "gamma scale", "beta shift"]);
  });

  test("finds a weight behind constants that were folded, and behind those that were not", () => {
    const l = new Layers();
    const { b } = l;
    const flat = b.op("Flatten", ["image"], { axis: int(1) });
    const moved = b.transpose(b.initializer("fc.weight", random("fc", 4, 768)), [1, 0]);
    const normed = b.div(
      b.initializer("fc2.weight", random("fc2", 4, 4)),
      b.op("Sqrt", [b.initializer("fc2.g", positive("g", 1, 4))]),
    );
    const graph = l.endWith(b.matmul(b.matmul(flat, moved), normed), 4);
    expect(found(graph)).toEqual(["fc.weight weight", "fc2.weight weight", "fc2.g weight"]);
    expect(found(foldConstants(graph)).map((text) => text.split(" ")[1])).toEqual(["weight", "weight"]);
  });

  test("counts the parameters of a residual network", () => {
    expect(parametersOf(residualNetwork())).toHaveLength(10 * 3);
  });

  test("leaves out weights that are not float32", () => {
    const l = new Layers();
    const weight = l.b.initializer("w", zeros("float16", [4, 3, 1, 1]));
    const graph = l.end(l.b.op("Conv", ["image", l.b.cast(weight, "float32")]), 4);
    expect(found(graph)).toEqual([]);
  });
});

describe("untie", () => {
  const l = new Layers();
  const shared = l.b.initializer("layer.bn1.bias", zeros("float32", [4]));
  const scale = (name: string): string => l.b.initializer(name, positive(name, 4));
  const weight = l.b.initializer("tied.weight", random("tied", 4, 4, 1, 1));
  const norm = (x: string, name: string): string =>
    l.b.op("BatchNormalization", [x, scale(`${name}.weight`), shared, shared, scale(`${name}.running_var`)], {}, name);
  const one = l.b.op("Conv", [norm(l.conv("image", "conv", [3, 4]), "layer.bn1"), weight]);
  const graph = l.end(l.b.op("Conv", [norm(one, "layer.bn2"), weight]), 4);
  const untied = untie(graph);

  test("gives every reader of a vector a copy under the name that its place has", () => {
    const norms = untied.nodes.filter(({ op }) => op === "BatchNormalization");
    expect(norms.map(({ inputs }) => inputs.slice(2, 4))).toEqual([
      ["layer.bn1.bias", "layer.bn1.running_mean"],
      ["layer.bn2.bias", "layer.bn2.running_mean"],
    ]);
    expect(parametersOf(untied).map(({ name }) => name)).toContain("layer.bn2.bias");
    expect(untied.initializers.get("layer.bn2.bias")).toEqual(graph.initializers.get("layer.bn1.bias"));
  });

  test("leaves matrices tied", () => {
    expect(untied.nodes.filter(({ inputs }) => inputs.includes("tied.weight"))).toHaveLength(2);
  });

  test("returns a graph without shared vectors as it is", () => {
    expect(untie(untied)).toBe(untied);
    expect(untie(residualNetwork()).initializers.size).toBe(residualNetwork().initializers.size);
  });

  test("calls copies after the node where nothing else has a name to follow", () => {
    const k = new Layers();
    const bias = k.b.initializer("zero", zeros("float32", [4]));
    const conv = (x: string, from: number, name: string): string =>
      k.b.op("Conv", [x, k.b.constant(random(name, 4, from, 1, 1), "onnx::Conv"), bias], {}, name);
    const own = untie(k.end(conv(conv("image", 3, "a"), 4, "b"), 4));
    expect(own.nodes.slice(0, 2).map(({ inputs }) => inputs[2])).toEqual(["zero", "b.bias"]);
  });
});
