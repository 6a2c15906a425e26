import { describe, expect, test } from "vitest";
import { int, ints } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { INTERNAL_OPSET, type ValueInfo } from "../../src/graph/graph.ts";
import { float32, int64 } from "../../src/tensor/tensor.ts";
import { bytesOfGraph, runBytes } from "./run-graph.ts";

const x: ValueInfo = { name: "x", dtype: "float32", shape: ["n", 2] };
const output = (name: string): ValueInfo => ({ name, dtype: "float32" });

describe("names", () => {
  test("a node is called like its first output, with a number where the name is taken", () => {
    const b = new GraphBuilder("test");
    b.input(x);
    expect([b.op("Relu", ["x"]), b.op("Relu", ["x"]), b.op("Relu", ["x"], {}, "x")]).toEqual(["relu", "relu_1", "x_1"]);
    expect(b.ops("Split", ["x"], 2, { num_outputs: int(2) }, "part")).toEqual(["part", "part_1"]);
    expect(b.build([]).nodes.map(({ name }) => name)).toEqual(["relu", "relu_1", "x_1", "part"]);
  });

  test("names of a graph that is extended stay as they are and are not used again", () => {
    const first = new GraphBuilder("first");
    first.input(x);
    first.initializer("w", float32([2], [1, 2]));
    const y = first.add("x", "w");
    const b = new GraphBuilder("second", first.build([output(y)]));
    expect([y, b.add("x", "w"), b.constant(float32([], [1]), "w")]).toEqual(["add", "add_1", "w_1"]);
    const graph = b.build([]);
    expect(graph).toMatchObject({ name: "second", inputs: [x], outputs: [] });
    expect([...graph.initializers.keys()]).toEqual(["w", "w_1"]);
  });

  test("one name is not defined twice", () => {
    const b = new GraphBuilder("test");
    b.initializer("w", float32([], [1]));
    expect(() => b.initializer("w", float32([], [1]))).toThrow(expect.objectContaining({ code: "INTERNAL" }));
  });

  test("graphs join where an input of one is a value of the other", () => {
    const first = new GraphBuilder("first");
    first.input(x);
    const features = first.op("Relu", ["x"], {}, "features");
    const head = new GraphBuilder("head");
    head.input({ name: features, dtype: "float32", shape: ["n", 2] });
    const y = head.op("Neg", [features], {}, "y");
    const b = new GraphBuilder("joined", first.build([]));
    b.append(head.build([]));
    expect(b.build([output(y)])).toMatchObject({ inputs: [x], nodes: [{ name: "features" }, { name: "y" }] });
  });
});

test("a built graph does not change with its builder", () => {
  const b = new GraphBuilder("test");
  b.input(x);
  const graph = b.build([]);
  b.op("Relu", ["x"]);
  b.scalar(1);
  expect([graph.nodes.length, graph.initializers.size, graph.opsets.get("")]).toEqual([0, 0, INTERNAL_OPSET]);
});

test("operators compute what their methods say", async () => {
  const b = new GraphBuilder("test");
  b.input(x);
  const two = b.scalar(2);
  const w = b.initializer("w", float32([3, 2], [1, 2, 3, 4, 5, 6]));
  const wanted: [string, number[]][] = [
    [b.add("x", two), [3, 4, 5, 6]],
    [b.sub("x", two), [-1, 0, 1, 2]],
    [b.mul("x", two), [2, 4, 6, 8]],
    [b.div("x", two), [0.5, 1, 1.5, 2]],
    [b.neg("x"), [-1, -2, -3, -4]],
    [b.matmul("x", b.transpose(w, [1, 0])), [5, 11, 17, 11, 25, 39]],
    [b.gemm("x", w, { transB: true, alpha: 2 }), [10, 22, 34, 22, 50, 78]],
    [b.gemm("x", "x", { c: two, beta: 3 }), [13, 16, 21, 28]],
    [b.reduceSum("x", { axes: [0] }), [4, 6]],
    [b.reduceMean("x", { keepdims: false }), [2.5]],
    [b.reshape("x", b.ints([4])), [1, 2, 3, 4]],
  ];
  const graph = b.build(wanted.map(([name]) => output(name)));
  const outputs = await runBytes(bytesOfGraph(graph), { x: float32([2, 2], [1, 2, 3, 4]) });
  for (const [name, values] of wanted)
    expect([name, [...(outputs[name]!.data as Float32Array)]]).toEqual([name, values]);
});

test("axes and attributes are written as ONNX has them", () => {
  const b = new GraphBuilder("test");
  b.input(x);
  b.reduceSum("x", { axes: [1] });
  b.transpose("x", [1, 0]);
  const { nodes, initializers } = b.build([]);
  expect(nodes.map(({ attributes }) => attributes)).toEqual([{ keepdims: int(1) }, { perm: ints([1, 0]) }]);
  expect([...initializers.values()]).toEqual([int64([1])]);
});
