/** What a call of `gradient` has to be, whatever its types said: checked once, before anything is computed. */
import { RootstockError } from "../errors.ts";
import { describeNode, type Graph, type Node, operatorKey } from "../graph/graph.ts";
import { checkGraph, described } from "../graph/validate.ts";
import type { OpInputs } from "./rule.ts";
import { VJP_RULES } from "./rules/table.ts";

/** How many of an operator's last formal inputs may be left out, by its ONNX page; none where it is not listed. */
const OPTIONAL: Readonly<Partial<Record<keyof OpInputs, number>>> = {
  Clip: 2,
  Conv: 1,
  ConvTranspose: 1,
  Dropout: 2,
  Gemm: 1,
  LayerNormalization: 1,
  NegativeLogLikelihoodLoss: 1,
  NonMaxSuppression: 3,
  Pad: 2,
  ReduceL1: 1,
  ReduceL2: 1,
  ReduceLogSum: 1,
  ReduceLogSumExp: 1,
  ReduceMax: 1,
  ReduceMean: 1,
  ReduceMin: 1,
  ReduceProd: 1,
  ReduceSum: 1,
  ReduceSumSquare: 1,
  Resize: 3,
  Slice: 2,
  SoftmaxCrossEntropyLoss: 1,
  Split: 1,
  Squeeze: 1,
  Trilu: 1,
  "com.microsoft.FastGelu": 1,
};

/**
 * Checks the graph and the names of a call.
 * @throws RootstockError BAD_MODEL for what is no graph, or a node with a wrong number of inputs; BAD_CONFIG for options
 * of another kind.
 */
export function checkRequest(graph: Graph, options: { readonly of: unknown; readonly with: unknown }): void {
  checkGraph(graph, "gradient");
  for (const node of graph.nodes) checkArity(node);
  if (typeof options !== "object" || options === null)
    throw wrong('options such as { of: "loss", with: ["weight"] }', options);
  if (typeof options.of !== "string") throw wrong('the option of, the name of the loss such as "loss"', options.of);
  const { with: parameters } = options;
  if (!Array.isArray(parameters) || !parameters.every((name) => typeof name === "string"))
    throw wrong('the option with, a list of names such as ["weight"]', parameters);
}

/** Operators with a rule have a known number of inputs, and the rules rely on the required ones. */
function checkArity(node: Node): void {
  const op = operatorKey(node);
  if (!isKnown(op)) return;
  const { inputs, variadic } = VJP_RULES[op];
  const names = Object.keys(inputs);
  const missing = names.slice(0, names.length - (OPTIONAL[op] ?? 0)).findIndex((_, i) => !node.inputs[i]);
  if (missing < 0 && (variadic || node.inputs.length <= names.length)) return;
  const fault = missing < 0 ? `${node.inputs.length} inputs` : `no input ${names[missing]}`;
  const wanted = variadic ? "any number of inputs" : names.length === 1 ? "one input" : `${names.length} inputs`;
  const optional = OPTIONAL[op] ? `, the last ${OPTIONAL[op]} of them optional` : "";
  throw new RootstockError(
    "BAD_MODEL",
    `${describeNode(node)} requires ${wanted} (${names.join(", ")})${optional}, got ${fault}: [${node.inputs.map((name) => JSON.stringify(name)).join(", ")}].`,
  );
}

function isKnown(op: string): op is keyof OpInputs {
  return Object.hasOwn(VJP_RULES, op);
}

function wrong(required: string, got: unknown): RootstockError {
  return new RootstockError("BAD_CONFIG", `gradient requires ${required}, got ${described(got)}.`);
}
