import { describe, expect, test } from "vitest";
import { BUILT_IN_RULES, type RuleTable } from "../../src/autodiff/check.ts";
import { gradient, gradientName } from "../../src/autodiff/gradient.ts";
import { rule, type VjpRule } from "../../src/autodiff/rule.ts";
import { int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph, Shape, Value } from "../../src/graph/graph.ts";
import { rng } from "../../src/random.ts";
import { Session, type Tensors } from "../../src/runtime/session.ts";
import { float32, int64, scalar, sizeOf, type Tensor, toNumbers } from "../../src/tensor/tensor.ts";

/** A graph whose float32 inputs are given by shape; `body` returns the loss. */
function lossGraph(shapes: Readonly<Record<string, Shape>>, body: (b: GraphBuilder) => Value): Graph {
  const b = new GraphBuilder("test");
  for (const [name, shape] of Object.entries(shapes)) b.input({ name, dtype: "float32", shape });
  return b.build([{ name: b.named("Identity", [body(b)], "loss"), dtype: "float32", shape: [] }]);
}

const total = (b: GraphBuilder, x: Value): Value => b.reduceSum(x, { keepdims: false });

async function run(graph: Graph, feeds: Tensors): Promise<Record<string, Tensor>> {
  await using session = await Session.create(graph, { threads: 1, optimization: "none" });
  return await session.run(feeds);
}

async function gradients(graph: Graph, parameters: readonly Value[], feeds: Tensors): Promise<number[][]> {
  const out = await run(gradient(graph, { of: "loss", with: parameters }), feeds);
  return parameters.map((name) => toNumbers(out[gradientName(name)]!));
}

function random(seed: string, ...shape: number[]): Tensor<"float32"> {
  const draws = rng(seed);
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => draws.normal()),
  );
}

describe("gradient", () => {
  test("adds outputs of the parameters' types behind the graph's own", async () => {
    const graph = lossGraph({ x: ["n", 2], w: [2, 3] }, (b) => total(b, b.matmul("x", "w")));
    const out = gradient(graph, { of: "loss", with: ["w", "x"] });
    expect(out.outputs).toEqual([
      { name: "loss", dtype: "float32", shape: [] },
      { name: "w.gradient", dtype: "float32", shape: [2, 3] },
      { name: "x.gradient", dtype: "float32", shape: ["n", 2] },
    ]);
    const values = await run(out, { x: float32([1, 2], [5, 7]), w: float32([2, 3], [1, 2, 3, 4, 5, 6]) });
    expect(toNumbers(values["loss"]!)).toEqual([5 * 6 + 7 * 15]);
    expect(toNumbers(values["w.gradient"]!)).toEqual([5, 5, 5, 7, 7, 7]);
    expect(toNumbers(values["x.gradient"]!)).toEqual([6, 15]);
  });

  test("leaves the given graph as it was and keeps its nodes first", () => {
    const graph = lossGraph({ x: [3] }, (b) => total(b, b.exp("x")));
    const before = structuredClone(graph.nodes);
    const out = gradient(graph, { of: "loss", with: ["x"] });
    expect(graph.nodes).toEqual(before);
    expect(out.nodes.slice(0, before.length)).toEqual(before);
  });

  test("adds up what reaches a parameter that is used twice", async () => {
    const graph = lossGraph({ p: [3] }, (b) => total(b, b.add(b.mul("p", "p"), b.exp("p"))));
    const [slope] = await gradients(graph, ["p"], { p: float32([3], [0, 1, -2]) });
    for (const [i, x] of [0, 1, -2].entries()) expect(slope![i]).toBeCloseTo(2 * x + Math.exp(x), 5);
  });

  test("adds up what reaches an inner value along several ways", async () => {
    const graph = lossGraph({ p: [2] }, (b) => {
      const inner = b.mul("p", b.scalar(3));
      return total(b, b.add(b.mul(inner, inner), b.sub(inner, b.neg(inner)))); // 9 p^2 + 6 p
    });
    expect(await gradients(graph, ["p"], { p: float32([2], [1, -1]) })).toEqual([[24, -12]]);
  });

  test("of a loss that is the parameter itself is one", async () => {
    const b = new GraphBuilder("test");
    b.input({ name: "p", dtype: "float32", shape: [] });
    b.op("Exp", ["p"], {}, "y");
    const graph = b.build([{ name: "y", dtype: "float32", shape: [] }]);
    const out = await run(gradient(graph, { of: "p", with: ["p"] }), { p: scalar("float32", 4) });
    expect(toNumbers(out["p.gradient"]!)).toEqual([1]);
  });

  test("takes parameters that are initializers", async () => {
    const b = new GraphBuilder("test");
    b.input({ name: "x", dtype: "float32", shape: ["n", 2] });
    b.initializer("w", float32([2, 1], [3, 4]));
    b.named("ReduceSum", [b.matmul("x", "w")], "loss", { keepdims: int(0) });
    const graph = b.build([{ name: "loss", dtype: "float32", shape: [] }]);
    expect(await gradients(graph, ["w", "x"], { x: float32([2, 2], [1, 2, 10, 20]) })).toEqual([
      [11, 22],
      [3, 4, 3, 4],
    ]);
  });

  test("is linear in the loss", async () => {
    const parts = (weights: readonly [number, number]): Graph =>
      lossGraph({ p: [4, 3], x: ["n", 4] }, (b) => {
        const y = b.matmul("x", "p");
        const first = b.mul(total(b, b.sigmoid(y)), b.scalar(weights[0]));
        const second = b.mul(total(b, b.op("LogSoftmax", [y], { axis: int(1) })), b.scalar(weights[1]));
        return b.add(first, second);
      });
    const feeds = { p: random("p", 4, 3), x: random("x", 5, 4) };
    const [[one], [other], [both]] = [
      await gradients(parts([1, 0]), ["p"], feeds),
      await gradients(parts([0, 1]), ["p"], feeds),
      await gradients(parts([2.5, -0.75]), ["p"], feeds),
    ];
    for (const [i, value] of both!.entries()) expect(value).toBeCloseTo(2.5 * one![i]! - 0.75 * other![i]!, 4);
    expect(Math.max(...both!.map(Math.abs))).toBeGreaterThan(0.1);
  });

  test.each([
    [[3], [2, 3]],
    [
      [1, 3],
      [2, 3],
    ],
    [
      [2, 1],
      [2, 3],
    ],
    [[], [2, 3]],
    [[1], [4, 2, 3]],
    [
      [2, 1, 3],
      [5, 2, 4, 3],
    ],
  ])("of a value of shape %j broadcast to %j is the sum over the copies", async (from, to) => {
    const shapes = { p: from, w: to };
    const graph = lossGraph(shapes, (b) => total(b, b.mul("p", "w")));
    const feeds = { p: random("p", ...from), w: random("w", ...to) };
    // Repeating by hand is the same function; its gradient passes through Expand's own sum.
    const [slope] = await gradients(graph, ["p"], feeds);
    const wanted = new Array<number>(sizeOf(from)).fill(0);
    for (const [i, w] of feeds.w.data.entries()) wanted[sourceIndex(i, from, to)]! += w;
    for (const [i, value] of slope!.entries()) expect(value).toBeCloseTo(wanted[i]!, 5);
    expect(slope!.length).toBe(wanted.length);
  });

  test("of a bias with a symbolic batch sums over the batch", async () => {
    const graph = lossGraph({ x: ["n", 2], bias: [2] }, (b) => total(b, b.mul(b.add("x", "bias"), "x")));
    const feeds = { x: float32([3, 2], [1, 2, 3, 4, 5, 6]), bias: float32([2], [0, 0]) };
    expect(await gradients(graph, ["bias"], feeds)).toEqual([[9, 12]]);
  });

  test("refuses to guess whether two differently named dimensions were broadcast", () => {
    const graph = lossGraph({ x: ["n", 2], y: ["m", 2] }, (b) => total(b, b.mul("x", "y")));
    expect(() => gradient(graph, { of: "loss", with: ["x"] })).toThrow(
      expect.objectContaining({ code: "SHAPE_MISMATCH", message: expect.stringContaining('Mul "mul"') }),
    );
  });
});

describe("the backward pass", () => {
  /** `depth` frozen layers, then a layer with the parameter. */
  const network = (depth: number): Graph =>
    lossGraph({ x: ["n", 4], w: [4, 2] }, (b) => {
      let value: Value = "x";
      for (let i = 0; i < depth; i++) value = b.op("Relu", [b.matmul(value, b.constant(random(`${i}`, 4, 4)))]);
      return total(b, b.sigmoid(b.matmul(value, "w")));
    });
  const added = (graph: Graph, parameters: readonly Value[]): number =>
    gradient(graph, { of: "loss", with: parameters }).nodes.length - graph.nodes.length;

  test("does not grow with the frozen layers below the parameters", () => {
    const shallow = added(network(0), ["w"]);
    expect(shallow).toBeGreaterThan(0);
    expect(added(network(50), ["w"])).toBe(shallow);
    expect(added(network(50), ["x"])).toBeGreaterThan(shallow + 50);
  });

  test("adds nothing for nodes that the loss does not depend on", () => {
    const b = new GraphBuilder("test");
    b.input({ name: "p", dtype: "float32", shape: [2] });
    b.named("ReduceSum", [b.exp("p")], "loss", { keepdims: int(0) });
    const alone = b.build([{ name: "loss", dtype: "float32", shape: [] }]);
    b.op("Erf", ["p"], {}, "side"); // has no gradient rule
    const withSide = b.build([
      { name: "loss", dtype: "float32", shape: [] },
      { name: "side", dtype: "float32", shape: [2] },
    ]);
    expect(added(withSide, ["p"])).toBe(added(alone, ["p"]));
  });

  test("flows through frozen operators that stand beside the way without a rule", async () => {
    const graph = lossGraph({ p: [2], x: [2] }, (b) => total(b, b.mul("p", b.op("Erf", ["x"]))));
    const [slope] = await gradients(graph, ["p"], { p: float32([2], [9, 9]), x: float32([2], [0, 10]) });
    expect(slope).toEqual([0, 1]);
  });

  test("ignores shape computations, whatever operators they use", async () => {
    const graph = lossGraph({ p: [2, 3] }, (b) => {
      const count = b.op("Gather", [b.op("Shape", ["p"]), b.constant(int64([0], [1]))]); // Gather has no rule
      const shape = b.op("Concat", [count, b.ints([-1])], { axis: int(0) });
      return total(b, b.mul(b.reshape("p", shape), b.constant(float32([2, 3], [1, 2, 3, 4, 5, 6]))));
    });
    expect(await gradients(graph, ["p"], { p: random("p", 2, 3) })).toEqual([[1, 2, 3, 4, 5, 6]]);
  });

  test("does not overflow the stack on deep graphs", async () => {
    const graph = lossGraph({ p: [1] }, (b) => {
      let value: Value = "p";
      for (let i = 0; i < 3000; i++) value = b.op("Identity", [value]);
      return total(b, value);
    });
    expect(gradient(graph, { of: "loss", with: ["p"] }).outputs.length).toBe(2);
  });
});

describe("gradient refuses", () => {
  const graph = lossGraph({ p: [2], q: [2], i: [2] }, (b) => total(b, b.exp("p")));
  const message = (parameters: readonly Value[], of = "loss", from = graph): { code: string; message: string } => {
    try {
      gradient(from, { of, with: parameters });
    } catch (error) {
      return error as { code: string; message: string };
    }
    throw new Error("did not throw");
  };

  test("a parameter that does not reach the loss", () => {
    expect(message(["p", "q"])).toMatchObject({
      code: "NOT_DIFFERENTIABLE",
      message: '"q" does not reach "loss": its gradient would be zero. Leave it out of the parameters.',
    });
  });

  test("a parameter that reaches the loss through whole numbers only", () => {
    const counted = lossGraph({ p: ["n"] }, (b) => b.cast(b.op("Size", ["p"]), "float32"));
    expect(message(["p"], "loss", counted)).toMatchObject({
      code: "NOT_DIFFERENTIABLE",
      message: expect.stringContaining('"p" does not reach "loss"'),
    });
  });

  test("a loss that is not a scalar, naming its shape", () => {
    expect(message(["p"], "exp")).toMatchObject({
      code: "SHAPE_MISMATCH",
      message: 'gradient requires a scalar loss, got "exp" of shape [2].',
    });
  });

  test("a loss or a parameter that is not in the graph", () => {
    expect(message(["p"], "nothing")).toMatchObject({
      code: "NOT_DIFFERENTIABLE",
      message: expect.stringContaining('"nothing" is not a value of the graph'),
    });
    expect(message(["nothing"])).toMatchObject({
      code: "NOT_DIFFERENTIABLE",
      message: 'cannot differentiate by "nothing": the graph has no such value.',
    });
  });

  test("a parameter of whole numbers", () => {
    const typed = {
      ...graph,
      inputs: graph.inputs.map((x) => (x.name === "q" ? { ...x, dtype: "int64" as const } : x)),
    };
    expect(message(["q"], "loss", typed).message).toBe('cannot differentiate by "q": it is int64.');
  });
});

describe("rules of the caller", () => {
  /** As if Erf had no built-in rule: d erf(x) = 2 / sqrt(pi) exp(-x^2). */
  const erf: VjpRule = rule<"Abs">({
    X: ({ b, x, dy }) => b.mul(dy, b.mul(b.scalar(2 / Math.sqrt(Math.PI)), b.exp(b.neg(b.mul(x.X, x.X))))),
  }) as VjpRule; // one input named X, as Abs
  const graph = lossGraph({ p: [3] }, (b) => total(b, b.op("Erf", ["p"])));

  test("are needed for operators without a built-in rule", () => {
    const rules: RuleTable = { ...BUILT_IN_RULES, Erf: undefined };
    expect(() => gradient(graph, { of: "loss", with: ["p"], rules })).toThrow(/Erf "erf" \(no gradient rule\)/);
  });

  test("extend the built-in ones", async () => {
    const rules: RuleTable = { ...BUILT_IN_RULES, Erf: erf };
    const out = await run(gradient(graph, { of: "loss", with: ["p"], rules }), { p: float32([3], [0, 1, -0.5]) });
    for (const [i, x] of [0, 1, -0.5].entries()) {
      expect(Number(out["p.gradient"]!.data[i])).toBeCloseTo((2 / Math.sqrt(Math.PI)) * Math.exp(-x * x), 6);
    }
  });

  test("replace built-in ones", async () => {
    const straight: VjpRule = rule<"Relu">({ X: ({ dy }) => dy }) as VjpRule; // a straight-through Relu
    const relu = lossGraph({ p: [2] }, (b) => total(b, b.op("Relu", ["p"])));
    const rules: RuleTable = { ...BUILT_IN_RULES, Relu: straight };
    const out = await run(gradient(relu, { of: "loss", with: ["p"], rules }), { p: float32([2], [-1, 1]) });
    expect(toNumbers(out["p.gradient"]!)).toEqual([1, 1]);
    expect(await gradients(relu, ["p"], { p: float32([2], [-1, 1]) })).toEqual([[0, 1]]);
  });
});

/** Where element `i` of the broadcast shape comes from. */
function sourceIndex(i: number, from: readonly number[], to: readonly number[]): number {
  let rest = i;
  let index = 0;
  let stride = 1;
  for (let axis = to.length - 1; axis >= 0; axis--) {
    const at = rest % to[axis]!;
    rest = Math.floor(rest / to[axis]!);
    const own = from[axis - (to.length - from.length)];
    if (own === undefined) continue;
    if (own !== 1) index += at * stride;
    stride *= own;
  }
  return index;
}
