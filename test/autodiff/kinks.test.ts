/** Where a function is not smooth: what each rule gives at kinks, ties and ends, against PyTorch 2.15. */
import { describe, expect, test } from "vitest";
import { gradient, gradientName } from "../../src/autodiff/gradient.ts";
import type { VJP_RULES } from "../../src/autodiff/rules/table.ts";
import { type Attributes, float, int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph, Value } from "../../src/graph/graph.ts";
import { Session, type Tensors } from "../../src/runtime/session.ts";
import { float32, type Tensor, toNumbers } from "../../src/tensor/tensor.ts";

type Dtype = "float32" | "float64";
const tensor = (dtype: Dtype, values: readonly number[]): Tensor =>
  dtype === "float32"
    ? float32([values.length], values)
    : { dtype, shape: [values.length], data: Float64Array.from(values) };

/** The gradient of the sum of what `body` makes of the inputs, by each of them. */
async function slopes(
  inputs: Readonly<Record<string, readonly number[]>>,
  body: (b: GraphBuilder) => Value,
  dtype: Dtype = "float32",
): Promise<number[][]> {
  const b = new GraphBuilder("kinks");
  const names = Object.keys(inputs);
  for (const name of names) b.input({ name, dtype, shape: [inputs[name]!.length] });
  b.named("ReduceSum", [body(b)], "loss", { keepdims: int(0) });
  const graph: Graph = b.build([{ name: "loss", dtype, shape: [] }]);
  const feeds: Tensors = Object.fromEntries(names.map((name) => [name, tensor(dtype, inputs[name]!)]));
  await using session = await Session.create(gradient(graph, { of: "loss", with: names }), {
    threads: 1,
    optimization: "none",
  });
  const out = await session.run(feeds, names.map(gradientName));
  return names.map((name) => toNumbers(out[gradientName(name)]!).map((value) => value + 0)); // -0 is 0
}

const X = [-3, -1, -0.5, 0, 0.5, 1, 3, 6];
/** One row: operator, constant inputs after the first, attributes, expected slope at X. */
type Row = readonly [keyof typeof VJP_RULES, readonly number[], Attributes, readonly number[]];
const e = Math.exp;
const ROWS: readonly Row[] = [
  ["Relu", [], {}, [0, 0, 0, 0, 1, 1, 1, 1]],
  ["Clip", [0, 6], {}, [0, 0, 0, 0, 1, 1, 1, 0]],
  ["Clip", [-0.5, 1], {}, [0, 0, 0, 1, 1, 0, 0, 0]],
  ["LeakyRelu", [], { alpha: float(0.1) }, [0.1, 0.1, 0.1, 0.1, 1, 1, 1, 1]],
  ["LeakyRelu", [], { alpha: float(-2) }, [-2, -2, -2, -2, 1, 1, 1, 1]],
  ["ThresholdedRelu", [], { alpha: float(0.5) }, [0, 0, 0, 0, 0, 1, 1, 1]],
  ["Shrink", [], { lambd: float(0.5), bias: float(0.5) }, [1, 1, 0, 0, 0, 1, 1, 1]],
  ["Shrink", [], { lambd: float(0.5) }, [1, 1, 0, 0, 0, 1, 1, 1]],
  ["HardSigmoid", [], { alpha: float(1 / 6), beta: float(0.5) }, [0, ...Array(5).fill(1 / 6), 0, 0]],
  ["HardSwish", [], {}, [0, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6, 1, 1]],
  ["Elu", [], { alpha: float(0.5) }, [e(-3) / 2, e(-1) / 2, e(-0.5) / 2, 0.5, 1, 1, 1, 1]],
  [
    "Selu",
    [],
    {},
    [-3, -1, -0.5, 0, 1, 1, 1, 1].map((x) => 1.0507009873554805 * (x > 0 ? 1 : 1.6732632423543772 * e(x))),
  ],
  ["Celu", [], { alpha: float(0.5) }, [e(-6), e(-2), e(-1), 1, 1, 1, 1, 1]],
  ["Softsign", [], {}, X.map((x) => 1 / (1 + Math.abs(x)) ** 2)],
  ["Abs", [], {}, [-1, -1, -1, 0, 1, 1, 1, 1]],
  ["Pow", [2], {}, X.map((x) => 2 * x)],
  ["Pow", [3], {}, X.map((x) => 3 * x * x)],
  ["Pow", [1], {}, X.map(() => 1)],
  ["Pow", [0], {}, X.map(() => 0)],
];

describe.each(["float32", "float64"] as const)("in %s the slope is PyTorch's at kinks:", (dtype) => {
  const narrow = ["Celu"]; // float32 is all that ONNX knows
  const rows = ROWS.filter(([op]) => dtype === "float32" || !narrow.includes(op));
  test.each(rows)("%s %j %j", async (op, constants, attributes, wanted) => {
    const [got] = await slopes(
      { x: X },
      (b) => b.op(op, ["x", ...constants.map((value) => b.scalar(value, dtype))], attributes),
      dtype,
    );
    for (const [i, value] of wanted.entries()) expect(got![i]).toBeCloseTo(value, 5);
  });
});

test("PRelu takes the slope at 0", async () => {
  const wanted = [
    [0.25, 0.25, 1],
    [-2, 0, 0],
  ];
  expect(await slopes({ x: [-2, 0, 2], slope: [0.25, 0.25, 0.25] }, (b) => b.op("PRelu", ["x", "slope"]))).toEqual(
    wanted,
  );
});

test("Clip reads bounds that are computed", async () => {
  const [got] = await slopes({ x: [-1, 0, 0.5, 2, 3] }, (b) => {
    const high = b.cast(b.op("ReduceMax", [b.op("Shape", ["x"])], { keepdims: int(0) }), "float32"); // 5
    return b.op("Clip", ["x", b.sub(high, b.scalar(5)), b.sub(high, b.scalar(3))]);
  });
  expect(got).toEqual([0, 0, 1, 0, 0]);
});

describe.each(["float32", "float64"] as const)("in %s inputs that tie share the gradient equally:", (dtype) => {
  test("two inputs", async () => {
    const inputs = { a: [1, 2, 0], c: [1, 1, 3] };
    expect(await slopes(inputs, (b) => b.op("Max", ["a", "c"]), dtype)).toEqual([
      [0.5, 1, 0],
      [0.5, 0, 1],
    ]);
    expect(await slopes(inputs, (b) => b.op("Min", ["a", "c"]), dtype)).toEqual([
      [0.5, 0, 1],
      [0.5, 1, 0],
    ]);
  });

  test("three inputs", async () => {
    const inputs = { a: [1, 2, 0], c: [1, 2, 3], d: [1, 0, 3] };
    const third = 1 / 3;
    const got = await slopes(inputs, (b) => b.op("Max", ["a", "c", "d"]), dtype);
    const wanted = [[third, 0.5, 0], [third, 0.5, 0.5], [third, 0, 0.5]]; // biome-ignore format: a matrix
    for (const [i, row] of wanted.entries())
      for (const [j, value] of row.entries()) expect(got[i]![j]).toBeCloseTo(value, 6);
  });

  test("an input with itself", async () => {
    expect(await slopes({ a: [1, -2] }, (b) => b.op("Max", ["a", "a"]), dtype)).toEqual([[1, 1]]);
  });
});

describe("Pow with an exponent that is computed is PyTorch's at 0:", () => {
  const { POSITIVE_INFINITY: inf } = Number;
  test.each([
    [0, 0, 0, 0],
    [0, 1, 1, 0],
    [0, 2, 0, 0],
    [0, 0.5, inf, 0],
    [0, -1, -inf, -inf],
    [-2, 2, -4, Number.NaN],
    [-2, 3, 12, Number.NaN],
    [2, 0, 0, Math.LN2],
  ])("%d ^ %d", async (base, exponent, dBase, dExponent) => {
    const [got, other] = await slopes({ x: [base], y: [exponent] }, (b) => b.op("Pow", ["x", "y"]), "float64");
    expect(got).toEqual([dBase]);
    expect(other).toEqual([dExponent]);
  });

  test("a square takes no power", () => {
    const b = new GraphBuilder("square");
    b.input({ name: "x", dtype: "float32", shape: [3] });
    b.named("ReduceSum", [b.op("Pow", ["x", b.scalar(2)])], "loss", { keepdims: int(0) });
    const graph = gradient(b.build([{ name: "loss", dtype: "float32", shape: [] }]), { of: "loss", with: ["x"] });
    expect(graph.nodes.filter(({ op }) => op === "Pow")).toHaveLength(1);
  });
});

test("Where stops what is not chosen, be it infinite", async () => {
  const [chosen, other] = await slopes({ x: [1, 2], y: [3, 0] }, (b) => {
    const condition = b.op("Greater", ["x", b.scalar(1.5)]);
    return b.op("Where", [
      condition,
      b.op("Sqrt", ["x"]),
      b.op("Reciprocal", [b.op("Where", [condition, b.scalar(1), "y"])]),
    ]);
  });
  expect(chosen).toEqual([0, expect.closeTo(0.5 / Math.SQRT2, 6)]);
  expect(other).toEqual([expect.closeTo(-1 / 9, 6), 0]);
});

test("Sigmoid, Tanh, Mish and Gelu stay finite far out", async () => {
  for (const op of ["Sigmoid", "Tanh", "Mish", "Softplus"]) {
    const [got] = await slopes({ x: [-200, 200] }, (b) => b.op(op, ["x"]));
    const high = op === "Mish" || op === "Softplus" ? 1 : 0;
    expect(got).toEqual([expect.closeTo(0, 6), expect.closeTo(high, 6)]);
  }
});

test("LpNormalization gives zeros where everything is zero, as its output is", async () => {
  expect(await slopes({ x: [0, 0, 0] }, (b) => b.op("LpNormalization", ["x"], { axis: int(0) }))).toEqual([[0, 0, 0]]);
});

describe("BatchNormalization in training mode", () => {
  /** Two layers with one set of running statistics. */
  const graph = (): Graph => {
    const b = new GraphBuilder("batch");
    b.input({ name: "x", dtype: "float32", shape: [4, 2] });
    const [mean, variance] = [b.constant(float32([2], [5, 6])), b.constant(float32([2], [7, 8]))];
    const scale = b.initializer("scale", float32([2], [1.5, 0.5]));
    const bias = b.constant(float32([2], [0.1, 0.2]));
    const layer = (x: Value): Value =>
      b.ops("BatchNormalization", [x, scale, bias, mean, variance], 3, { training_mode: int(1) })[0]!;
    const weights = b.constant(float32([4, 2], [1, -2, 3, 0.5, -1, 2, 0.3, 1]));
    b.named("ReduceSum", [b.mul(b.op("Tanh", [layer(b.op("Tanh", [layer("x")]))]), weights)], "loss", {
      keepdims: int(0),
    });
    return b.build([{ name: "loss", dtype: "float32", shape: [] }]);
  };
  const x = [0.1, 2, -1, 0.5, 0.7, -0.3, 1.9, 1];

  test("does not depend on running statistics, nor change them for other runs and nodes", async () => {
    await using session = await Session.create(gradient(graph(), { of: "loss", with: ["x", "scale"] }), {
      threads: 1,
      optimization: "none",
    });
    const lossAt = async (values: readonly number[]): Promise<number> =>
      toNumbers((await session.run({ x: float32([4, 2], values) }, ["loss"]))["loss"]!)[0]!;
    const slopeOf = async (): Promise<number[]> =>
      toNumbers((await session.run({ x: float32([4, 2], x) }, ["x.gradient"]))["x.gradient"]!);
    const first = await slopeOf();
    expect(await slopeOf()).toEqual(first);
    for (const [i] of x.entries()) {
      const moved = (step: number): number[] => x.map((value, j) => value + (i === j ? step : 0));
      const numeric = ((await lossAt(moved(5e-3))) - (await lossAt(moved(-5e-3)))) / 1e-2;
      expect(first[i]).toBeCloseTo(numeric, 3);
    }
    expect(Math.max(...first.map(Math.abs))).toBeGreaterThan(0.1);
  });
});

test("LayerNormalization is steady far from zero", async () => {
  const offsets = [0, 1000].map((offset) => [0.5, -1, 0.25, 2].map((value) => value + offset));
  const [near, far] = await Promise.all(
    offsets.map(async (x) => {
      const [got] = await slopes({ x }, (b) => {
        const y = b.op("LayerNormalization", ["x", b.constant(float32([4], [1, 2, -1, 0.5]))], { axis: int(0) });
        return b.mul(y, y);
      });
      return got!;
    }),
  );
  for (const [i, value] of near!.entries()) expect(far![i]).toBeCloseTo(value, 3);
});
