/** Says before anything runs whether a loss can be differentiated, and if not, every reason at once. */
import { listed, RootstockError } from "../errors.ts";
import { describeNode, type Graph, type Node, type Shape, type Value } from "../graph/graph.ts";
import type { VjpRule } from "./rule.ts";
import { VJP_RULES } from "./rules/table.ts";

/** Rules by operator name; a name outside ONNX's own domain is written "domain.Op". */
export type RuleTable = Readonly<Record<string, VjpRule | undefined>>;

/** A node on the way from a parameter to the loss that cannot be differentiated. */
export interface Obstacle {
  readonly node: Node;
  readonly reason: string;
}

/** The built-in rules as a table that can be extended: `{ ...BUILT_IN_RULES, MyOp: rule }`. */
export const BUILT_IN_RULES: RuleTable = VJP_RULES as RuleTable; // every Vjps<…> is called only with its own inputs

/** The rule for a node, if there is one. */
export function ruleOf(node: Node, rules: RuleTable): VjpRule | undefined {
  const key = node.domain === "" ? node.op : `${node.domain}.${node.op}`;
  return Object.hasOwn(rules, key) ? rules[key] : undefined;
}

/** The nodes through which gradients flow: those that depend on a parameter and that the loss depends on. */
export function gradientPath(
  graph: Graph,
  of: Value,
  parameters: readonly Value[],
): { nodes: Node[]; values: Set<Value> } {
  const forward = new Set(parameters);
  for (const node of graph.nodes) {
    if (node.inputs.some((value) => forward.has(value))) for (const output of node.outputs) forward.add(output);
  }
  const backward = new Set([of]);
  const nodes = graph.nodes.toReversed().filter((node) => {
    const leads = node.outputs.some((value) => backward.has(value)) && node.outputs.some((value) => forward.has(value));
    if (leads) for (const input of node.inputs) if (forward.has(input)) backward.add(input);
    return leads;
  });
  return { nodes, values: new Set([...backward].filter((value) => forward.has(value))) };
}

/** Lists every node between the parameters and the loss that has no rule, or a form that its rule does not cover. */
export function obstacles(
  nodes: readonly Node[],
  values: ReadonlySet<Value>,
  rules: RuleTable,
  shapeOf: (value: Value) => Shape | undefined,
): Obstacle[] {
  return nodes.flatMap((node) => {
    const found = ruleOf(node, rules);
    if (!found) return [{ node, reason: "no gradient rule" }];
    const reason = found.unsupported?.(node, shapeOf) ?? unknownShape(node, values, shapeOf);
    return reason === undefined ? [] : [{ node, reason }];
  });
}

/** @throws RootstockError NOT_DIFFERENTIABLE naming every obstacle and what to freeze, unless there is none. */
export function assertDifferentiable(found: readonly Obstacle[], total: number, of: Value): void {
  if (found.length === 0) return;
  const lines = found.map(({ node, reason }) => `${describeNode(node)} (${reason})`);
  const last = found[0]!.node; // nodes are visited from the loss backwards
  throw new RootstockError(
    "NOT_DIFFERENTIABLE",
    `cannot differentiate ${found.length} of ${total} nodes between the parameters and "${of}": ${listed(lines, 10)}. ` +
      `Freeze everything up to and including "${last.name}", or pass a rule for the operator.`,
  );
}

function unknownShape(
  node: Node,
  values: ReadonlySet<Value>,
  shapeOf: (value: Value) => Shape | undefined,
): string | undefined {
  const value = [...node.inputs, ...node.outputs].find((name) => values.has(name) && shapeOf(name) === undefined);
  return value === undefined ? undefined : `the rank of "${value}" is unknown`;
}
