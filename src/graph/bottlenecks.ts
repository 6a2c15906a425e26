/** Values that everything passes through: cutting a graph at one of them leaves two graphs joined by that value alone. */
import type { Graph, Node, Value } from "./graph.ts";
import { usedBy } from "./traverse.ts";

export interface BottleneckOptions {
  /** Values that are no way for data, such as sizes that can be computed again anywhere. @default new Set() */
  readonly without?: ReadonlySet<Value> | undefined;
  /** Which values may be listed, beside the two ends. @default () => true */
  readonly accept?: ((value: Value) => boolean) | undefined;
}

/** A graph seen as a chain of bottlenecks with a segment of nodes between each two of them. */
export interface Bottlenecks {
  /** In order: the start, every bottleneck, the end. */
  readonly values: readonly Value[];
  /** For every node that the end depends on, the index in `values` of the bottleneck before it. */
  readonly segments: ReadonlyMap<Node, number>;
  /** The nodes that join branches: more than one of their inputs comes from the start. */
  readonly joins: ReadonlySet<Node>;
}

/**
 * Finds the values through which every path from one value to another passes (the single-vertex cuts of the graph).
 * Takes time linear in the size of the graph: in topological order, a value is a bottleneck exactly if it is the only
 * one on a path that was computed and will still be read. Nodes beside the paths (weights that are computed, sizes)
 * belong to the segment of their first reader.
 */
export function bottlenecks(
  graph: Graph,
  from: Value,
  to: Value,
  { without = new Set(), accept = () => true }: BottleneckOptions = {},
): Bottlenecks {
  const { nodes, values: onPath } = pathNodes(graph, from, to, without);
  const inputsOf = (node: Node): Value[] => [...new Set(usedBy(node))].filter((value) => onPath.has(value));
  const readers = new Map<Value, number>([[to, 1]]); // the end is never used up
  for (const value of nodes.flatMap(inputsOf)) readers.set(value, (readers.get(value) ?? 0) + 1);

  const values = [from];
  const segments = new Map<Node, number>();
  const joins = new Set<Node>();
  const open = new Set([from]);
  for (const node of nodes) {
    segments.set(node, values.length - 1);
    const inputs = inputsOf(node);
    if (inputs.length > 1) joins.add(node);
    for (const value of inputs) {
      const left = readers.get(value)! - 1;
      readers.set(value, left);
      if (left === 0) open.delete(value);
    }
    for (const value of node.outputs) if (onPath.has(value)) open.add(value);
    const [only] = open;
    // `from` stays open until its last reader: it is listed already.
    if (open.size === 1 && only !== undefined && only !== values.at(-1) && (only === to || accept(only)))
      values.push(only);
  }
  addSideNodes(graph, to, segments);
  return { values, segments, joins };
}

/** The nodes and values on paths from one value to another. */
function pathNodes(
  graph: Graph,
  from: Value,
  to: Value,
  without: ReadonlySet<Value>,
): { nodes: Node[]; values: ReadonlySet<Value> } {
  const forward = new Set([from]);
  for (const node of graph.nodes) {
    if (!usedBy(node).some((value) => forward.has(value))) continue;
    for (const value of node.outputs) if (value !== "" && value !== from && !without.has(value)) forward.add(value);
  }
  const backward = new Set([to]);
  const nodes: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    const inputs = usedBy(node).filter((value) => forward.has(value));
    if (inputs.length === 0 || !node.outputs.some((value) => backward.has(value) && forward.has(value))) continue;
    nodes.push(node);
    for (const value of inputs) backward.add(value);
  }
  return { nodes: nodes.reverse(), values: new Set([...forward].filter((value) => backward.has(value))) };
}

/** Gives the nodes that the end depends on, but that are on no path, the segment of their first reader. */
function addSideNodes({ nodes }: Graph, to: Value, segments: Map<Node, number>): void {
  const first = new Map<Value, number>([[to, Number.POSITIVE_INFINITY]]);
  for (const node of nodes.toReversed()) {
    const segment =
      segments.get(node) ?? Math.min(...node.outputs.map((value) => first.get(value) ?? Number.POSITIVE_INFINITY));
    if (segment === Number.POSITIVE_INFINITY) continue;
    segments.set(node, segment);
    for (const value of usedBy(node)) first.set(value, Math.min(segment, first.get(value) ?? segment));
  }
}
