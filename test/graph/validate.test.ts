import { expect, test } from "vitest";
import type { Graph, Node } from "../../src/graph/graph.ts";
import { checkGraph, suggestion } from "../../src/graph/validate.ts";
import { float32 } from "../../src/tensor/tensor.ts";

const node = (op: string, inputs: readonly string[], output: string): Node => ({
  op,
  domain: "",
  name: output,
  inputs,
  outputs: [output],
  attributes: {},
});

/** hidden = Relu(image), scores = Add(hidden, bias). */
const GOOD: Graph = {
  name: "good",
  inputs: [{ name: "image", dtype: "float32", shape: ["n", 2] }],
  outputs: [{ name: "scores", dtype: "float32" }],
  nodes: [node("Relu", ["image"], "hidden"), node("Add", ["hidden", "bias"], "scores")],
  initializers: new Map([["bias", float32([2], [1, 2])]]),
  opsets: new Map([["", 18]]),
};

test("a graph in topological order passes", () => {
  expect(() => checkGraph(GOOD, "here")).not.toThrow();
});

const broken = (part: object): Graph => ({ ...GOOD, ...part });
const nodes = (...list: readonly unknown[]): Graph => broken({ nodes: list });

test.each<readonly [string, unknown, string]>([
  ["nothing at all", undefined, "required is a graph, got undefined"],
  ["a list", broken({ nodes: {} }), "nodes requires a list, got an object"],
  ["a plain object of weights", broken({ initializers: { bias: 1 } }), "initializers requires a Map"],
  [
    "an input of another type",
    broken({ inputs: [{ name: "image", dtype: "float" }] }),
    '"image" requires a dtype out of',
  ],
  ["a negative size", broken({ inputs: [{ name: "image", dtype: "float32", shape: [-1] }] }), "got [-1]"],
  ["sizes that are bigints", broken({ inputs: [{ name: "image", dtype: "float32", shape: [1n] }] }), "got [1]"],
  ["an input without a name", broken({ inputs: [{ dtype: "float32" }] }), "inputs and outputs require a name"],
  ["an old opset", broken({ opsets: new Map([["", 11]]) }), "opset 18 or later is required, got 11"],
  ["a node that is none", nodes(null), "node 0 requires an object"],
  ["a node without an operator", nodes({ ...node("", [], "y") }), "requires a text as op"],
  ["a node without a domain", nodes({ ...node("Relu", ["image"], "y"), domain: undefined }), "a text as domain"],
  [
    "inputs that are a name",
    nodes({ ...node("Relu", [], "y"), inputs: "image" }),
    'a list of names as inputs, got "image"',
  ],
  ["a hole in the inputs", nodes({ ...node("Relu", [], "y"), inputs: [undefined] }), "got [undefined]"],
  [
    "a node without attributes",
    nodes({ ...node("Relu", ["image"], "y"), attributes: undefined }),
    "requires attributes",
  ],
  ["a node without outputs", nodes({ ...node("Relu", ["image"], "y"), outputs: [] }), "requires an output, got none"],
  [
    "a value that nothing defines",
    nodes(node("Relu", ["imgae"], "scores")),
    'Relu "scores" reads "imgae", which nothing defines. Did you mean "image"?',
  ],
  [
    "two definitions",
    nodes(...GOOD.nodes, node("Abs", ["image"], "hidden")),
    '"hidden" is defined twice: as an output of Relu "hidden" and as an output of Abs "hidden"',
  ],
  [
    "a node that defines an input",
    nodes(node("Abs", ["bias"], "image")),
    '"image" is defined twice: as an input of the graph and as an output of Abs "image"',
  ],
  ["a loop of one node", nodes(node("Add", ["image", "scores"], "scores")), 'reads its own output "scores"'],
  [
    "a loop",
    nodes(node("Add", ["image", "scores"], "hidden"), node("Relu", ["hidden"], "scores")),
    'the graph has a cycle through "scores" and "hidden"',
  ],
  [
    "another order",
    nodes(...GOOD.nodes.toReversed()),
    'Add "scores" reads "hidden", which Relu "hidden" computes only after it. List each node',
  ],
  [
    "an output that no node makes",
    broken({ outputs: [{ name: "score", dtype: "float32" }] }),
    'the output "score" is never computed. Did you mean "scores"?',
  ],
])("%s is refused", (_, graph, message) => {
  expect(() => checkGraph(graph as Graph, "here")).toThrow(
    expect.objectContaining({ code: "BAD_MODEL", message: expect.stringContaining(message) }),
  );
});

test("a subgraph must not read what is not there", () => {
  const body = { kind: "opaque", value: {}, captures: ["elsewhere"] };
  const graph = nodes({ ...node("If", ["image"], "scores"), attributes: { then_branch: body } });
  expect(() => checkGraph(graph, "here")).toThrow('If "scores" reads "elsewhere", which nothing defines');
});

test("at most three names are suggested", () => {
  expect(suggestion("w", ["w1", "w2", "w3", "w4"])).toBe('. Did you mean "w1" or "w2" or "w3"?');
  expect(suggestion("w", ["bias"])).toBe("");
});
