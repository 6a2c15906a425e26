/**
 * Trades time for memory: of the forward pass only a few values are kept, and the rest is computed again when the
 * backward pass gets there (Chen et al. 2016, arXiv:1604.06174).
 */
import { invariant } from "../errors.ts";
import { intOf } from "../graph/attributes.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { RANDOM_OPS } from "../graph/deduplicate.ts";
import type { Graph, Node, Value } from "../graph/graph.ts";
import { producersOf, usedBy } from "../graph/traverse.ts";

export interface RecomputeOptions {
  /** How many of the graph's nodes, from the first, are the forward pass. */
  readonly forward: number;
  /**
   * The values to keep, in graph order: every path of the forward pass from one stretch to the next leads through them.
   */
  readonly checkpoints: readonly Value[];
  /** The values that the samples come in by: stretches before the first checkpoint start from them. */
  readonly inputs: readonly Value[];
}

/**
 * A differentiated graph that gives the same and keeps, of the stretches between checkpoints, only the last: the nodes of
 * the others run a second time, each stretch just before the first node of the backward pass that reads it. Lowered node
 * by node the results have the same bits; a lowering that joins operators may join them otherwise, and round otherwise.
 */
export function recompute(graph: Graph, { forward, checkpoints, inputs }: RecomputeOptions): Graph {
  const stretchOf = stretches(graph.nodes.slice(0, forward), checkpoints);
  const producers = producersOf(graph.nodes.slice(0, forward));
  const random = graph.nodes.filter(({ op }) => RANDOM_OPS.has(op)).flatMap(({ outputs }) => outputs);
  const kept = new Set<Value>([...checkpoints, ...inputs, ...random]);
  const last = checkpoints.length;
  const made = new Set(graph.nodes.slice(forward).flatMap(({ outputs }) => outputs));

  const b = new GraphBuilder(graph.name, { ...graph, nodes: [] });
  b.reserveNodes(graph.nodes);
  for (const node of graph.nodes.slice(0, forward)) b.node(node);
  const again = new Map<Value, Value>();
  let latest: Value | undefined; // a value of the backward pass: what comes after it cannot run before
  /** The value computed a second time, with what it needs of its stretch. */
  const repeat = (value: Value, after: Value): Value => {
    const known = again.get(value);
    if (known !== undefined) return known;
    const copy = kept.has(value) ? lateCopy(b, value, after) : undefined;
    const node = copy === undefined ? producers.get(value) : undefined;
    if (copy !== undefined) again.set(value, copy);
    else if (node)
      for (const [output, name] of repeatNode(b, ownStatistics(b, node, graph), (input) => repeat(input, after)))
        again.set(output, name);
    return again.get(value) ?? value; // parameters and constants are there anyway
  };
  let stretch = last;
  for (const node of graph.nodes.slice(forward)) {
    const own = usedBy(node).map((value) => stretchOf.get(value) ?? last);
    const earliest = Math.min(last, ...own);
    if (earliest < stretch) {
      stretch = earliest;
      for (const value of kept) again.delete(value); // each stretch starts from a copy of its own
    }
    const after = node.inputs.find((value) => made.has(value)) ?? latest;
    const read = (value: Value): Value => {
      const index = stretchOf.get(value);
      return index === undefined || index >= last || kept.has(value) || after === undefined
        ? value
        : repeat(value, after);
    };
    b.node({ ...node, inputs: node.inputs.map(read) });
    latest = node.outputs.find((value) => value !== "") ?? latest;
  }
  return b.build(graph.outputs);
}

/** For each computed value of the forward pass, the number of checkpoints before it. */
function stretches(nodes: readonly Node[], checkpoints: readonly Value[]): Map<Value, number> {
  const starts = new Map(checkpoints.map((value, i) => [value, i + 1]));
  const found = new Map<Value, number>();
  for (const node of nodes) {
    const index = Math.max(0, ...usedBy(node).map((value) => starts.get(value) ?? found.get(value) ?? 0));
    for (const output of node.outputs) found.set(output, index);
  }
  return found;
}

/**
 * The same value, but not before `after` is there: Reshape to its own shape, plus zero times a shape that depends on it.
 * A runtime does not copy anything for it.
 */
function lateCopy(b: GraphBuilder, value: Value, after: Value): Value {
  const rank = b.op("Size", [b.op("Shape", [after])]); // whole numbers, so zero times them is zero
  const nothing = b.mul(rank, b.ints([0]));
  return b.reshape(value, b.add(b.op("Shape", [value]), nothing));
}

/** A BatchNormalization of training with statistics that no other node reads: the runtime may write over them. */
function ownStatistics(b: GraphBuilder, node: Node, { initializers }: Graph): Node {
  if (node.op !== "BatchNormalization" || intOf(node, "training_mode", 0) !== 1) return node;
  const inputs = node.inputs.map((value, i) => {
    const tensor = i < 3 ? undefined : initializers.get(value);
    return tensor ? b.constant(tensor, value) : value;
  });
  return { ...node, inputs };
}

/** Emits a node once more under fresh names; pairs of its outputs and theirs. */
function repeatNode(b: GraphBuilder, node: Node, now: (value: Value) => Value): [Value, Value][] {
  invariant(
    usedBy({ ...node, inputs: [] }).length === 0,
    () => `"${node.name}" has a subgraph and cannot be computed twice`,
  );
  const inputs = node.inputs.map((value) => (value === "" ? "" : now(value)));
  const names = b.ops(node.op, inputs, node.outputs.length, node.attributes, `${node.name}.again`, node.domain);
  return node.outputs.flatMap((output, i): [Value, Value][] => (output === "" ? [] : [[output, names[i]!]]));
}
