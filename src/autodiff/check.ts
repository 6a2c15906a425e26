/** Says before anything runs whether a loss can be differentiated, and if not, every reason at once. */
import { listed, RootstockError } from "../errors.ts";
import { describeNode, type Graph, type Node, operatorKey, type Shape, type Value } from "../graph/graph.ts";
import { usedBy } from "../graph/traverse.ts";
import type { ConstantOf, Vjp, VjpRule } from "./rule.ts";
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
  const key = operatorKey(node);
  return Object.hasOwn(rules, key) ? rules[key] : undefined;
}

/** The function of a rule for the input at a position: null if it carries no gradient, undefined if there is no entry. */
export function vjpAt(rule: VjpRule | undefined, position: number): Vjp<string> | null | undefined {
  const vjps = Object.values(rule?.inputs ?? {}) as (Vjp<string> | null)[]; // each vjp reads its own formal names of x
  return rule?.variadic ? vjps[Math.min(position, vjps.length - 1)] : vjps[position];
}

/**
 * The nodes through which gradients flow: those that depend on a parameter and that the loss depends on. Inputs that
 * carry no gradient by their rule, such as the shape of Reshape, are no way.
 */
export function gradientPath(
  graph: Graph,
  of: Value,
  parameters: readonly Value[],
  rules: RuleTable,
): { nodes: Node[]; values: Set<Value> } {
  const forward = new Set(parameters);
  const carriers = (node: Node): Value[] => carryingInputs(node, rules).filter((value) => forward.has(value));
  for (const node of graph.nodes) {
    if (carriers(node).length > 0) for (const output of node.outputs) forward.add(output);
  }
  const backward = new Set([of]);
  const nodes = graph.nodes.toReversed().filter((node) => {
    const inputs = carriers(node);
    const leads = inputs.length > 0 && node.outputs.some((value) => backward.has(value));
    if (leads) for (const input of inputs) backward.add(input);
    return leads;
  });
  return { nodes, values: new Set([...backward].filter((value) => forward.has(value))) };
}

/**
 * Lists every node between the parameters and the loss that has no rule, or a form that its rule does not cover. Values
 * of unknown rank are named only where there is nothing else: they follow from operators without a rule.
 */
export function obstacles(
  nodes: readonly Node[],
  values: ReadonlySet<Value>,
  rules: RuleTable,
  shapeOf: (value: Value) => Shape | undefined,
  constantOf: ConstantOf = () => undefined,
): Obstacle[] {
  const list = (reasonFor: (node: Node) => string | undefined): Obstacle[] =>
    nodes.flatMap((node) => {
      const reason = reasonFor(node);
      return reason === undefined ? [] : [{ node, reason }];
    });
  const found = list((node) => {
    const rule = ruleOf(node, rules);
    return rule
      ? (rule.unsupported?.(node, shapeOf, constantOf) ?? uncovered(node, values, rules))
      : "no gradient rule";
  });
  return found.length > 0 ? found : list((node) => unknownShape(node, values, shapeOf));
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

/** The inputs that gradients may flow through: all that a node reads, less those that its rule answers with null. */
function carryingInputs(node: Node, rules: RuleTable): Value[] {
  const rule = ruleOf(node, rules);
  const used = usedBy(node); // "" is left out
  const captured = used.slice(node.inputs.filter((value) => value !== "").length);
  return [...node.inputs.filter((value, i) => value !== "" && vjpAt(rule, i) !== null), ...captured];
}

/** Gradients that no rule can carry: those of a second output, of an input without a formal name, of a captured value. */
function uncovered(node: Node, values: ReadonlySet<Value>, rules: RuleTable): string | undefined {
  const rule = ruleOf(node, rules);
  const output = rule?.outputs === "all" ? undefined : node.outputs.slice(1).find((value) => values.has(value));
  if (output !== undefined) return `the loss depends on its further output "${output}"`;
  const input = carryingInputs(node, rules).find(
    (value) => values.has(value) && !node.inputs.some((name, i) => name === value && vjpAt(rule, i)),
  );
  return input === undefined ? undefined : `its rule has no entry for "${input}"`;
}

function unknownShape(
  node: Node,
  values: ReadonlySet<Value>,
  shapeOf: (value: Value) => Shape | undefined,
): string | undefined {
  const value = [...node.inputs, ...node.outputs].find((name) => values.has(name) && shapeOf(name) === undefined);
  return value === undefined ? undefined : `the rank of "${value}" is unknown`;
}
