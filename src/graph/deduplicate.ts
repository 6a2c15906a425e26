/** Common subexpressions: what several nodes compute alike is computed once. */
import { type Tensor, toNumbers } from "../tensor/tensor.ts";
import type { Attribute } from "./attributes.ts";
import type { Graph, Node, Value } from "./graph.ts";
import { usedBy } from "./traverse.ts";

/** Operators that give something else each time. */
export const RANDOM_OPS: ReadonlySet<string> = new Set([
  "Bernoulli",
  "Dropout",
  "Multinomial",
  "RandomNormal",
  "RandomNormalLike",
  "RandomUniform",
  "RandomUniformLike",
]);

/** Constants up to this many elements are compared; larger ones are weights. */
const COMPARED_ELEMENTS = 256;

/**
 * The same graph without nodes that compute what an earlier node does: same operator, inputs and attributes. Equal small
 * constants count as one. What others know by name stays: graph outputs, and everything before node `from`.
 */
export function deduplicate(graph: Graph, from = 0): Graph {
  const kept = new Set(graph.outputs.map(({ name }) => name));
  const same = new Map<Value, Value>();
  const now = (value: Value): Value => same.get(value) ?? value;

  const overwritten = new Set(graph.nodes.filter(isTrainingNorm).flatMap(({ inputs }) => inputs.slice(3)));
  const read = new Set(graph.nodes.slice(0, from).flatMap(usedBy)); // captured by subgraphs too, which keep their names
  const constants = new Map<string, Value>();
  const initializers = new Map(graph.initializers);
  for (const [name, tensor] of graph.initializers) {
    if (tensor.data.length > COMPARED_ELEMENTS) continue;
    const key = tensorKey(tensor);
    const first = constants.get(key);
    if (read.has(name) || kept.has(name) || overwritten.has(name)) continue;
    if (first === undefined) constants.set(key, name);
    else same.set(name, first);
  }

  const seen = new Map<string, Node>();
  const nodes = graph.nodes.flatMap((node, i) => {
    const inputs = node.inputs.map(now);
    const current = inputs.some((value, k) => value !== node.inputs[k]) ? { ...node, inputs } : node;
    const key = node.outputs.some((value) => overwritten.has(value)) ? undefined : nodeKey(current);
    if (key === undefined) return [current];
    const first = seen.get(key);
    const needed = i < from || node.outputs.some((value) => kept.has(value));
    if (first === undefined || needed) {
      if (first === undefined) seen.set(key, current);
      return [current];
    }
    for (const [k, value] of node.outputs.entries()) same.set(value, first.outputs[k]!);
    return [];
  });
  const captured = new Set(nodes.flatMap((node) => usedBy({ ...node, inputs: [] })));
  for (const name of same.keys()) if (!captured.has(name)) initializers.delete(name);
  return { ...graph, nodes, initializers };
}

/** ONNX Runtime writes the new running statistics over the old ones, constants or not: no other node may read those. */
function isTrainingNorm({ op, attributes }: Node): boolean {
  return op === "BatchNormalization" && attributes["training_mode"]?.value === 1;
}

/** What a node computes, as text; undefined for nodes that are never the same. */
function nodeKey({ op, domain, inputs, outputs, attributes }: Node): string | undefined {
  if (RANDOM_OPS.has(op) || Object.values(attributes).some(({ kind }) => kind === "opaque")) return undefined;
  const sorted = Object.keys(attributes)
    .sort()
    .map((name) => [name, attributeKey(attributes[name]!)]);
  return JSON.stringify([domain, op, outputs.map((value) => value !== ""), inputs, sorted]);
}

function attributeKey(attribute: Attribute): unknown {
  return attribute.kind === "tensor" ? tensorKey(attribute.value) : [attribute.kind, attribute.value];
}

function tensorKey(t: Tensor): string {
  // -0 and NaN have forms of their own
  const values = toNumbers(t).map((value) => (Object.is(value, -0) ? "-0" : String(value)));
  return `${t.dtype} ${t.shape} ${values}`;
}
