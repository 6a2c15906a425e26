import { describe, expect, test } from "vitest";
import type { Attributes } from "../../src/graph/attributes.ts";
import { int, ints } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Dim, Graph, Shape, Value, ValueInfo } from "../../src/graph/graph.ts";
import { inferTypes } from "../../src/graph/infer-types.ts";
import { SHAPE_RULES } from "../../src/graph/shape-rules/table.ts";
import { float32, int64, type Tensor } from "../../src/tensor/tensor.ts";
import { shapeOf } from "./infer-shape.ts";
import type { OperatorCase } from "./operator-call.ts";
import { OPERATOR_CASES } from "./operator-cases.ts";
import { bytesOfGraph, runBytes } from "./run-graph.ts";

/** A graph of one node; `dims` says how the fed inputs' sizes are declared. */
function graphOfCase(
  { op, inputs, attributes, outputs, opset }: OperatorCase,
  dims = (size: number): Dim => size,
): Graph {
  const b = new GraphBuilder("case");
  const names = inputs.map((input, i) => {
    if (!input) return "";
    if (!("fed" in input)) return b.constant(input);
    return b.input({ name: `x${i}`, dtype: input.fed.dtype, shape: input.fed.shape.map(dims) });
  });
  const dot = op.lastIndexOf(".");
  const results = b.ops(op.slice(dot + 1), names, outputs, attributes, "y", op.slice(0, Math.max(0, dot)));
  const built = b.build([]);
  const graph = { ...built, opsets: new Map([...built.opsets, ["", opset]]) };
  const types = inferTypes(graph);
  return { ...graph, outputs: results.map((name) => ({ name, dtype: types.get(name)?.dtype ?? "float32" })) };
}

function feedsOf({ inputs }: OperatorCase): Record<string, Tensor> {
  return Object.fromEntries(
    inputs.flatMap((input, i) => (input && "fed" in input ? [[`x${i}`, input.fed] as const] : [])),
  );
}

const titles = new Map<string, number>();
const rows = OPERATOR_CASES.map((row) => {
  const count = (titles.get(row.op) ?? 0) + 1;
  titles.set(row.op, count);
  return [`${row.op} ${count}`, row] as const;
});

describe("every shape rule", () => {
  test("is exercised by a row", () => {
    expect([...titles.keys()].sort()).toEqual(Object.keys(SHAPE_RULES).sort());
  });

  test.each(rows)("%s agrees with ONNX Runtime", async (_, row) => {
    const graph = graphOfCase(row);
    const types = inferTypes(graph);
    const actual = await runBytes(bytesOfGraph(graph), feedsOf(row));
    for (const { name } of graph.outputs) {
      const { dtype, shape = [] } = types.get(name) ?? {};
      const isOpen = row.op.startsWith("Non"); // the count depends on the data
      const known = shape.map((dim, i) => (isOpen && typeof dim === "string" ? actual[name]!.dims[i] : dim));
      expect({ dtype, shape: known }).toEqual({ dtype: actual[name]!.type, shape: actual[name]!.dims });
    }
  });

  test.each(rows)("%s says nothing wrong about symbolic sizes", (_, row) => {
    const exact = inferTypes(graphOfCase(row));
    const graph = graphOfCase(row, (size) => (size === 1 ? 1 : `s${size}`));
    const symbolic = inferTypes(graph);
    for (const { name } of graph.outputs) {
      const shape = symbolic.get(name)?.shape;
      if (shape)
        expect(shape.map(evaluate)).toEqual(
          exact.get(name)!.shape!.map((dim, i) => (evaluate(shape[i]!) === "?" ? "?" : dim)),
        );
    }
  });
});

/** The number that a formula over names like "s12" stands for; "?" for names that are not formulas. */
function evaluate(dim: Dim): Dim {
  if (typeof dim === "number") return dim;
  const formula = dim.replaceAll("floor", "Math.floor").replaceAll(/\bs(\d+)\b/g, "$1");
  return /^[-+*/() \d]*$/.test(formula.replaceAll("Math.floor", ""))
    ? Number(new Function(`return ${formula}`)())
    : "?";
}

describe("symbolic sizes", () => {
  const reshape = (shape: Shape, target: number[]): Shape | undefined =>
    shapeOf({ x: shape }, (b) => b.op("Reshape", ["x", b.ints(target)]));

  test("reshape copies and divides out the batch", () => {
    expect(reshape(["batch", 512, 1, 1], [0, -1])).toEqual(["batch", 512]);
    expect(reshape(["batch", 512, 1, 1], [-1, 512])).toEqual(["batch", 512]);
    expect(reshape(["batch", 12, 64], [-1, 64])).toEqual(["12*batch", 64]);
    expect(reshape(["batch", 3, "h", "w"], [0, 3, -1])).toEqual(["batch", 3, "h*w"]);
  });

  test("splitting heads off the batch and back gives the batch", () => {
    const shape = shapeOf({ x: ["batch", 12, 64] }, (b) =>
      b.op("Reshape", [b.op("Reshape", ["x", b.ints([-1, 64])]), b.ints([-1, 12, 64])]),
    );
    expect(shape).toEqual(["batch", 12, 64]);
  });

  test("a batch read by Shape and Gather goes through Concat into Reshape", () => {
    const shape = shapeOf({ x: ["batch", 512, 7, 7] }, (b) => {
      const batch = b.op("Gather", [b.op("Shape", ["x"]), b.constant(int64([0], []))]);
      const target = b.op("Concat", [b.op("Unsqueeze", [batch, b.ints([0])]), b.ints([-1])], { axis: int(0) });
      return b.op("Reshape", ["x", target]);
    });
    expect(shape).toEqual(["batch", 25_088]);
  });

  test("shape arithmetic is followed", () => {
    const shape = shapeOf({ x: ["batch", 4, "h", "w"] }, (b) => {
      const sizes = b.op("Slice", [b.op("Shape", ["x"]), b.ints([2]), b.ints([4])]);
      const double = b.op(
        "Cast",
        [b.op("Mul", [b.op("Cast", [sizes], { to: int(1) }), b.constant(float32([], [2]))])],
        { to: int(7) },
      );
      const front = b.op("Slice", [b.op("Shape", ["x"]), b.ints([0]), b.ints([2])]);
      return b.op("Resize", ["x", "", "", b.op("Concat", [front, double], { axis: int(0) })]);
    });
    expect(shape).toEqual(["batch", 4, "2*h", "2*w"]);
  });

  test("a size that is padded to whole windows is a formula, and a number once the size is", () => {
    const padded = (w: number | string) =>
      shapeOf({ x: ["batch", 4, w] }, (b) => {
        const width = b.op("Slice", [b.op("Shape", ["x"]), b.ints([2]), b.ints([3])]);
        const rest = b.op("Clip", [b.op("Mod", [b.neg(width), b.ints([7])]), b.constant(int64([0], []))]);
        const plain = b.op("Mod", [b.neg(width), b.ints([7])]);
        return b.op("Pad", [
          "x",
          b.op("Concat", [b.ints([0, 0, 0, 0, 0]), w === "w" ? plain : rest], { axis: int(0) }),
        ]);
      });
    expect(padded("w")).toEqual(["batch", 4, "7*w - 7*floor(6*w/7)"]);
    expect(padded(50)).toEqual(["batch", 4, 56]);
    expect(padded(56)).toEqual(["batch", 4, 56]);
  });

  test("the Where that exporters put before Expand is decided", () => {
    const shape = shapeOf({ x: ["batch", 3], token: [1, 1, 8] }, (b) => {
      const batch = b.op("Slice", [b.op("Shape", ["x"]), b.ints([0]), b.ints([1])]);
      const target = b.op("Concat", [batch, b.ints([-1, -1])], { axis: int(0) });
      const minus = b.op("Mul", [
        b.op("ConstantOfShape", [b.ints([3])], { value: { kind: "tensor", value: int64([1]) } }),
        b.ints([-1]),
      ]);
      const ones = b.op("ConstantOfShape", [b.ints([3])], { value: { kind: "tensor", value: int64([1]) } });
      return b.op("Expand", ["token", b.op("Where", [b.op("Equal", [target, minus]), ones, target])]);
    });
    expect(shape).toEqual(["batch", 1, 8]);
  });

  test("branches with the same strides have the same sizes", () => {
    const attributes: Attributes = { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) };
    const shape = shapeOf({ x: ["batch", 3, "h", "w"] }, (b) => {
      const left = b.op("Conv", ["x", b.constant(float32([4, 3, 3, 3], new Float32Array(108)))], attributes);
      const right = b.op("MaxPool", ["x"], { ...attributes, kernel_shape: ints([3, 3]) });
      return b.op("Concat", [left, right], { axis: int(1) });
    });
    expect(shape).toEqual(["batch", 7, "floor((h + 1)/2)", "floor((w + 1)/2)"]);
  });

  test("repeated halving stays one formula", () => {
    const halve = (b: GraphBuilder, x: Value): Value =>
      b.op("MaxPool", [x], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
    expect(shapeOf({ x: [1, 3, "h", 224] }, (b) => halve(b, halve(b, halve(b, "x"))))).toEqual([
      1,
      3,
      "floor(h/8)",
      28,
    ]);
  });

  test("a size that cannot be known has a name that nothing else has", () => {
    const b = new GraphBuilder("test");
    b.input({ name: "x", dtype: "float32", shape: ["n", "y.1"] });
    const y = b.op("NonZero", ["x"], {}, "y");
    const z = b.op("NonZero", ["x"], {}, "z");
    const types = inferTypes(b.build([]));
    const names = [y, z].map((name) => types.get(name)!.shape![1]!);
    expect(new Set([...names, "y.1", "n"]).size).toBe(4);
  });

  test("an unknown size broadcast with another unknown size is neither", () => {
    const shape = shapeOf({ x: ["a", 3], y: ["b", 1] }, (b) => b.add("x", "y"));
    expect(shape).toEqual(["add.0", 3]);
  });
});

describe("what is not known", () => {
  test("operators without a rule and of other domains are absent", () => {
    const b = new GraphBuilder("test");
    b.input({ name: "x", dtype: "float32", shape: [2] });
    const known = b.build([]);
    const other = (op: string, domain: string, output: Value): Graph["nodes"][number] => ({
      op,
      domain,
      name: output,
      inputs: ["x"],
      outputs: [output],
      attributes: {},
    });
    const nodes = [
      other("NoSuchOp", "", "y"),
      other("Relu", "com.example", "z"),
      { ...other("Relu", "", "r"), inputs: ["y"] },
    ];
    const types = inferTypes({ ...known, nodes });
    expect([...types.keys()]).toEqual(["x"]);
  });

  test("an input of unknown rank gives outputs of known type", () => {
    const b = new GraphBuilder("test");
    const info: ValueInfo = { name: "x", dtype: "float32" };
    b.input(info);
    const y = b.op("Relu", ["x"]);
    expect(inferTypes(b.build([])).get(y)).toEqual({ dtype: "float32" });
  });

  test.each(rows)("%s accepts inputs of unknown rank", (_, row) => {
    const graph = graphOfCase(row);
    const inputs = graph.inputs.map(({ name, dtype }) => ({ name, dtype }));
    expect(() => inferTypes({ ...graph, inputs })).not.toThrow();
    expect(() => inferTypes({ ...graph, inputs: [] })).not.toThrow();
  });
});
