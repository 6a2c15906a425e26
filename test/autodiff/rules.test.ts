/** Every gradient rule against numbers: a random direction, central differences in float64 where the runtime has the kernel. */
import { describe, expect, test } from "vitest";
import { gradient, gradientName } from "../../src/autodiff/gradient.ts";
import { VJP_RULES } from "../../src/autodiff/rules/table.ts";
import { int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { type Graph, INTERNAL_OPSET, type Value } from "../../src/graph/graph.ts";
import { inferTypes } from "../../src/graph/infer-types.ts";
import { rng, shuffle } from "../../src/random.ts";
import { Session } from "../../src/runtime/session.ts";
import { sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { ACTIVATION } from "./cases/activation.ts";
import { ARITHMETIC } from "./cases/arithmetic.ts";
import type { Case, Input } from "./cases/case.ts";
import { CONVOLUTION } from "./cases/convolution.ts";
import { EINSUM } from "./cases/einsum.ts";
import { INDEXING } from "./cases/indexing.ts";
import { LINEAR } from "./cases/linear.ts";
import { LOSS } from "./cases/loss.ts";
import { MOVEMENT } from "./cases/movement.ts";
import { NORMALIZATION } from "./cases/normalization.ts";
import { PADDING } from "./cases/padding.ts";
import { POOLING } from "./cases/pooling.ts";
import { REDUCTION } from "./cases/reduction.ts";
import { RESIZE } from "./cases/resize.ts";
import { SAMPLING } from "./cases/sampling.ts";
import { SOFTMAX } from "./cases/softmax.ts";

const CASES = [
  ...ARITHMETIC,
  ...ACTIVATION,
  ...LINEAR,
  ...REDUCTION,
  ...SOFTMAX,
  ...MOVEMENT,
  ...INDEXING,
  ...CONVOLUTION,
  ...POOLING,
  ...NORMALIZATION,
  ...SAMPLING,
  ...LOSS,
  ...EINSUM,
  ...RESIZE,
  ...PADDING,
];

/** Operators whose results are whole numbers or truth values: there is nothing to check numerically. */
const WITHOUT_GRADIENT = Object.entries(VJP_RULES)
  .filter(([, { inputs }]) => Object.values(inputs).every((vjp) => vjp === null))
  .map(([op]) => op);
/** The operators that are declared to carry no gradient. */
const NO_GRADIENT = [
  ...["And", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "Not", "Or", "Xor"],
  ...["ArgMax", "ArgMin", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor"],
  ...["Ceil", "Floor", "Hardmax", "NonMaxSuppression", "NonZero", "Round", "Sign"],
  ...["Bernoulli", "ConstantOfShape", "EyeLike", "OneHot", "RandomNormalLike", "RandomUniformLike", "Range"],
  ...["Shape", "Size"],
];

describe("gradient rules", () => {
  test("have a case each", () => {
    const covered = new Set<string>([...CASES.map(({ op }) => op), ...WITHOUT_GRADIENT]);
    expect(Object.keys(VJP_RULES).filter((op) => !covered.has(op))).toEqual([]);
  });

  test("of whole-number operators carry no gradient", () => {
    expect(WITHOUT_GRADIENT.toSorted()).toEqual(NO_GRADIENT.toSorted());
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
      const step = row.step ?? (row.float32 ? 1e-2 : 1e-6);
      const tolerance = row.tolerance ?? (row.float32 ? 2e-3 : 1e-7);
      const lossAt = async (shift: number): Promise<number> =>
        Number((await session.run(feed(shift), ["loss"]))["loss"]!.data[0]);
      const numeric = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
      expect(Math.abs(analytic - numeric) / Math.max(1, Math.abs(numeric))).toBeLessThan(tolerance);
    },
  );
});

const EMPTY: Graph = { name: "", inputs: [], outputs: [], nodes: [], initializers: new Map(), opsets: new Map() };

/** loss = sum(op(inputs) * weights) with fixed weights. */
function build({ op, inputs, attributes, float32, opset = INTERNAL_OPSET, outputs = 1, counted = outputs }: Case): {
  graph: Graph;
  parameters: Value[];
} {
  const b = new GraphBuilder(op, { ...EMPTY, opsets: new Map([["", opset]]) });
  const dtype = float32 ? "float32" : "float64";
  const names = inputs.map(({ shape, constant, absent }, i) =>
    absent ? "" : constant ? b.initializer(`x${i}`, constant) : b.input({ name: `x${i}`, dtype, shape }),
  );
  const [name, domain] = [op.slice(op.lastIndexOf(".") + 1), op.slice(0, Math.max(0, op.lastIndexOf(".")))];
  const ys = b.ops(name, names, outputs, attributes ?? {}, "y", domain).slice(0, counted);
  const types = inferTypes(b.build(ys.map((name) => ({ name, dtype }))));
  const result = op === "Cast" ? "float32" : dtype;
  const parts = ys.map((y, k) => {
    const shape = (types.get(y)?.shape ?? []).map(Number);
    const weights = Array.from({ length: sizeOf(shape) }, (_, i) => Math.cos(1 + k + i)); // every element counts differently
    return b.op("ReduceSum", [b.mul(y, b.constant(numbers(result, shape, weights)))], { keepdims: int(0) });
  });
  b.named("Identity", [parts.reduce(b.add)], "loss");
  return {
    graph: b.build([{ name: "loss", dtype: result, shape: [] }]),
    parameters: names.filter((name, i) => name !== "" && !inputs[i]!.constant),
  };
}

function numbers(dtype: "float32" | "float64", shape: readonly number[], values: readonly number[]): Tensor {
  return dtype === "float32"
    ? { dtype, shape, data: Float32Array.from(values) }
    : { dtype, shape, data: Float64Array.from(values) };
}

function sample(
  { shape, domain = "any", kinks = [] }: Input,
  { float32 }: Case,
  random: ReturnType<typeof rng>,
): Tensor {
  const draw = (): number => {
    const value = random.normal();
    if (domain === "positive") return 0.5 + Math.abs(value);
    if (domain === "above-one") return 1.5 + Math.abs(value);
    if (domain === "inside-one") return 0.9 * Math.sin(value);
    const wide = domain === "wide" ? 3 * value : value;
    if (kinks.some((kink) => Math.abs(wide - kink) < 0.1)) return draw();
    return domain === "away-from-zero" ? Math.sign(value) * (0.1 + Math.abs(value)) : wide;
  };
  const ranks = Array.from({ length: sizeOf(shape) }, (_, i) => i - sizeOf(shape) / 2);
  const values = domain === "distinct" ? shuffle(ranks, random) : ranks.map(draw);
  return numbers(float32 ? "float32" : "float64", shape, values);
}
