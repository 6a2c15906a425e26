import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type Attribute, type Attributes, int, ints, string } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { foldConstants } from "../../src/graph/fold.ts";
import { foldBudget } from "../../src/graph/fold-budget.ts";
import { foldKernel } from "../../src/graph/fold-kernels.ts";
import type { Graph, Value } from "../../src/graph/graph.ts";
import { clampedInt64 } from "../../src/graph/int64.ts";
import { AttributeProtoSchema } from "../../src/onnx/onnx-pb.ts";
import { float32, int64, type Tensor, tensor, toNumbers, zeros } from "../../src/tensor/tensor.ts";
import { OPERATOR_CASES } from "./operator-cases.ts";
import { bytesOfGraph, rawBytes, runBytes } from "./run-graph.ts";

const int32 = (...values: number[]): Tensor => tensor("int32", [values.length], Int32Array.from(values));
const whole = (...values: bigint[]): Tensor => tensor("int64", [values.length], BigInt64Array.from(values));
const reals = (...values: number[]): Tensor => float32([values.length], values);
const tensorAttribute = (value: Tensor): Attribute => ({ kind: "tensor", value });

/** Calls on constants whose bits must be those of ONNX Runtime. */
const CALLS: readonly (readonly [op: string, inputs: readonly (Tensor | undefined)[], attributes?: Attributes])[] = [
  ...["Add", "Sub", "Mul", "Div", "Max", "Min"].flatMap((op) => [
    [op, [whole(7n, -7n, 2n ** 60n), whole(2n, 2n, 3n)]] as const,
    [op, [int32(7, -7, 2 ** 31 - 1), int32(2, 2, 2)]] as const,
    [op, [reals(0.1, -7, 1e-40, 3e38), reals(0.3, 2, 3, 2)]] as const,
    [op, [float32([2, 1], [0.1, 0.7]), float32([3], [0.3, 1 / 3, 11])]] as const,
  ]),
  ["Max", [int64([1, 5]), int64([3]), int64([2, 9])]],
  ["Mod", [whole(7n, -7n, 7n, -7n, 2n ** 60n), whole(3n, 3n, -3n, -3n, 7n)]],
  ["Mod", [whole(7n, -7n, 7n, -7n, 2n ** 60n), whole(3n, 3n, -3n, -3n, 7n)], { fmod: int(1) }],
  ["Mod", [int32(7, -7, 7, -7, -6), int32(3, 3, -3, -3, 3)]],
  ["Mod", [int32(7, -7, 7, -7), int32(3)], { fmod: int(1) }],
  ["Mod", [reals(5.3, -5.3, 5.3, -6), reals(2.1, 2.1, -2.1, 3)], { fmod: int(1) }],
  ["Clip", [reals(-1, 0, 3, 9), float32([], [0]), float32([], [6])]],
  ["Clip", [reals(-1, 3, 9), undefined, float32([], [6])]],
  ["Clip", [reals(-1, 3, 9), float32([], [6]), float32([], [0])]],
  ["Clip", [int64([-1, 3, 9]), int64([0], [])]],
  ["Clip", [reals(-1, 3)]],
  ["ScatterND", [zeros("float32", [4]), int64([3, 1], [2, 1]), reals(5, 6)]],
  ["ScatterND", [zeros("float32", [2, 3]), int64([1, -1, 0, 0], [2, 1, 2]), float32([2, 1], [5, 6])]],
  ["ScatterND", [zeros("int64", [2, 2, 2]), int64([-1], [1, 1]), int64([1, 2, 3, 4], [1, 2, 2])]],
  ["Abs", [reals(-1.5, 2)]],
  ["Abs", [whole(-3n, 2n)]],
  ["Neg", [whole(-3n, 2n)]],
  ["Neg", [reals(0, 1)]],
  ["Floor", [reals(-1.5, 2.5)]],
  ["Ceil", [reals(-1.5, 2.5)]],
  ["Sqrt", [reals(2, 3, 1e-30)]],
  ["Not", [tensor("bool", [2], Uint8Array.of(0, 1))]],
  ["Equal", [int64([1, -1]), int64([-1])]],
  ["Equal", [tensor("bool", [2], Uint8Array.of(0, 1)), tensor("bool", [2], Uint8Array.of(1, 1))]],
  ["Where", [tensor("bool", [2], Uint8Array.of(0, 1)), int64([1, 2]), int64([3])]],
  ["Cast", [int64([-3, 2 ** 40])], { to: int(1) }],
  ["Cast", [reals(-1.9, 2.9)], { to: int(7) }],
  ["Cast", [reals(-1.9, 0)], { to: int(9) }],
  ["Cast", [reals(0.1)], { to: int(11) }],
  ["Cast", [tensor("float64", [1], Float64Array.of(0.1))], { to: int(1) }],
  ["Cast", [tensor("float16", [3], Uint16Array.of(0x3c00, 0x8001, 0x7c00))], { to: int(1) }],
  ["Cast", [int64([3])], { to: int(6) }],
  ["Constant", [], { value: tensorAttribute(reals(1, 2)) }],
  ["Constant", [], { value_ints: ints([1, 2 ** 63]) }],
  ["Constant", [], { value_float: { kind: "float", value: 0.5 } }],
  ["ConstantOfShape", [int64([2, 3])]],
  ["ConstantOfShape", [int64([])], { value: tensorAttribute(int64([7])) }],
  ["Range", [int64([7], []), int64([-3], []), int64([-2], [])]],
  ["Shape", [zeros("float32", [2, 3, 4])], { start: int(-2) }],
  ["Size", [zeros("float32", [2, 3, 4])]],
  ...OPERATOR_CASES.filter(
    ({ op, opset, outputs }) =>
      opset === 18 &&
      outputs === 1 &&
      /^(Concat|Expand|Flatten|Gather|Identity|Reshape|Slice|Squeeze|Tile|Transpose|Unsqueeze)$/.test(op),
  ).map(
    ({ op, inputs, attributes }) =>
      [op, inputs.map((input) => (input && "fed" in input ? input.fed : input)), attributes] as const,
  ),
];

describe("every kernel", () => {
  test("is exercised by a call", () => {
    const called = new Set(CALLS.map(([op]) => op));
    const known = OPERATOR_CASES.map(({ op }) => op).filter((op) => foldKernel(op));
    expect([...new Set(known)].filter((op) => !called.has(op))).toEqual([]);
  });

  test.each(CALLS.map((call, i) => [`${call[0]} (${i + 1})`, call] as const))(
    "%s gives the bits of ONNX Runtime",
    async (_, [op, inputs, attributes = {}]) => {
      const b = new GraphBuilder("constants");
      const y = b.op(
        op,
        inputs.map((input) => (input ? b.constant(input) : "")),
        attributes,
        "y",
      );
      const value = foldKernel(op)!(b.build([]).nodes[0]!, inputs, foldBudget())!;
      const graph = b.build([{ name: y, dtype: value.dtype }]);
      const actual = (await runBytes(bytesOfGraph(graph), {}))[y]!;
      expect(value.shape).toEqual(actual.dims);
      expect(new Uint8Array(value.data.buffer, value.data.byteOffset, value.data.byteLength)).toEqual(rawBytes(actual));
      if (op !== "Identity")
        expect(foldConstants(graph)).toMatchObject({ nodes: [], initializers: new Map([[y, value]]) });
    },
  );
});

/** Builds a graph with one input x [batch, 3, 4] and one output, and folds it. */
function folded(build: (b: GraphBuilder) => Value, shape: readonly (number | string)[] = ["batch", 3, 4]): Graph {
  const b = new GraphBuilder("test");
  b.input({ name: "x", dtype: "float32", shape });
  return foldConstants(b.build([{ name: build(b), dtype: "float32" }]));
}
const ops = (graph: Graph): string[] => graph.nodes.map(({ op }) => op);

describe("declined", () => {
  test.each([
    ["division of whole numbers by zero", "Div", [int64([1]), int64([0])], {}],
    ["the larger of NaN and a number", "Max", [reals(Number.NaN), reals(1)], {}],
    ["the larger of two zeros", "Max", [reals(-0), reals(0)], {}],
    ["the remainder of a division by zero", "Mod", [int64([1]), int64([0])], {}],
    ["the remainder of floats by zero", "Mod", [reals(1), reals(0)], { fmod: int(1) }],
    ["a remainder of floats that is not fmod", "Mod", [reals(1), reals(2)], {}],
    ["bounds as old opsets had them", "Clip", [reals(9)], { max: { kind: "float", value: 6 } }],
    ["an update that adds", "ScatterND", [reals(1), int64([0], [1, 1]), reals(2)], { reduction: string("add") }],
    ["an update out of range", "ScatterND", [reals(1), int64([1], [1, 1]), reals(2)], {}],
    ["an update of another shape", "ScatterND", [reals(1), int64([0], [1, 1]), reals(2, 3)], {}],
    ["a float that no whole number holds", "Cast", [reals(1e30)], { to: int(7) }],
    ["a whole number that int32 does not hold", "Cast", [int64([2 ** 40])], { to: int(6) }],
    ["a whole number that a double does not hold", "Cast", [whole(2n ** 60n + 1n)], { to: int(1) }],
    ["rounding to half precision", "Cast", [reals(0.1)], { to: int(10) }],
    ["a range of floats", "Range", [float32([], [0]), float32([], [1]), float32([], [0.1])], {}],
    ["an index out of range", "Gather", [reals(1, 2), int64([2])], {}],
    ["a fill beyond the limit", "ConstantOfShape", [int64([2 ** 13, 2 ** 13])], {}],
    ["an expansion beyond the limit", "Expand", [reals(1), int64([2 ** 13, 2 ** 13])], {}],
    ["a tiling beyond the limit", "Tile", [reals(1), int64([2 ** 26])], {}],
    ["a concatenation beyond the limit", "Concat", new Array(3).fill(zeros("int8", [2 ** 23])), { axis: int(0) }],
    ["a sum beyond the limit", "Add", [zeros("int32", [2 ** 13, 1]), zeros("int32", [2 ** 13])], {}],
    ["a gathering beyond the limit", "Gather", [zeros("int8", [1, 2 ** 13]), zeros("int64", [2 ** 13])], {}],
    ["rows of nothing beyond the limit", "Gather", [zeros("int8", [2 ** 30, 2, 0]), int64([0])], { axis: int(1) }],
    ["more axes than any tensor has", "Reshape", [reals(1), int64(new Array(65).fill(1))], {}],
    ["more new axes than any tensor has", "Unsqueeze", [reals(1), int64(Array.from({ length: 64 }, (_, i) => i))], {}],
    ["a range beyond the limit", "Range", [int64([0], []), int64([2 ** 26], []), int64([1], [])], {}],
    ["a slice of an axis that is not there", "Slice", [reals(1), int64([0]), int64([1]), int64([2 ** 31])], {}],
    ["a slice with a step of zero", "Slice", [reals(1), int64([0]), int64([1]), int64([0]), int64([0])], {}],
    ["a permutation that is none", "Transpose", [zeros("float32", [2, 2])], { perm: ints([0, 0]) }],
    ["a maximum of nothing", "Max", [], {}],
    ["a reshape that copies a missing axis", "Reshape", [zeros("float32", [0]), int64([0, 0])], {}],
    [
      "a constant that is not a tensor of numbers",
      "Constant",
      [],
      { value: { kind: "opaque", value: create(AttributeProtoSchema), captures: [] } },
    ],
  ] as readonly (readonly [string, string, readonly Tensor[], Attributes])[])(
    "%s",
    (_title, op, inputs, attributes) => {
      const node = { op, domain: "", name: "node", inputs: inputs.map((_, i) => `c${i}`), outputs: ["y"], attributes };
      expect(foldKernel(op)!(node, inputs, foldBudget())).toBeUndefined();
    },
  );

  test("a chain of doublings stays computed from where its results exceed the limit together", () => {
    const graph = folded((b) => {
      let value = b.constant(tensor("int8", [1], new Int8Array(1)));
      for (let i = 0; i < 30; i++) value = b.op("Concat", [value, value], { axis: int(0) });
      return value;
    });
    expect(ops(graph)).toEqual(new Array(7).fill("Concat"));
    expect([...graph.initializers.values()].map(({ shape }) => shape)).toEqual([[2 ** 23]]);
  });

  test("a chain that rewrites one tensor again and again stays computed from where it exceeds the limit", () => {
    const graph = folded((b) => {
      let value = b.constant(zeros("int8", [2 ** 10, 2 ** 10]));
      for (let i = 0; i < 30; i++) value = b.op("Transpose", [value]);
      return value;
    });
    expect(ops(graph)).toEqual(new Array(6).fill("Transpose")); // 2^24 + 8 * 2^20 elements are 24 transposes
  });

  test("a node that is declined stays", () => {
    expect(ops(folded((b) => b.op("Div", [b.constant(int64([1])), b.constant(int64([0]))])))).toEqual(["Div"]);
  });
});

describe("sizes", () => {
  test("a static size read from a shape is a constant, though the batch is symbolic", () => {
    const graph = folded((b) => {
      const last = b.op("Gather", [b.op("Shape", ["x"]), b.constant(int64([2], []))]);
      return b.op("Add", ["x", b.op("Cast", [last], { to: int(1) })]);
    });
    expect(ops(graph)).toEqual(["Add"]);
    expect(graph.initializers.get("cast")).toEqual(float32([], [4]));
  });

  test("a symbolic size stays computed", () => {
    expect(
      ops(
        folded((b) =>
          b.op("Reshape", [
            "x",
            b.op("Concat", [b.op("Slice", [b.op("Shape", ["x"]), b.ints([0]), b.ints([1])]), b.ints([12])], {
              axis: int(0),
            }),
          ]),
        ),
      ),
    ).toEqual(["Shape", "Slice", "Concat", "Reshape"]);
  });

  test("shapes that become known make more shapes known", () => {
    const graph = folded(
      (b) => {
        const target = b.op("Concat", [b.op("Slice", [b.op("Shape", ["x"]), b.ints([0]), b.ints([1])]), b.ints([-1])], {
          axis: int(0),
        });
        const flat = b.op("Reshape", ["x", target]);
        const count = b.op("Range", [
          b.constant(int64([0], [])),
          b.op("Squeeze", [b.op("Slice", [b.op("Shape", [flat]), b.ints([1]), b.ints([2])])]),
          b.constant(int64([1], [])),
        ]);
        return b.op("Gather", [flat, count], { axis: int(1) });
      },
      [2, 3, 4],
    );
    expect(ops(graph)).toEqual(["Reshape", "Gather"]);
    expect(graph.initializers.get("range")).toEqual(int64([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]));
  });
});

test("pads that make windows or strides fit are constants once the sizes are", () => {
  // (-size) mod 7, as windows of attention need it, and max((ceil(size / 2) - 1) * 2 + 3 - size, 0), as strided layers do.
  const padded = (size: number | string): Graph =>
    folded(
      (b) => {
        const scalar = (value: number): Value => b.constant(int64([value], []));
        const dim = b.op("Gather", [b.op("Shape", ["x"]), scalar(1)]);
        const window = b.op("Mod", [b.neg(dim), scalar(7)]);
        const real = b.cast(dim, "float32");
        const steps = b.op("Ceil", [b.div(real, b.scalar(2))]);
        const over = b.sub(b.add(b.mul(b.sub(steps, b.scalar(1)), b.scalar(2)), b.scalar(3)), real);
        const stride = b.cast(b.op("Clip", [over, b.scalar(0)]), "int64");
        const [first, second] = [window, stride].map((pad) => b.op("Unsqueeze", [pad, b.ints([0])]));
        const rows = b.op("Pad", ["x", b.op("Concat", [b.ints([0, 0]), first!, second!], { axis: int(0) })]);
        return b.op("Reshape", [rows, b.ints([-1])]);
      },
      ["batch", size],
    );
  expect(ops(padded(56))).toEqual(["Pad", "Reshape"]);
  expect([...padded(50).initializers.values()].map(toNumbers)).toContainEqual([0, 0, 6, 1]);
  expect(ops(padded("width"))).toContain("Mod");
});

describe("weights", () => {
  test("half-precision weights become float32", () => {
    const half = tensor("float16", [2, 4], new Uint16Array(8).fill(0x3c00));
    const graph = folded((b) =>
      b.op("MatMul", ["x", b.op("Transpose", [b.op("Cast", [b.initializer("w", half)], { to: int(1) })])]),
    );
    expect(ops(graph)).toEqual(["MatMul"]);
    expect([...graph.initializers]).toEqual([["transpose", float32([4, 2], new Float32Array(8).fill(1))]]);
  });

  test("a weight that two nodes share through Identity stays one weight", () => {
    const graph = folded((b) => {
      b.initializer("w", float32([4], [1, 2, 3, 4]));
      const alias = b.op("Identity", [b.op("Identity", ["w"])]);
      return b.add(b.mul("x", "w"), alias);
    });
    expect(graph.nodes.map(({ inputs }) => inputs)).toEqual([
      ["x", "w"],
      ["mul", "w"],
    ]);
    expect([...graph.initializers.keys()]).toEqual(["w"]);
  });

  test("an alias that a subgraph or the caller reads keeps its name", () => {
    const b = new GraphBuilder("test");
    b.input({ name: "x", dtype: "float32", shape: [] });
    b.initializer("w", float32([], [1]));
    const captured = b.op("Identity", ["w"], {}, "captured");
    const output = b.op("Identity", ["w"], {}, "output");
    const body: Attribute = { kind: "opaque", value: create(AttributeProtoSchema), captures: [captured] };
    const branch = b.op("If", ["x"], { then_branch: body });
    const graph = foldConstants(b.build([output, branch].map((name) => ({ name, dtype: "float32" }))));
    expect(ops(graph)).toEqual(["Identity", "Identity", "If"]);
  });

  test("views are not copied", () => {
    const w = float32([2, 2], [1, 2, 3, 4]);
    const graph = folded((b) => b.add("x", b.op("Reshape", [b.constant(w), b.ints([-1])])));
    expect(graph.initializers.get("reshape")!.data).toBe(w.data);
  });
});

test("what nothing reads is removed, the inputs stay", () => {
  const graph = folded((b) => {
    b.initializer("unused", zeros("float32", [3]));
    b.op("Relu", ["x"]);
    return b.op("Constant", [], { value: tensorAttribute(reals(1)) }, "y");
  });
  expect(graph).toMatchObject({ nodes: [], inputs: [{ name: "x" }], initializers: new Map([["y", reals(1)]]) });
});

test("a constant output still runs", async () => {
  const graph = folded((b) => b.op("Add", [b.constant(reals(1)), b.constant(reals(2))], {}, "y"), [1]);
  expect(ops(graph)).toEqual([]);
  const { y } = await runBytes(bytesOfGraph(graph), { x: reals(0) });
  expect(y!.data).toEqual(Float32Array.of(3));
});

test("INT64_MAX survives", () => {
  expect(clampedInt64([2 ** 63, -(2 ** 63)]).data).toEqual(BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)));
});
