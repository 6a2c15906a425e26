import { describe, expect, test } from "vitest";
import { differentiate, gradient } from "../../../src/autodiff/gradient.ts";
import { GRADIENT_DOMAIN, readWindow, windowAttributes } from "../../../src/autodiff/gradient-operators.ts";
import { type LoweringContext, lower } from "../../../src/autodiff/lowering/lower.ts";
import { PORTABLE } from "../../../src/autodiff/lowering/portable.ts";
import { int, ints } from "../../../src/graph/attributes.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph, Shape } from "../../../src/graph/graph.ts";
import { Session } from "../../../src/runtime/session.ts";
import { float32, toNumbers } from "../../../src/tensor/tensor.ts";
import { randomTensor } from "./reference.ts";

const WINDOW = {
  kernel: [3, 2],
  strides: [1, 2],
  dilations: [2, 1],
  pads: [1, 0, 2, -1],
  group: 2,
  size: [9, 8],
};

/** Two convolutions and max pooling over a batch of any size; the loss is the sum. */
function network(x: Shape = ["n", 2, 8, 8]): Graph {
  const b = new GraphBuilder("network");
  b.input({ name: "x", dtype: "float32", shape: x });
  b.initializer("first", randomTensor("first", [4, 2, 3, 3]));
  b.initializer("second", randomTensor("second", [3, 4, 3, 3]));
  const y = b.op("Conv", ["x", "first"], { pads: ints([1, 1, 1, 1]) });
  const pooled = b.op("MaxPool", [y], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
  const z = b.op("Conv", [pooled, "second"], { pads: ints([1, 1, 1, 1]), strides: ints([2, 2]) });
  b.named("ReduceSum", [z], "loss", { keepdims: int(0) });
  return b.build([{ name: "loss", dtype: "float32", shape: [] }]);
}
const ALL = { of: "loss", with: ["x", "first", "second"] };
const own = (graph: Graph): string[] => graph.nodes.filter((n) => n.domain === GRADIENT_DOMAIN).map(({ op }) => op);

describe("gradient operators", () => {
  test("carry their window", () => {
    const b = new GraphBuilder("test");
    b.custom(GRADIENT_DOMAIN, "ConvGradX", ["dy", "w"], windowAttributes(WINDOW));
    expect(readWindow(b.build([]).nodes[0]!)).toEqual(WINDOW);
  });

  test("are what differentiate leaves and gradient lowers", () => {
    const before = differentiate(network(), ALL);
    expect(own(before)).toEqual(["ConvGradX", "ConvGradW", "MaxPoolGrad", "ConvGradX", "ConvGradW"]);
    for (const after of [gradient(network(), ALL), lower(before, PORTABLE)]) {
      expect(own(after)).toEqual([]);
      expect(after.outputs).toEqual(before.outputs);
    }
  });
});

describe("lower", () => {
  test("leaves every other node, name, initializer and output as it was", () => {
    const before = differentiate(network(), ALL);
    const after = lower(before, PORTABLE);
    expect(after.inputs).toEqual(before.inputs);
    expect(after.outputs).toEqual(before.outputs);
    for (const [name, tensor] of before.initializers) expect(after.initializers.get(name)).toBe(tensor);
    expect(after.nodes.slice(0, network().nodes.length)).toEqual(network().nodes);
    const names = after.nodes.flatMap(({ outputs }) => outputs);
    expect(new Set(names).size).toBe(names.length);
    expect([...after.opsets]).toEqual([["", before.opsets.get("")]]);
  });

  test("changes nothing in a graph without gradient operators", () => {
    expect(lower(network(), PORTABLE)).toEqual(network());
  });

  test("uses the lowering of the caller, which sees shapes and types behind operators that were replaced", () => {
    const seen: { op: string; shapes: Shape[]; dtype: string }[] = [];
    const spy =
      (op: keyof typeof PORTABLE) =>
      (c: LoweringContext): string => {
        seen.push({ op, shapes: c.inputs.map(c.shapeOf), dtype: c.dtypeOf(c.inputs[0]!) });
        return PORTABLE[op](c);
      };
    const table = { ConvGradX: spy("ConvGradX"), ConvGradW: spy("ConvGradW"), MaxPoolGrad: spy("MaxPoolGrad") };
    expect(own(gradient(network(), { ...ALL, lowering: table }))).toEqual([]);
    expect(seen.map(({ op }) => op)).toEqual(["ConvGradX", "ConvGradW", "MaxPoolGrad", "ConvGradX", "ConvGradW"]);
    expect(seen.at(-2)!.shapes).toEqual([
      ["n", 4, 8, 8],
      [4, 2, 3, 3],
    ]);
    expect(seen.every(({ dtype }) => dtype === "float32")).toBe(true);
  });

  test("names the operator whose operand has no known rank", () => {
    const b = new GraphBuilder("test");
    b.input({ name: "dy", dtype: "float32" });
    b.input({ name: "w", dtype: "float32", shape: [2, 2, 3, 2] });
    const y = b.custom(GRADIENT_DOMAIN, "ConvGradX", ["dy", "w"], windowAttributes(WINDOW));
    const graph = b.build([{ name: b.named("Identity", [y], "y"), dtype: "float32" }]);
    expect(() => lower(graph, PORTABLE)).toThrow(
      expect.objectContaining({
        code: "SHAPE_MISMATCH",
        message: 'rootstock.ConvGradX "convgradx": "dy" is [unknown].',
      }),
    );
  });
});

describe("the gradient of a convolutional network", () => {
  test("takes batches of any size, and sums over the batch", async () => {
    await using session = await Session.create(gradient(network(), ALL), { threads: 1, optimization: "none" });
    const [one, other] = [randomTensor("one", [1, 2, 8, 8]), randomTensor("other", [1, 2, 8, 8])];
    const both = float32([2, 2, 8, 8], Float32Array.from([...one.data, ...other.data]));
    const [a, b, c] = [await session.run({ x: one }), await session.run({ x: other }), await session.run({ x: both })];
    for (const name of ["first.gradient", "second.gradient"]) {
      const sums = toNumbers(a[name]!).map((value, i) => value + Number(b[name]!.data[i]));
      for (const [i, sum] of sums.entries()) expect(Number(c[name]!.data[i])).toBeCloseTo(sum, 3);
      expect(Math.max(...sums.map(Math.abs))).toBeGreaterThan(1);
    }
    expect(c["x.gradient"]!.shape).toEqual([2, 2, 8, 8]);
  });

  test("is refused where the sizes of the image are open, saying what to do", () => {
    expect(() => gradient(network(["n", 2, "h", "w"]), ALL)).toThrow(
      expect.objectContaining({
        code: "NOT_DIFFERENTIABLE",
        message: expect.stringMatching(
          /Conv "conv" \(all sizes but the batch must be numbers, and "x" is \[n, 2, h, w\]: give the graph a fixed input size\)/,
        ),
      }),
    );
  });

  test("is refused for automatic padding with dilations, which ONNX Runtime does not compute as ONNX says", () => {
    const nodes = network().nodes.map((node) =>
      node.op === "MaxPool"
        ? {
            ...node,
            attributes: {
              kernel_shape: ints([2, 2]),
              strides: ints([2, 2]),
              dilations: ints([2, 2]),
              auto_pad: { kind: "string" as const, value: "SAME_UPPER" },
            },
          }
        : node,
    );
    expect(() => gradient({ ...network(), nodes }, ALL)).toThrow(/MaxPool "maxpool" \(auto_pad=SAME with dilations/);
  });
});
