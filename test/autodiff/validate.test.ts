import { describe, expect, test } from "vitest";
import { gradient, int } from "../../src/autodiff.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph, Node, Value } from "../../src/graph/graph.ts";
import { float32 } from "../../src/tensor/tensor.ts";

/** loss = sum of what `body` makes of x [2, 3] and weight [2, 3]. */
function lossOf(body: (b: GraphBuilder) => Value): Graph {
  const b = new GraphBuilder("test");
  b.input({ name: "x", dtype: "float32", shape: [2, 3] });
  b.initializer("weight", float32([2, 3], [1, 2, 3, 4, 5, 6]));
  b.named("ReduceSum", [body(b)], "loss", { keepdims: int(0) });
  return b.build([{ name: "loss", dtype: "float32", shape: [] }]);
}
const GOOD = lossOf((b) => b.mul("x", "weight"));
const refusal = (code: string, message: string): unknown =>
  expect.objectContaining({ name: "RootstockError", code, message: expect.stringContaining(message) });

/** What callers without types may write. */
const untyped = gradient as unknown as (...args: readonly unknown[]) => Graph;

test.each<readonly [string, readonly unknown[], string, string]>([
  ["no graph", [], "BAD_MODEL", "gradient: required is a graph, got undefined"],
  ["no options", [GOOD], "BAD_CONFIG", 'requires options such as { of: "loss", with: ["weight"] }, got undefined'],
  ["no loss", [GOOD, { with: ["weight"] }], "BAD_CONFIG", "requires the option of, the name of the loss"],
  ["no parameters", [GOOD, { of: "loss" }], "BAD_CONFIG", "requires the option with, a list of names"],
  ["a name for a list", [GOOD, { of: "loss", with: "weight" }], "BAD_CONFIG", 'got "weight"'],
  ["numbers for names", [GOOD, { of: "loss", with: [1] }], "BAD_CONFIG", "got [1]"],
])("%s is refused", (_, args, code, message) => {
  expect(() => untyped(...args)).toThrow(refusal(code, message));
});

test("a name that is not there is refused with the nearest", () => {
  expect(() => gradient(GOOD, { of: "los", with: ["weight"] })).toThrow(
    refusal("NOT_DIFFERENTIABLE", '"los" is not a value of the graph, or its type is unknown. Did you mean "loss"?'),
  );
  expect(() => gradient(GOOD, { of: "loss", with: ["wieght"] })).toThrow(
    refusal(
      "NOT_DIFFERENTIABLE",
      'cannot differentiate by "wieght": the graph has no such value. Did you mean "weight"?',
    ),
  );
});

describe("a node with a wrong number of inputs is refused by name", () => {
  test.each<readonly [string, readonly Value[], string]>([
    ["Add", ["x"], 'Add "add" requires 2 inputs (A, B), got no input B: ["x"]'],
    ["Add", ["x", "weight", "x"], "got 3 inputs"],
    ["MatMul", ["", "weight"], 'got no input A: ["", "weight"]'],
    ["Relu", ["x", "weight"], 'Relu "relu" requires one input (X), got 2 inputs'],
    ["Conv", ["x"], "requires 3 inputs (X, W, B), the last 1 of them optional, got no input W"],
    ["Concat", [], "requires any number of inputs (inputs), got no input inputs"],
    ["Slice", ["x", "weight"], "got no input ends"],
  ])("%s(%j)", (op, inputs, message) => {
    const graph = lossOf((b) => b.op(op, inputs));
    expect(() => gradient(graph, { of: "loss", with: ["weight"] })).toThrow(refusal("BAD_MODEL", message));
  });

  test("but not one of another domain", () => {
    const graph = lossOf((b) => b.custom("com.example", "Add", ["x"]));
    expect(() => gradient(graph, { of: "loss", with: ["weight"] })).toThrow(
      refusal("NOT_DIFFERENTIABLE", "its type is unknown"),
    );
  });
});

test("a hand-made graph is refused before anything is computed, naming the node and the value", () => {
  const [mul, sum] = GOOD.nodes as [Node, Node];
  const of = (nodes: readonly Node[]) => () => gradient({ ...GOOD, nodes }, { of: "loss", with: ["weight"] });
  expect(of([sum, mul])).toThrow(refusal("BAD_MODEL", 'reads "mul", which Mul "mul" computes only after it'));
  expect(of([{ ...mul, inputs: ["mul", "weight"] }, sum])).toThrow(refusal("BAD_MODEL", "reads its own output"));
  expect(of([{ ...mul, inputs: ["y", "weight"] }, sum])).toThrow(
    refusal("BAD_MODEL", 'reads "y", which nothing defines'),
  );
  expect(of([mul, sum, mul])).toThrow(refusal("BAD_MODEL", '"mul" is defined twice'));
  expect(of([mul])).toThrow(refusal("BAD_MODEL", 'the output "loss" is never computed'));
});
