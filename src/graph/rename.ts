/** Renames values of a graph, so that others can be added to it under names of their choice. */
import { RootstockError } from "../errors.ts";
import { describeNode, type Graph, type Value, type ValueInfo } from "./graph.ts";
import { usedBy } from "./traverse.ts";

/** A graph with other names, and how its values were renamed. */
export interface Renamed {
  readonly graph: Graph;
  /** What a value of the original graph is called in the new one. */
  readonly renamed: (value: Value) => Value;
}

/**
 * The same graph with no value of these names: inputs, initializers and computed values that have one get a prefix.
 * @throws RootstockError BAD_MODEL if a subgraph reads such a value, since files keep subgraphs as they are.
 */
export function withoutNames(graph: Graph, names: Iterable<Value>, prefix: string): Renamed {
  const used = new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
  const aliases = new Map<Value, Value>();
  for (const name of names) {
    if (!used.has(name)) continue;
    let alias = `${prefix}${name}`;
    while (used.has(alias)) alias = `${prefix}${alias}`;
    aliases.set(name, alias);
    used.add(alias);
  }
  const renamed = (value: Value): Value => aliases.get(value) ?? value;
  if (aliases.size === 0) return { graph, renamed };
  for (const node of graph.nodes) {
    const captured = usedBy({ ...node, inputs: [] }).find((value) => aliases.has(value));
    if (captured !== undefined)
      throw new RootstockError(
        "BAD_MODEL",
        `the subgraph of ${describeNode(node)} reads "${captured}", a name that Rootstock gives to a value of its own. Rename that value in the file.`,
      );
  }
  const info = (value: ValueInfo): ValueInfo => ({ ...value, name: renamed(value.name) });
  return {
    renamed,
    graph: {
      ...graph,
      inputs: graph.inputs.map(info),
      outputs: graph.outputs.map(info),
      nodes: graph.nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(renamed),
        outputs: node.outputs.map(renamed),
      })),
      initializers: new Map([...graph.initializers].map(([name, tensor]) => [renamed(name), tensor])),
    },
  };
}
