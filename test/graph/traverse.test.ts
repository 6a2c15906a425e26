import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { Attribute } from "../../src/graph/attributes.ts";
import type { Graph, Node, Value, ValueInfo } from "../../src/graph/graph.ts";
import { consumersOf, producersOf, prune, reachable, sortNodes, subgraph, usedBy } from "../../src/graph/traverse.ts";
import { AttributeProtoSchema } from "../../src/onnx/onnx-pb.ts";
import { float32 } from "../../src/tensor/tensor.ts";

const node = (name: string, inputs: Value[], outputs: Value[] = [name]): Node => ({
  op: "Op",
  domain: "",
  name,
  inputs,
  outputs,
  attributes: {},
});
const info = (name: Value): ValueInfo => ({ name, dtype: "float32" });
const names = (nodes: readonly { readonly name: string }[]): string[] => nodes.map(({ name }) => name);

/** x → a → b (with w) → c, and a → side, which nothing reads. */
const graph: Graph = {
  name: "test",
  inputs: [info("x"), info("spare")],
  outputs: [info("c")],
  nodes: [node("a", ["x"]), node("b", ["a", "w"]), node("side", ["a", "v"]), node("c", ["b", "", "a"])],
  initializers: new Map(["w", "v"].map((name) => [name, float32([1], [1])])),
  opsets: new Map([["", 18]]),
};
const body: Attribute = { kind: "opaque", value: create(AttributeProtoSchema), captures: ["outer"] };

describe("neighbours", () => {
  test("a node uses its inputs and what its subgraphs capture", () => {
    expect(usedBy({ ...node("if", ["x", ""]), attributes: { body } })).toEqual(["x", "outer"]);
  });

  test("producers of all outputs but absent ones", () => {
    const split = node("split", ["x"], ["p", "", "q"]);
    expect([...producersOf([split]).entries()]).toEqual([
      ["p", split],
      ["q", split],
    ]);
  });

  test("consumers in graph order, each once", () => {
    const twice = node("twice", ["x", "x"]);
    const after = node("after", ["x"]);
    expect(consumersOf([twice, after]).get("x")).toEqual([twice, after]);
  });
});

describe("sorting", () => {
  test("puts nodes after what they read and keeps an order that is good", () => {
    const nodes = [node("d", ["b", "c"]), node("c", ["a"]), node("b", ["a"]), node("a", ["x"]), node("e", ["x"])];
    const order = names(sortNodes(nodes));
    for (const { name, inputs } of nodes) {
      for (const input of inputs) expect(order.indexOf(input)).toBeLessThan(order.indexOf(name));
    }
    expect([...order].sort()).toEqual(["a", "b", "c", "d", "e"]);
    expect(names(sortNodes(graph.nodes))).toEqual(names(graph.nodes));
  });

  test("counts what subgraphs capture", () => {
    const nodes = [{ ...node("if", ["x"]), attributes: { body } }, node("outer", ["x"])];
    expect(names(sortNodes(nodes))).toEqual(["outer", "if"]);
  });

  test("handles chains deeper than the call stack", () => {
    const chain = Array.from({ length: 50_000 }, (_, i) => node(`n${i}`, [i === 0 ? "x" : `n${i - 1}`])).reverse();
    expect(sortNodes(chain).at(-1)!.name).toBe("n49999");
  });

  test("finds cycles", () => {
    const cycle = [node("a", ["b"]), node("b", ["a"])];
    expect(() => sortNodes(cycle)).toThrow(
      expect.objectContaining({ code: "BAD_MODEL", message: expect.stringMatching(/cycle through "[ab]" and "[ab]"/) }),
    );
    expect(() => sortNodes([node("self", ["self"])])).toThrow(/cycle/);
  });
});

describe("parts", () => {
  test("what outputs depend on", () => {
    const { nodes, initializers } = reachable(graph, ["b"]);
    expect([names(nodes), [...initializers.keys()]]).toEqual([["a", "b"], ["w"]]);
  });

  test("stopping at inputs", () => {
    const { nodes, initializers } = reachable(graph, ["c"], ["a"]);
    expect([names(nodes), [...initializers.keys()]]).toEqual([["b", "c"], ["w"]]);
  });

  test("pruning keeps the inputs, unless told otherwise", () => {
    const pruned = prune(graph);
    expect([names(pruned.nodes), [...pruned.initializers.keys()], names(pruned.inputs)]).toEqual([
      ["a", "b", "c"],
      ["w"],
      ["x", "spare"],
    ]);
    expect(names(prune(graph, { keepInputs: false }).inputs)).toEqual(["x"]);
  });

  test("an output that is an input or an initializer needs no nodes", () => {
    const pruned = prune({ ...graph, outputs: [info("x"), info("w")] }, { keepInputs: false });
    expect([pruned.nodes, [...pruned.initializers.keys()], names(pruned.inputs)]).toEqual([[], ["w"], ["x"]]);
  });

  test("a subgraph between values", () => {
    const part = subgraph(graph, [info("a")], [info("c")]);
    expect([names(part.nodes), names(part.inputs), names(part.outputs), [...part.initializers.keys()]]).toEqual([
      ["b", "c"],
      ["a"],
      ["c"],
      ["w"],
    ]);
  });

  test("a subgraph that lacks an input is refused", () => {
    expect(() => subgraph(graph, [info("b")], [info("c")])).toThrow(
      expect.objectContaining({ code: "BAD_MODEL", message: expect.stringContaining("x would be undefined") }),
    );
    expect(() => subgraph(graph, [info("x")], [info("nowhere")])).toThrow(/nowhere would be undefined/);
  });
});
