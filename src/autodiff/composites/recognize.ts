/**
 * Groups of nodes that amount to one operator are differentiated as that operator, where its rule is cheaper or steadier
 * than the rules of the parts: SiLU, GELU and layer normalization as exporters write them out.
 */
import type { Graph, Node, Value } from "../../graph/graph.ts";
import { inferTypes } from "../../graph/infer-types.ts";
import { consumersOf } from "../../graph/traverse.ts";
import { activation, type Composite } from "./activations.ts";
import { layerNorm } from "./layer-norm.ts";
import { formulasOf } from "./match.ts";

export interface RecognizeOptions {
  /** Values that must stay visible: the loss, and what it is differentiated by. @default [] */
  readonly keep?: readonly Value[] | undefined;
  /** Says which nodes must stay by themselves, such as those with a rule of the caller. @default () => false */
  readonly excluded?: ((node: Node) => boolean) | undefined;
}

/**
 * The graph with one node in place of each group, as a view to find the way of gradients in. Its operators may be newer
 * than its opset, and need not run: every value that they take or give has the name it has in `graph`, so the backward
 * pass is appended to `graph` itself, which runs forward what it ran before, bit for bit.
 * A group is taken only if nothing outside it reads what is inside.
 */
export function recognizeComposites(graph: Graph, { keep = [], excluded = () => false }: RecognizeOptions = {}): Graph {
  const types = inferTypes(graph);
  const f = formulasOf(graph, new Set(keep), (value) => types.get(value)?.shape);
  const consumers = consumersOf(graph.nodes);
  const groups = new Map<Node, Composite>();
  const taken = new Set<Node>();
  // From the end, so that the larger of two groups comes first: layer normalization is one with and without its bias.
  for (const root of graph.nodes.toReversed()) {
    if (taken.has(root)) continue;
    const found = layerNorm(f, root) ?? activation(f, root);
    const members = new Set(found?.nodes);
    const isInside = (node: Node): boolean =>
      node === root || node.outputs.every((value) => consumers.get(value)?.every((user) => members.has(user)) ?? true);
    if (!found || ![...members].every((node) => !taken.has(node) && !excluded(node) && isInside(node))) continue;
    groups.set(root, found);
    for (const node of members) taken.add(node);
  }
  const nodes = graph.nodes.flatMap((node) => {
    const group = groups.get(node);
    return group ? [compositeNode(node, group)] : taken.has(node) ? [] : [node];
  });
  return { ...graph, nodes };
}

function compositeNode(root: Node, { op, inputs, attributes, saved }: Composite): Node {
  return { op, domain: "", name: root.name, inputs, outputs: [root.outputs[0]!, ...saved], attributes };
}
