import { expect, test } from "vitest";
import { float, int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { deduplicate } from "../../src/graph/deduplicate.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { float32, int64 } from "../../src/tensor/tensor.ts";

const opsOf = ({ nodes }: Graph): string[] => nodes.map(({ op }) => op);
const output = (name: string) => ({ name, dtype: "float32" as const, shape: [4] });

function start(): { b: GraphBuilder; x: string } {
  const b = new GraphBuilder("graph");
  return { b, x: b.input(output("x")) };
}

test("equal nodes are computed once, and so are those that follow from them", () => {
  const { b, x } = start();
  b.named("Add", [b.exp(b.neg(x)), b.exp(b.neg(x))], "y");
  const merged = deduplicate(b.build([output("y")]));
  expect(opsOf(merged)).toEqual(["Neg", "Exp", "Add"]);
  expect(new Set(merged.nodes.at(-1)!.inputs).size).toBe(1);
});

test("equal constants are one, others are not: by type, shape, value, and the sign of zero", () => {
  const { b, x } = start();
  const constants = [float32([1], [0]), float32([1], [0]), float32([1], [-0]), float32([], [0]), int64([0])];
  const names = constants.map((value) => b.constant(value));
  b.named("Sum", [...names.slice(0, 4).map((name) => b.add(x, name)), b.op("Tile", [x, names[4]!])], "y");
  const merged = deduplicate(b.build([output("y")]));
  expect([...merged.initializers.keys()]).toEqual([names[0], ...names.slice(2)]);
  expect(opsOf(merged)).toEqual(["Add", "Add", "Add", "Tile", "Sum"]);
});

test("attributes, operators, domains and random draws keep nodes apart", () => {
  const { b, x } = start();
  const parts = [
    b.op("LeakyRelu", [x], { alpha: float(0.1) }),
    b.op("LeakyRelu", [x], { alpha: float(0.2) }),
    b.op("Elu", [x], { alpha: float(0.1) }),
    b.custom("other", "Elu", [x], { alpha: float(0.1) }),
    b.op("RandomNormalLike", [x]),
    b.op("RandomNormalLike", [x]),
  ];
  b.named("Sum", parts, "y");
  const graph = b.build([output("y")]);
  expect(deduplicate(graph).nodes).toEqual(graph.nodes);
});

test("what others know by name stays: outputs, and nodes before the first that may go", () => {
  const { b, x } = start();
  b.named("Neg", [x], "a");
  b.named("Neg", [x], "b");
  b.named("Neg", [x], "c");
  b.named("Add", ["b", "c"], "d");
  const graph = b.build([output("a"), output("d")]);
  expect(deduplicate(graph).nodes.map(({ outputs, inputs }) => [...outputs, ...inputs])).toEqual([
    ["a", "x"],
    ["d", "a", "a"],
  ]);
  expect(deduplicate(graph, 2).nodes.map(({ outputs }) => outputs[0])).toEqual(["a", "b", "d"]);
  expect(opsOf(deduplicate({ ...graph, outputs: [output("a"), output("b"), output("d")] }))).toHaveLength(3);
});

test("nodes with different numbers of used outputs are different", () => {
  const { b, x } = start();
  const [first] = b.ops("Split", [x], 2, { num_outputs: int(2) });
  const rest = b.ops("Split", [x], 2, { num_outputs: int(2) });
  b.named("Sum", [first!, ...rest], "y");
  expect(opsOf(deduplicate(b.build([output("y")])))).toEqual(["Split", "Sum"]);
});

test("running statistics of a BatchNormalization in training mode stay its own: the runtime overwrites them", () => {
  const b = new GraphBuilder("norm");
  const x = b.input({ name: "x", dtype: "float32", shape: [2, 4] });
  const zeros = Array.from({ length: 4 }, () => b.constant(float32([4], [0, 0, 0, 0])));
  const ones = b.constant(float32([4], [1, 1, 1, 1]));
  const computed = b.neg(zeros[1]!);
  const other = b.neg(zeros[1]!);
  const [y] = b.ops("BatchNormalization", [x, ones, zeros[0]!, computed, zeros[2]!], 3, { training_mode: int(1) });
  b.named("Add", [y!, b.mul(zeros[3]!, other)], "z");
  const merged = deduplicate(b.build([{ name: "z", dtype: "float32", shape: [2, 4] }]));
  expect(opsOf(merged)).toEqual(["Neg", "Neg", "BatchNormalization", "Mul", "Add"]);
  expect([...merged.initializers.keys()]).toEqual([zeros[0], zeros[2], ones]);
});
