/** Raises a graph to the internal opset, so that every later pass knows one form of each operator. */
import { listed, RootstockError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Attribute } from "./attributes.ts";
import { foldConstants } from "./fold.ts";
import { describeNode, type Graph, INTERNAL_OPSET, type Node, type Value, type ValueType } from "./graph.ts";
import { inferTypes } from "./infer-types.ts";
import { consumersOf } from "./traverse.ts";
import { UPGRADES, type UpgradeContext } from "./upgrade-rules.ts";

/** The oldest opset whose element-wise operators broadcast as in numpy. */
const OLDEST_OPSET = 7;

/**
 * The same graph in INTERNAL_OPSET; a graph of a newer opset is returned as it is.
 * Values keep their names, and the graph computes the same numbers.
 * @throws RootstockError UNSUPPORTED_OP if the opset is older than 7, or for all nodes at once that have no counterpart.
 */
export function upgradeOpset(graph: Graph): Graph {
  const opset = graph.opsets.get("") ?? (graph.nodes.some(({ domain }) => domain === "") ? 1 : INTERNAL_OPSET);
  const opsets = new Map([...graph.opsets, ["", Math.max(opset, INTERNAL_OPSET)] as const]);
  if (opset >= INTERNAL_OPSET) return { ...graph, opsets };
  if (opset < OLDEST_OPSET) {
    throw new RootstockError(
      "UNSUPPORTED_OP",
      `the model requires opset ${OLDEST_OPSET} or later, got ${opset}. Export it again with opset ${INTERNAL_OPSET}.`,
    );
  }
  return { ...upgradeNodes(foldConstants(graph), opset), opsets };
}

function upgradeNodes(graph: Graph, opset: number): Graph {
  const initializers = new Map(graph.initializers);
  const refused = new Map<string, string[]>();
  const u = upgradeContext(graph, initializers, (node, reason) => {
    refused.set(describeNode(node), [...(refused.get(describeNode(node)) ?? []), reason]);
  });
  const nodes = graph.nodes.flatMap((node) => {
    if (Object.values(node.attributes).some(isSubgraph)) u.refuse(node, "has a subgraph");
    const upgrades = node.domain === "" && Object.hasOwn(UPGRADES, node.op) ? UPGRADES[node.op]! : [];
    let parts: readonly Node[] = [node];
    for (const { before, apply } of upgrades) {
      if (opset < before) parts = parts.flatMap((part) => (part.op === node.op ? apply(part, u) : [part]));
    }
    return parts;
  });
  if (refused.size > 0) {
    const offenders = [...refused].map(([node, reasons]) => `${node} (${reasons.join("; ")})`);
    throw new RootstockError(
      "UNSUPPORTED_OP",
      `cannot raise ${refused.size} of ${graph.nodes.length} nodes from opset ${opset} to ${INTERNAL_OPSET}: ${listed(offenders, 20)}. Export the model again with opset ${INTERNAL_OPSET}.`,
    );
  }
  return { ...graph, nodes, initializers };
}

/** ONNX's numbers for attributes that hold a graph, or several. */
const SUBGRAPH_KINDS: readonly number[] = [5, 10];

function isSubgraph(attribute: Attribute): boolean {
  return (
    attribute.kind === "opaque" && (attribute.value.g !== undefined || SUBGRAPH_KINDS.includes(attribute.value.type))
  );
}

function upgradeContext(
  graph: Graph,
  initializers: Map<Value, Tensor>,
  refuse: UpgradeContext["refuse"],
): UpgradeContext {
  const taken = new Set([
    ...graph.inputs.map(({ name }) => name),
    ...initializers.keys(),
    ...graph.nodes.flatMap(({ name, outputs }) => [name, ...outputs]),
  ]);
  const used = new Set([...consumersOf(graph.nodes).keys(), ...graph.outputs.map(({ name }) => name)]);
  let types: Map<Value, ValueType> | undefined;
  const fresh = (node: Node, hint: string): Value => {
    const base = `${node.name}_${hint}`;
    let name = base;
    for (let i = 2; taken.has(name); i++) name = `${base}_${i}`;
    taken.add(name);
    return name;
  };
  return {
    fresh,
    refuse,
    isUsed: (value) => used.has(value),
    tensor: (value) => initializers.get(value),
    typeOf: (value) => {
      types ??= inferTypes(graph);
      return types.get(value);
    },
    constant: (node, hint, tensor) => {
      const name = fresh(node, hint);
      initializers.set(name, tensor);
      return name;
    },
  };
}
