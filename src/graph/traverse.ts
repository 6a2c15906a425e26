/** Walking a graph: who makes a value, who uses it, in which order, and what lies between two sets of values. */
import { listed, RootstockError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Graph, Node, Value, ValueInfo } from "./graph.ts";

/** Every value a node reads: its inputs, and what its subgraphs capture. Absent inputs are left out. */
export function usedBy(node: Node): Value[] {
  const captured = Object.values(node.attributes).flatMap((a) => (a.kind === "opaque" ? a.captures : []));
  return [...node.inputs.filter((name) => name !== ""), ...captured];
}

/** The node that computes each value; graph inputs and initializers have none. */
export function producersOf(nodes: readonly Node[]): Map<Value, Node> {
  return new Map(
    nodes.flatMap((node) => node.outputs.filter((name) => name !== "").map((name) => [name, node] as const)),
  );
}

/** The nodes that read each value, in graph order. */
export function consumersOf(nodes: readonly Node[]): Map<Value, Node[]> {
  const consumers = new Map<Value, Node[]>();
  for (const node of nodes) {
    for (const value of new Set(usedBy(node))) {
      const users = consumers.get(value);
      if (users) users.push(node);
      else consumers.set(value, [node]);
    }
  }
  return consumers;
}

/**
 * Orders nodes so that each comes after the nodes whose outputs it reads; otherwise the given order is kept.
 * @throws RootstockError BAD_MODEL on a cycle.
 */
export function sortNodes(nodes: readonly Node[]): Node[] {
  const producers = producersOf(nodes);
  const state = new Map<Node, "open" | "done">();
  const sorted: Node[] = [];
  for (const root of nodes) {
    const stack = [root]; // an explicit stack: graphs are deeper than the call stack
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      if (state.get(node) === "done") {
        stack.pop();
        continue;
      }
      state.set(node, "open");
      const waiting = usedBy(node)
        .map((value) => producers.get(value))
        .filter((n): n is Node => !!n && state.get(n) !== "done");
      if (waiting.length === 0) {
        state.set(node, "done");
        sorted.push(node);
        stack.pop();
      } else {
        const cycle = waiting.find((n) => state.get(n) === "open");
        if (cycle)
          throw new RootstockError("BAD_MODEL", `the graph has a cycle through "${node.name}" and "${cycle.name}".`);
        stack.push(...waiting);
      }
    }
  }
  return sorted;
}

/** The nodes and initializers that `outputs` depend on, stopping at `inputs`. */
export function reachable(
  graph: Graph,
  outputs: readonly Value[],
  inputs: readonly Value[] = [],
): Pick<Graph, "nodes" | "initializers"> {
  const producers = producersOf(graph.nodes);
  const stop = new Set(inputs);
  const seen = new Set<Value>();
  const kept = new Set<Node>();
  const pending = [...outputs];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (seen.has(value) || stop.has(value)) continue;
    seen.add(value);
    const node = producers.get(value);
    if (node && !kept.has(node)) {
      kept.add(node);
      pending.push(...usedBy(node));
    }
  }
  const initializers = new Map<Value, Tensor>();
  for (const [name, value] of graph.initializers) if (seen.has(name)) initializers.set(name, value);
  return { nodes: graph.nodes.filter((node) => kept.has(node)), initializers };
}

/** The same graph without the nodes, initializers and inputs that no output depends on. `keepInputs` keeps all inputs. */
export function prune(graph: Graph, { keepInputs = true }: { readonly keepInputs?: boolean | undefined } = {}): Graph {
  const parts = reachable(
    graph,
    graph.outputs.map(({ name }) => name),
  );
  if (keepInputs) return { ...graph, ...parts };
  const used = new Set([...parts.nodes.flatMap(usedBy), ...graph.outputs.map(({ name }) => name)]);
  return { ...graph, ...parts, inputs: graph.inputs.filter(({ name }) => used.has(name)) };
}

/**
 * The part of a graph that computes `outputs` from `inputs`.
 * @throws RootstockError BAD_MODEL if an output is unknown, or depends on a graph input that is not among `inputs`.
 */
export function subgraph(graph: Graph, inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]): Graph {
  const names = inputs.map(({ name }) => name);
  const parts = reachable(
    graph,
    outputs.map(({ name }) => name),
    names,
  );
  const known = new Set([...names, ...parts.initializers.keys(), ...parts.nodes.flatMap((node) => node.outputs)]);
  const missing = [...parts.nodes.flatMap(usedBy), ...outputs.map(({ name }) => name)].filter(
    (name) => !known.has(name),
  );
  if (missing.length > 0) {
    const wanted = `${listed(outputs.map(({ name }) => `"${name}"`))} from ${listed(names.map((name) => `"${name}"`))}`;
    throw new RootstockError(
      "BAD_MODEL",
      `cannot compute ${wanted}: ${listed([...new Set(missing)])} would be undefined.`,
    );
  }
  return { ...graph, ...parts, inputs, outputs };
}
