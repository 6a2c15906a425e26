/** Every gradient rule against numbers: a random direction, central differences in float64 where the runtime has the kernel. */
import { describe, expect, test } from "vitest";
import { gradient, gradientName } from "../../src/autodiff/gradient.ts";
import { VJP_RULES } from "../../src/autodiff/rules/table.ts";
import { type Attributes, float, int, ints } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph, Value } from "../../src/graph/graph.ts";
import { inferTypes } from "../../src/graph/infer-types.ts";
import { rng } from "../../src/random.ts";
import { Session } from "../../src/runtime/session.ts";
import { int64, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";

type Domain = "any" | "positive" | "away-from-zero";
interface Input {
  readonly shape: readonly number[];
  readonly domain?: Domain;
  /** A constant, not differentiated by. */
  readonly constant?: Tensor;
}
interface Case {
  readonly op: keyof typeof VJP_RULES;
  readonly inputs: readonly Input[];
  readonly attributes?: Attributes;
  /** ONNX Runtime has no float64 kernel for the operator, or for one that the rule emits. */
  readonly float32?: boolean;
}

const x = (...shape: number[]): Input => ({ shape });
const positive = (...shape: number[]): Input => ({ shape, domain: "positive" });
const awayFromZero = (...shape: number[]): Input => ({ shape, domain: "away-from-zero" });
const axes = (...values: number[]): Input => ({ shape: [values.length], constant: int64(values) });

const BROADCASTS = [
  [x(2, 3), x(2, 3)],
  [x(2, 3), x(3)],
  [x(3), x(4, 2, 3)],
  [x(2, 1, 4), x(3, 1)],
  [x(), x(2, 2)],
  [x(1, 3), x(2, 1)],
];
const UNARY = [x(5), x(2, 3, 4), x()];

const CASES: readonly Case[] = [
  ...(["Add", "Sub", "Mul"] as const).flatMap((op) => BROADCASTS.map((inputs) => ({ op, inputs }))),
  ...BROADCASTS.map(([a, b]) => ({ op: "Div" as const, inputs: [a!, { ...b!, domain: "positive" as const }] })),
  ...(["Neg", "Exp", "Tanh", "Sigmoid", "Identity"] as const).flatMap((op) =>
    UNARY.map((input) => ({ op, inputs: [input] })),
  ),
  ...UNARY.map((input) => ({ op: "Softplus" as const, inputs: [input], float32: true })),
  { op: "Abs", inputs: [awayFromZero(7)] },
  { op: "Relu", inputs: [awayFromZero(3, 7)] },
  { op: "Log", inputs: [positive(7)] },
  { op: "Sqrt", inputs: [positive(7)] },
  { op: "Cast", inputs: [x(2, 3)], attributes: { to: int(1) }, float32: true },
  { op: "MatMul", inputs: [x(3, 4), x(4, 2)] },
  { op: "MatMul", inputs: [x(2, 3, 4), x(2, 4, 5)] },
  { op: "MatMul", inputs: [x(2, 3, 4), x(4, 5)] },
  { op: "MatMul", inputs: [x(3, 4), x(2, 2, 4, 5)] },
  { op: "MatMul", inputs: [x(2, 1, 3, 4), x(5, 4, 2)] },
  ...[0, 1].flatMap((transA) =>
    [0, 1].flatMap((transB) =>
      [undefined, x(5), x(3, 5), x(3, 1), x(1), x()].map(
        (c): Case => ({
          op: "Gemm",
          inputs: [transA ? x(4, 3) : x(3, 4), transB ? x(5, 4) : x(4, 5), ...(c ? [c] : [])],
          attributes: { transA: int(transA), transB: int(transB), alpha: float(1.5), beta: float(0.5) },
        }),
      ),
    ),
  ),
  { op: "Gemm", inputs: [x(3, 4), x(4, 5), x(5)] },
  ...(["ReduceSum", "ReduceMean"] as const).flatMap((op) =>
    [0, 1].flatMap((keepdims): Case[] => [
      { op, inputs: [x(2, 3, 4), axes(1)], attributes: { keepdims: int(keepdims) } },
      { op, inputs: [x(2, 3, 4), axes(-1, 0)], attributes: { keepdims: int(keepdims) } },
      { op, inputs: [x(2, 3)], attributes: { keepdims: int(keepdims) } },
      { op, inputs: [x()], attributes: { keepdims: int(keepdims) } },
    ]),
  ),
  ...(["Softmax", "LogSoftmax"] as const).flatMap((op): Case[] => [
    { op, inputs: [x(3, 5)] },
    { op, inputs: [x(2, 3, 4)], attributes: { axis: int(1) } },
  ]),
  { op: "Reshape", inputs: [x(2, 6), axes(3, 4)] },
  { op: "Flatten", inputs: [x(2, 3, 4)], attributes: { axis: int(1) } },
  { op: "Squeeze", inputs: [x(2, 1, 3), axes(1)] },
  { op: "Squeeze", inputs: [x(1, 3, 1)] },
  { op: "Unsqueeze", inputs: [x(2, 3), axes(0, 3)] },
  { op: "Transpose", inputs: [x(2, 3, 4)] },
  { op: "Transpose", inputs: [x(2, 3, 4)], attributes: { perm: ints([2, 0, 1]) } },
  {
    op: "GatherElements",
    inputs: [x(3, 4), { shape: [3, 2], constant: int64([0, 3, 1, 1, 2, 0], [3, 2]) }],
    attributes: { axis: int(1) },
  },
  { op: "GatherElements", inputs: [x(3, 2), { shape: [2, 2], constant: int64([2, 0, -1, 1], [2, 2]) }] },
];

/** Operators whose results are whole numbers: there is nothing to check numerically. */
const WITHOUT_GRADIENT = ["Shape", "Size"];

describe("gradient rules", () => {
  test("have a case each", () => {
    const covered = new Set<string>([...CASES.map(({ op }) => op), ...WITHOUT_GRADIENT]);
    expect(Object.keys(VJP_RULES).filter((op) => !covered.has(op))).toEqual([]);
  });

  test("of whole-number operators carry no gradient", () => {
    for (const op of WITHOUT_GRADIENT) expect(Object.values(VJP_RULES[op as "Shape"].inputs)).toEqual([null]);
  });

  test.each(CASES.map((c, i) => [`${c.op} ${JSON.stringify(c.inputs.map(({ shape }) => shape))} #${i}`, c] as const))(
    "%s",
    async (name, row) => {
      const { graph, parameters } = build(row);
      const random = rng(name);
      const feeds = row.inputs.map((input) => input.constant ?? sample(input, row, random));
      const direction = parameters.map((value) => {
        const { shape } = feeds[Number(value.slice(1))]!;
        return {
          dtype: "float64" as const,
          shape,
          data: Float64Array.from({ length: sizeOf(shape) }, () => random.normal()),
        };
      });
      const feed = (shift: number): Record<Value, Tensor> =>
        Object.fromEntries(
          feeds.flatMap((t, i) => {
            const at = parameters.indexOf(`x${i}`);
            if (at < 0) return [];
            const data = (t.data as Float64Array).map((value, j) => value + shift * direction[at]!.data[j]!);
            return [[`x${i}`, { ...t, data }]];
          }),
        );

      await using session = await Session.create(gradient(graph, { of: "loss", with: parameters }), {
        threads: 1,
        optimization: "none",
      });
      const out = await session.run(feed(0));
      const analytic = parameters.reduce((sum, value, at) => {
        const slope = out[gradientName(value)]!;
        expect(slope.shape).toEqual(direction[at]!.shape);
        return sum + direction[at]!.data.reduce((dot, d, j) => dot + d * Number(slope.data[j]), 0);
      }, 0);
      const step = row.float32 ? 1e-2 : 1e-6;
      const lossAt = async (shift: number): Promise<number> =>
        Number((await session.run(feed(shift), ["loss"]))["loss"]!.data[0]);
      const numeric = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
      expect(Math.abs(analytic - numeric) / Math.max(1, Math.abs(numeric))).toBeLessThan(row.float32 ? 2e-3 : 1e-7);
    },
  );
});

/** loss = sum(op(inputs) * weights) with fixed weights. */
function build({ op, inputs, attributes, float32 }: Case): { graph: Graph; parameters: Value[] } {
  const b = new GraphBuilder(op);
  const dtype = float32 ? "float32" : "float64";
  const names = inputs.map(({ shape, constant }, i) =>
    constant ? b.initializer(`x${i}`, constant) : b.input({ name: `x${i}`, dtype, shape }),
  );
  const y = b.op(op, names, attributes ?? {});
  const shape = (inferTypes(b.build([{ name: y, dtype }])).get(y)?.shape ?? []).map(Number);
  const weights = Array.from({ length: sizeOf(shape) }, (_, i) => Math.cos(1 + i)); // every output element counts differently
  const counted = op === "Cast" ? "float32" : dtype;
  b.named("ReduceSum", [b.mul(y, b.constant(numbers(counted, shape, weights)))], "loss", { keepdims: int(0) });
  return {
    graph: b.build([{ name: "loss", dtype: counted, shape: [] }]),
    parameters: names.filter((_, i) => !inputs[i]!.constant),
  };
}

function numbers(dtype: "float32" | "float64", shape: readonly number[], values: readonly number[]): Tensor {
  return dtype === "float32"
    ? { dtype, shape, data: Float32Array.from(values) }
    : { dtype, shape, data: Float64Array.from(values) };
}

function sample({ shape, domain = "any" }: Input, { float32 }: Case, random: ReturnType<typeof rng>): Tensor {
  const draw = (): number => {
    const value = random.normal();
    if (domain === "positive") return 0.5 + Math.abs(value);
    return domain === "away-from-zero" ? Math.sign(value) * (0.1 + Math.abs(value)) : value;
  };
  const values = Array.from({ length: sizeOf(shape) }, draw);
  return numbers(float32 ? "float32" : "float64", shape, values);
}
