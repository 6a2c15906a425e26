import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Dim, Graph } from "../../src/graph/graph.ts";
import { FEATURES } from "../../src/models/backbone.ts";
import { classifierGraph, HEAD, headGraph, linearHead, type Parameters } from "../../src/models/head.ts";
import { Session } from "../../src/runtime/session.ts";
import { float32, toNumbers } from "../../src/tensor/tensor.ts";

/** Features [batch, 2] that are the input doubled. */
function doubling({ batch = "batch" as Dim, inner = "doubled", x = "x" } = {}): Graph {
  const b = new GraphBuilder("doubling");
  b.input({ name: x, dtype: "float32", shape: [batch, 2] });
  const doubled = b.named("Mul", [x, b.scalar(2)], inner);
  b.named("Identity", [doubled], FEATURES);
  return b.build([{ name: FEATURES, dtype: "float32", shape: [batch, 2] }]);
}

const PARAMETERS: Parameters = new Map([
  [HEAD.weight, float32([3, 2], [1, 0, 0, 1, 1, -1])],
  [HEAD.bias, float32([3], [0, 0.5, 1])],
]);

describe("linearHead", () => {
  test("starts with zeros, a weight of [numClasses, width] and a bias", () => {
    const head = linearHead({ width: 4, numClasses: 3 });
    expect([...head.keys()]).toEqual([HEAD.weight, HEAD.bias]);
    expect(head.get(HEAD.weight)).toEqual(float32([3, 4], new Float32Array(12)));
    expect(head.get(HEAD.bias)).toEqual(float32([3], [0, 0, 0]));
  });
});

test("headGraph computes x W' + b from features and parameters that are inputs", async () => {
  await using session = await Session.create(headGraph({ width: 2, numClasses: 3 }));
  const features = float32([2, 2], [1, 2, 10, 20]);
  const out = await session.run({ [FEATURES]: features, ...Object.fromEntries(PARAMETERS) });
  expect(out).toEqual({ [HEAD.logits]: float32([2, 3], [1, 2.5, 0, 10, 20.5, -9]) });
});

describe("classifierGraph", () => {
  const logits = [2, 4.5, -1]; // of x = [1, 2]: features [2, 4]
  const exponentials = logits.map(Math.exp);
  const total = exponentials.reduce((sum, value) => sum + value, 0);

  test.each([
    ["softmax" as const, exponentials.map((value) => value / total)],
    ["sigmoid" as const, logits.map((value) => 1 / (1 + Math.exp(-value)))],
  ])("ends with probabilities by %s", async (activation, wanted) => {
    const graph = classifierGraph(doubling(), PARAMETERS, activation);
    expect(graph.outputs).toEqual([{ name: HEAD.probabilities, dtype: "float32", shape: ["batch", 3] }]);
    expect(graph.inputs.map(({ name }) => name)).toEqual(["x"]);
    await using session = await Session.create(graph);
    const out = toNumbers((await session.run({ x: float32([1, 2], [1, 2]) }))[HEAD.probabilities]!);
    for (const [i, value] of out.entries()) expect(value).toBeCloseTo(wanted[i]!, 6);
    expect(out).toHaveLength(3);
  });

  test("has the parameters as initializers, without copying them", () => {
    const { initializers } = classifierGraph(doubling(), PARAMETERS, "softmax");
    for (const [name, value] of PARAMETERS) expect(initializers.get(name)).toBe(value);
  });

  test("keeps a fixed batch of the backbone", () => {
    expect(classifierGraph(doubling({ batch: 4 }), PARAMETERS, "softmax").outputs[0]!.shape).toEqual([4, 3]);
  });

  test.each(Object.values(HEAD))('goes on top of a backbone that computes a value "%s" of its own', async (inner) => {
    const graph = classifierGraph(doubling({ inner }), PARAMETERS, "softmax");
    await using session = await Session.create(graph);
    const out = await session.run({ x: float32([1, 2], [1, 2]) });
    expect(Number(out[HEAD.probabilities]!.data[1])).toBeCloseTo(exponentials[1]! / total, 6);
  });

  test.each(Object.values(HEAD))('renames an input "%s"', async (x) => {
    const graph = classifierGraph(doubling({ x }), PARAMETERS, "softmax");
    expect(graph.inputs.map(({ name }) => name)).toEqual([`backbone.${x}`]);
    await using session = await Session.create(graph);
    const out = await session.run({ [`backbone.${x}`]: float32([1, 2], [1, 2]) });
    expect(Number(out[HEAD.probabilities]!.data[1])).toBeCloseTo(exponentials[1]! / total, 6);
  });
});
