/** Graph outputs that are copies of another value: what makes that value makes the output instead. */
import type { Graph, Node, Value } from "../../../graph/graph.ts";
import { consumersOf, producersOf, prune, usedBy } from "../../../graph/traverse.ts";

/**
 * The graph without nodes that only copy into an output: Identity, and with `reshapes` Reshape too. ONNX Runtime gives
 * graph outputs memory of their own, so that each of these nodes copies every element. An output whose Reshape is left
 * out has the same elements in the same order, and another shape than declared: it is declared without one.
 */
export function dropOutputCopies(graph: Graph, { reshapes }: { readonly reshapes: boolean }): Graph {
  const producers = producersOf(graph.nodes);
  const consumers = consumersOf(graph.nodes);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const captured = new Set(graph.nodes.flatMap((node) => usedBy({ ...node, inputs: [] })));
  const renamed = new Map<Value, Value>();
  const dropped = new Set<Node>();
  const shapeless = new Set<Value>();
  /** The node that makes what a copying node copies, if nothing else reads that. */
  const behind = (node: Node): Node | undefined => {
    const value = node.inputs[0]!;
    const isOwn = consumers.get(value)?.length === 1 && !outputs.has(value) && !captured.has(value);
    return isOwn && isCopy(node, reshapes) ? producers.get(value) : undefined;
  };
  for (const { name } of graph.outputs) {
    let node = consumers.has(name) ? undefined : producers.get(name);
    for (let next = node && behind(node); node && next; next = behind(node)) {
      dropped.add(node);
      if (node.op === "Reshape") shapeless.add(name);
      renamed.set(node.inputs[0]!, name);
      node = next;
    }
  }
  const nodes = graph.nodes
    .filter((node) => !dropped.has(node))
    .map((node) => ({ ...node, outputs: node.outputs.map((value) => renamed.get(value) ?? value) }));
  const infos = graph.outputs.map((info) => (shapeless.has(info.name) ? { name: info.name, dtype: info.dtype } : info));
  return prune({ ...graph, nodes, outputs: infos });
}

function isCopy({ op, domain }: Node, reshapes: boolean): boolean {
  return domain === "" && (op === "Identity" || (reshapes && op === "Reshape"));
}
