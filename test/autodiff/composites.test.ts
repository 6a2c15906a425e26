/** Groups of nodes that are differentiated as one operator: what is recognised, what is not, and that gradients agree. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { BUILT_IN_RULES, type RuleTable } from "../../src/autodiff/check.ts";
import { recognizeComposites } from "../../src/autodiff/composites/recognize.ts";
import { gradient, gradientName } from "../../src/autodiff/gradient.ts";
import { int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph, Node, Value } from "../../src/graph/graph.ts";
import { loadGraph } from "../../src/graph/load.ts";
import { rng } from "../../src/random.ts";
import { Session } from "../../src/runtime/session.ts";
import { float32, type Tensor, toNumbers } from "../../src/tensor/tensor.ts";

const SHAPE = [3, 4, 5];
const sample = (name: string, shape: readonly number[], spread = 1, offset = 0): Tensor => {
  const random = rng(name);
  const size = shape.reduce((product, dim) => product * dim, 1);
  return float32(
    shape,
    Array.from({ length: size }, () => offset + spread * random.normal()),
  );
};

/** A graph of x [3, 4, 5], scale [5] and bias [5] whose loss weighs what `body` returns. */
function graphOf(body: (b: GraphBuilder) => Value): Graph {
  const b = new GraphBuilder("test");
  b.input({ name: "x", dtype: "float32", shape: SHAPE });
  for (const name of ["scale", "bias"]) b.input({ name, dtype: "float32", shape: [5] });
  const weights = b.constant(sample("weights", SHAPE));
  b.named("ReduceSum", [b.mul(body(b), weights)], "loss", { keepdims: int(0) });
  return apart(b.build([{ name: "loss", dtype: "float32", shape: [] }]));
}

/** The graph with names that no backward pass takes. */
function apart(graph: Graph): Graph {
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs).filter((name) => name !== "loss"));
  const now = (name: Value): Value => (made.has(name) ? `forward.${name}` : name);
  const nodes = graph.nodes.map((node) => ({
    ...node,
    name: `forward.${node.name}`,
    inputs: node.inputs.map(now),
    outputs: node.outputs.map(now),
  }));
  return { ...graph, nodes };
}

const FEEDS = { x: sample("x", SHAPE, 3), scale: sample("scale", [5]), bias: sample("bias", [5]) };

async function slopes(graph: Graph, of: readonly Value[], feeds: Record<Value, Tensor> = FEEDS): Promise<number[][]> {
  await using session = await Session.create(graph, { threads: 1, optimization: "none" });
  const out = await session.run(feeds, ["loss", ...of.map(gradientName)]);
  return ["loss", ...of.map(gradientName)].map((name) => toNumbers(out[name]!));
}

const opsOf = (graph: Graph): string[] => graph.nodes.map(({ op }) => op);
/** The gradient as it is, with groups. */
const composed = (graph: Graph, of: readonly Value[]): Graph => gradient(graph, { of: "loss", with: of });
/** The gradient node by node: rules that are not the built-in ones, though they say the same, are never grouped. */
const apartRules: RuleTable = Object.fromEntries(
  Object.entries(BUILT_IN_RULES).map(([op, rule]) => [op, { ...rule! }]),
);
const separate = (graph: Graph, of: readonly Value[]): Graph =>
  gradient(graph, { of: "loss", with: of, rules: apartRules });

type Body = (b: GraphBuilder, x?: Value) => Value;
const erfOf = (b: GraphBuilder, z: Value): Value => b.add(b.op("Erf", [z]), b.scalar(1));
const tanhOf = (b: GraphBuilder, u: Value): Value => b.add(b.scalar(1), b.op("Tanh", [u]));
const root = Math.sqrt(2 / Math.PI);
const relu6 = (b: GraphBuilder, x: Value): Value => b.op("Clip", [b.add(x, b.scalar(3)), b.scalar(0), b.scalar(6)]);

/** Formulas as exporters write them: PyTorch's and Hugging Face's. */
const ACTIVATIONS: readonly (readonly [string, string, Body])[] = [
  ["Swish", "x sigmoid(x)", (b, x = "x") => b.mul(x, b.sigmoid(x))],
  ["Swish", "sigmoid(x) x", (b, x = "x") => b.mul(b.sigmoid(x), x)],
  ["Swish", "x sigmoid(1.702 x)", (b, x = "x") => b.mul(x, b.sigmoid(b.mul(x, b.scalar(1.702))))],
  [
    "Gelu",
    "x (erf(x / √2) + 1) ½",
    (b, x = "x") => b.mul(b.mul(x, erfOf(b, b.div(x, b.scalar(Math.SQRT2)))), b.scalar(0.5)),
  ],
  [
    "Gelu",
    "½ x (erf(x √½) + 1)",
    (b, x = "x") => b.mul(b.mul(b.scalar(0.5), x), erfOf(b, b.mul(x, b.scalar(Math.SQRT1_2)))),
  ],
  [
    "Gelu",
    "x (erf(x / √2) + 1) / 2",
    (b, x = "x") => b.mul(x, b.div(erfOf(b, b.div(x, b.scalar(Math.SQRT2))), b.scalar(2))),
  ],
  [
    "Gelu",
    "½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))",
    (b, x = "x") => {
      const cube = b.mul(b.scalar(0.044715), b.op("Pow", [x, b.scalar(3)]));
      return b.mul(b.mul(x, b.scalar(0.5)), tanhOf(b, b.mul(b.add(x, cube), b.scalar(root))));
    },
  ],
  [
    "Gelu",
    "½ x (1 + tanh(√(2/π) x (1 + 0.044715 x²)))",
    (b, x = "x") => {
      const inner = b.add(b.scalar(1), b.mul(b.mul(x, b.scalar(0.044715)), x));
      return b.mul(b.scalar(0.5), b.mul(x, tanhOf(b, b.mul(b.mul(x, b.scalar(root)), inner))));
    },
  ],
];

/** Layer normalization before opset 17. */
interface NormOptions {
  readonly axes?: readonly number[];
  readonly square?: "Pow" | "Mul";
  readonly bias?: boolean;
  readonly twice?: boolean;
}
function norm(b: GraphBuilder, { axes = [-1], square = "Pow", bias = true, twice = false }: NormOptions = {}): Value {
  const centre = (): Value => b.sub("x", b.reduceMean("x", { axes }));
  const difference = centre();
  const other = twice ? centre() : difference;
  const power = square === "Pow" ? b.op("Pow", [other, b.scalar(2)]) : b.mul(other, other);
  const deviation = b.op("Sqrt", [b.add(b.reduceMean(power, { axes }), b.scalar(1e-5))]);
  const scaled = b.mul(b.div(difference, deviation), "scale");
  return bias ? b.add(scaled, "bias") : scaled;
}
const NORMS: readonly (readonly [string, NormOptions])[] = [
  ["with Pow", {}],
  ["with a product", { square: "Mul" }],
  ["with its difference computed twice", { twice: true }],
  ["without a bias", { bias: false }],
  ["over two axes", { axes: [1, 2] }],
  ["over all axes", { axes: [-1, 0, -2] }],
];

describe("is recognised, and has the gradient of its parts in fewer nodes:", () => {
  test.each(ACTIVATIONS)("%s from %s", async (op, _formula, body) => {
    const graph = graphOf((b) => body(b));
    const view = recognizeComposites(graph);
    expect(opsOf(view)).toEqual([op, "Mul", "ReduceSum"]);
    const [parts, together] = [separate(graph, ["x"]), composed(graph, ["x"])];
    expect(together.nodes.length).toBeLessThan(parts.nodes.length);
    const [[loss, plain], [sameLoss, whole]] = [await slopes(parts, ["x"]), await slopes(together, ["x"])];
    expect(sameLoss).toEqual(loss); // bit for bit: what runs forward stays as it is
    for (const [i, value] of plain!.entries()) expect(whole![i]).toBeCloseTo(value, 4);
  });

  test.each(NORMS)("LayerNormalization %s", async (_name, options) => {
    const graph = graphOf((b) => norm(b, options));
    const view = recognizeComposites(graph);
    expect(opsOf(view)).toEqual(["LayerNormalization", "Mul", "ReduceSum"]);
    const of = options.bias === false ? ["x", "scale"] : ["x", "scale", "bias"];
    const [parts, together] = [separate(graph, of), composed(graph, of)];
    expect(together.nodes.length).toBeLessThan(parts.nodes.length);
    const [plain, whole] = [await slopes(parts, of), await slopes(together, of)];
    expect(whole[0]).toEqual(plain[0]);
    for (const [k, values] of plain.entries())
      for (const [i, value] of values.entries()) expect(whole[k]![i]).toBeCloseTo(value, 4);
  });

  test.each(ACTIVATIONS)("%s from %s, of what is itself a product", async (op, _formula, body) => {
    const graph = graphOf((b) => body(b, b.mul("x", b.mul("scale", b.scalar(0.5)))));
    expect(opsOf(recognizeComposites(graph))).toEqual(["Mul", "Mul", op, "Mul", "ReduceSum"]);
    const [plain, whole] = [
      await slopes(separate(graph, ["x", "scale"]), ["x", "scale"]),
      await slopes(composed(graph, ["x", "scale"]), ["x", "scale"]),
    ];
    for (const [k, values] of plain.entries())
      for (const [i, value] of values.entries()) expect(whole[k]![i]).toBeCloseTo(value, 4);
  });
});

describe("is not recognised:", () => {
  const silu = (b: GraphBuilder): Value => b.mul("x", b.sigmoid("x"));
  const plain: readonly (readonly [string, Body])[] = [
    ["a gate by another value", (b) => b.mul("x", b.sigmoid(b.mul("x", "scale")))],
    ["a sigmoid with an offset", (b) => b.mul("x", b.sigmoid(b.add("x", b.scalar(1))))],
    ["a sigmoid of a square", (b) => b.mul("x", b.sigmoid(b.mul("x", "x")))],
    ["a sigmoid that something else reads", (b) => {
      const s = b.sigmoid("x");
      return b.add(b.mul("x", s), s);
    }],
    ["twice SiLU's gate", (b) => b.mul(b.mul("x", b.scalar(2)), b.sigmoid("x"))],
    ["erf of another width", (b) => b.mul(b.mul("x", erfOf(b, b.div("x", b.scalar(1.5)))), b.scalar(0.5))],
    ["GELU of another height", (b) => b.mul(b.mul("x", erfOf(b, b.div("x", b.scalar(Math.SQRT2)))), b.scalar(0.6))],
    ["GELU's gate with two", (b) =>
      b.mul(b.mul("x", b.add(b.op("Erf", [b.div("x", b.scalar(Math.SQRT2))]), b.scalar(2))), b.scalar(0.5))],
    ["tanh of another cube", (b) => {
      const cube = b.mul(b.scalar(0.05), b.op("Pow", ["x", b.scalar(3)]));
      return b.mul(b.mul("x", b.scalar(0.5)), tanhOf(b, b.mul(b.add("x", cube), b.scalar(root))));
    }],
    ["hard-swish, which gains nothing", (b) => b.div(b.mul("x", relu6(b, "x")), b.scalar(6))],
    ["hard-sigmoid, which gains nothing", (b) => b.div(relu6(b, "x"), b.scalar(6))],
    ["Mish, which gains nothing", (b) => b.mul("x", b.op("Tanh", [b.op("Softplus", ["x"])]))],
    ["a quotient by x", (b) => b.div(b.sigmoid("x"), "x")],
    ["normalization over the first axis", (b) => norm(b, { axes: [0] })],
    ["normalization over the axes around one", (b) => norm(b, { axes: [0, 2] })],
    ["two different reductions", (b) => {
      const difference = b.sub("x", b.reduceMean("x", { axes: [2] }));
      const variance = b.reduceMean(b.mul(difference, difference), { axes: [1, 2] });
      return b.mul(b.div(difference, b.op("Sqrt", [b.add(variance, b.scalar(1e-5))])), "scale");
    }],
    ["a scale of more axes", (b) => {
      const difference = b.sub("x", b.reduceMean("x", { axes: [2] }));
      const variance = b.reduceMean(b.mul(difference, difference), { axes: [2] });
      const whole = b.div(difference, b.op("Sqrt", [b.add(variance, b.scalar(1e-5))]));
      return b.reduceSum(b.mul(whole, b.constant(float32([1, 1, 1, 5], new Array(5).fill(2)))), { axes: [0], keepdims: false });
    }],
  ]; // biome-ignore format: a table
  test.each(plain)("%s", (_name, body) => {
    const graph = graphOf((b) => body(b));
    expect(opsOf(recognizeComposites(graph))).toEqual(opsOf(graph));
  });

  test("what holds the loss, a parameter or a value to keep", () => {
    const graph = graphOf(silu);
    expect(opsOf(recognizeComposites(graph, { keep: ["forward.sigmoid"] }))).toEqual(opsOf(graph));
    const gelu = graphOf((b) =>
      b.mul(b.mul("x", erfOf(b, b.div("x", b.initializer("width", float32([], [Math.SQRT2]))))), b.scalar(0.5)),
    );
    expect(opsOf(recognizeComposites(gelu))).toContain("Gelu");
    expect(opsOf(recognizeComposites(gelu, { keep: ["width"] }))).toEqual(opsOf(gelu));
  });

  test("what holds an excluded node", () => {
    const graph = graphOf(silu);
    const excluded = ({ op }: Node): boolean => op === "Sigmoid";
    expect(opsOf(recognizeComposites(graph, { excluded }))).toEqual(opsOf(graph));
  });

  test("an operator of another domain", () => {
    const graph = graphOf(silu);
    const nodes = graph.nodes.map((node) => (node.op === "Sigmoid" ? { ...node, domain: "com.acme" } : node));
    expect(opsOf(recognizeComposites({ ...graph, nodes }))).toEqual(opsOf(graph));
  });
});

test("layer normalization far from zero is as steady as at zero", async () => {
  const graph = graphOf((b) => norm(b));
  const of = ["x"];
  const together = composed(graph, of);
  const near = { ...FEEDS, x: sample("far", SHAPE, 1) };
  const far = {
    ...near,
    x: float32(
      SHAPE,
      toNumbers(near.x).map((value) => value + 512),
    ),
  };
  const [, wanted] = await slopes(together, of, {
    ...far,
    x: float32(
      SHAPE,
      toNumbers(far.x).map((value) => value - 512),
    ),
  });
  const [, got] = await slopes(together, of, far);
  for (const [i, value] of wanted!.entries()) expect(got![i]).toBeCloseTo(value, 3);
});

/** How often exporters of PyTorch write out what has an operator of its own. */
test.each([
  ["convnext_tiny.torchscript", { Gelu: 18 }],
  ["convnext_tiny.dynamo", { Gelu: 18 }],
  ["vit_tiny.torchscript", { Gelu: 12 }],
  ["vit_tiny.dynamo", { Gelu: 12 }],
  ["efficientnet_b0.torchscript", { Swish: 49 }],
  ["mobilenet_v3_small.torchscript", {}],
])("in %s there are %j", (name, wanted) => {
  const bytes = gunzipSync(readFileSync(new URL(`../golden/gradients/${name}.onnx.gz`, import.meta.url)));
  const { graph } = loadGraph(bytes);
  const before = new Set(graph.nodes);
  const found: Record<string, number> = {};
  for (const node of recognizeComposites(graph).nodes)
    if (!before.has(node)) found[node.op] = (found[node.op] ?? 0) + 1;
  expect(found).toEqual(wanted);
});
