/** Constant folding: what is known before the graph runs is computed once, so that weights and shapes are initializers. */
import type { DType } from "../tensor/dtype.ts";
import { int64, type Tensor, tensor } from "../tensor/tensor.ts";
import { type FoldBudget, foldBudget } from "./fold-budget.ts";
import { foldKernel } from "./fold-kernels.ts";
import type { Graph, Node, Value } from "./graph.ts";
import { inferValues } from "./infer-types.ts";
import { numbersOf } from "./shape-rules/rule.ts";
import { prune, usedBy } from "./traverse.ts";

/**
 * Replaces nodes whose outputs are known by initializers, under the same value names, and removes what nothing uses.
 * Known are constants and what follows from them exactly, and sizes that the shapes of the inputs determine. Results
 * beyond a budget stay computed.
 * The graph computes the same bits as before. Its inputs and outputs keep their names.
 * @throws RootstockError SHAPE_MISMATCH if the inputs of a node cannot go together.
 */
export function foldConstants(graph: Graph): Graph {
  const budget = foldBudget(graph.initializers.values());
  let folded = foldNodes(graph, budget);
  // A folded shape can make more shapes known: repeat until nothing changes.
  for (let next = foldSizes(folded); next; next = foldSizes(folded)) folded = foldNodes(next, budget);
  return prune(folded);
}

/** Evaluates nodes whose inputs are all initializers. */
function foldNodes(graph: Graph, budget: FoldBudget): Graph {
  const known = new Map(graph.initializers);
  // Subgraphs read values by name, so such names stay.
  const captured = graph.nodes.flatMap((node) => usedBy({ ...node, inputs: [] }));
  const kept = new Set([...graph.outputs.map(({ name }) => name), ...captured]);
  const aliases = new Map<Value, Value>();
  const nodes: Node[] = [];
  for (const original of graph.nodes) {
    const node = renamed(original, aliases);
    const [output = ""] = node.outputs;
    const value = evaluate(node, known, budget);
    if (value && node.op === "Identity" && !kept.has(output)) {
      aliases.set(output, node.inputs[0]!); // one weight that is used twice stays one weight
    } else if (value && node.op !== "Identity") {
      known.set(output, value);
    } else {
      nodes.push(node);
    }
  }
  return nodes.length === graph.nodes.length ? graph : { ...graph, nodes, initializers: known };
}

function evaluate(node: Node, known: ReadonlyMap<Value, Tensor>, budget: FoldBudget): Tensor | undefined {
  if (node.domain !== "" || node.outputs.length !== 1) return undefined;
  if (!node.inputs.every((name) => name === "" || known.has(name))) return undefined;
  return foldKernel(node.op)?.(
    node,
    node.inputs.map((name) => known.get(name)),
    budget,
  );
}

/** The node with its inputs under their new names. */
function renamed(node: Node, aliases: ReadonlyMap<Value, Value>): Node {
  if (!node.inputs.some((name) => aliases.has(name))) return node;
  return { ...node, inputs: node.inputs.map((name) => aliases.get(name) ?? name) };
}

/** Turns values whose elements shape inference knows into initializers; undefined if there are none. */
function foldSizes(graph: Graph): Graph | undefined {
  const inferred = inferValues(graph);
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.filter((node) => {
    const [output = ""] = node.outputs;
    const value = inferred.get(output);
    const elements = numbersOf(value?.contents);
    if (node.outputs.length !== 1 || !value || !elements?.every(Number.isSafeInteger)) return true;
    const tensor = wholeNumbers(value.dtype, value.shape?.length === 0 ? [] : [elements.length], elements);
    if (tensor) initializers.set(output, tensor);
    return !tensor;
  });
  return nodes.length === graph.nodes.length ? undefined : { ...graph, nodes, initializers };
}

function wholeNumbers(dtype: DType, shape: readonly number[], elements: readonly number[]): Tensor | undefined {
  if (dtype === "int64") return int64(elements, shape);
  if (dtype === "int32") return tensor("int32", shape, Int32Array.from(elements));
  return dtype === "bool" ? tensor("bool", shape, Uint8Array.from(elements)) : undefined;
}
