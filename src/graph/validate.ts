/** Whether a graph is one: files, and callers without types, can hold anything. */
import { listed, RootstockError } from "../errors.ts";
import { ARRAYS } from "../tensor/dtype.ts";
import { describeNode, type Graph, INTERNAL_OPSET, type Node, type Value } from "./graph.ts";
import { nearest } from "./nearest.ts";
import { producersOf, sortNodes, usedBy } from "./traverse.ts";

/**
 * Checks in one pass that every value is defined once, before it is read, and that every output is computed.
 * @param where what the graph is called in messages, such as the name of its file.
 * @throws RootstockError BAD_MODEL naming the node and the value.
 */
export function checkValues(graph: Pick<Graph, "inputs" | "outputs" | "nodes" | "initializers">, where: string): void {
  const origin = new Map<Value, string>();
  const define = (value: Value, by: string): void => {
    const earlier = origin.get(value);
    if (earlier !== undefined) throw bad(where, `"${value}" is defined twice: as ${earlier} and as ${by}`);
    origin.set(value, by);
  };
  for (const name of graph.initializers.keys()) define(name, "an initializer");
  for (const { name } of graph.inputs) define(name, "an input of the graph");
  for (const node of graph.nodes) {
    const unknown = usedBy(node).find((value) => !origin.has(value));
    if (unknown !== undefined) throw unreadable(graph, node, unknown, { where, defined: [...origin.keys()] });
    for (const value of node.outputs) if (value !== "") define(value, `an output of ${describeNode(node)}`);
  }
  const missing = graph.outputs.find(({ name }) => !origin.has(name));
  if (missing)
    throw bad(where, `the output "${missing.name}" is never computed${suggestion(missing.name, [...origin.keys()])}`);
}

/**
 * Checks that a value is a graph at all, whatever the types of the caller said, and then as `checkValues` does.
 * @throws RootstockError BAD_MODEL naming the part that is not as required.
 */
export function checkGraph(graph: Graph, where: string): void {
  const given: unknown = graph;
  if (typeof given !== "object" || given === null) throw bad(where, `required is a graph, got ${described(given)}`);
  for (const part of ["inputs", "outputs", "nodes"] as const)
    if (!Array.isArray(graph[part])) throw bad(where, `${part} requires a list, got ${described(graph[part])}`);
  for (const part of ["initializers", "opsets"] as const)
    if (!(graph[part] instanceof Map)) throw bad(where, `${part} requires a Map, got ${described(graph[part])}`);
  for (const info of [...graph.inputs, ...graph.outputs]) checkInfo(info, where);
  graph.nodes.forEach((node, i) => {
    checkNode(node, i, where);
  });
  const opset = graph.opsets.get("");
  if (opset !== undefined && !(opset >= INTERNAL_OPSET))
    throw bad(
      where,
      `opset ${INTERNAL_OPSET} or later is required, got ${opset}. Load the file with loadGraph, which upgrades it`,
    );
  checkValues(graph, where);
}

function checkInfo(info: Graph["inputs"][number], where: string): void {
  if (typeof info?.name !== "string" || info.name === "") throw bad(where, "inputs and outputs require a name");
  if (!Object.hasOwn(ARRAYS, info.dtype))
    throw bad(
      where,
      `"${info.name}" requires a dtype out of ${Object.keys(ARRAYS).join(", ")}, got ${String(info.dtype)}`,
    );
  const isDim = (dim: unknown): boolean => typeof dim === "string" || (Number.isSafeInteger(dim) && Number(dim) >= 0);
  if (info.shape !== undefined && !(Array.isArray(info.shape) && info.shape.every(isDim)))
    throw bad(where, `"${info.name}" requires a shape of whole numbers and names, got ${described(info.shape)}`);
}

function checkNode(node: Node, index: number, where: string): void {
  if (typeof node !== "object" || node === null) throw bad(where, `node ${index} requires an object`);
  const call = `node ${index} (${String(node.op)} "${String(node.name)}")`;
  for (const part of ["op", "name", "domain"] as const)
    if (typeof node[part] !== "string" || (node[part] === "" && part !== "domain"))
      throw bad(where, `${call} requires a text as ${part}, got ${described(node[part])}`);
  for (const part of ["inputs", "outputs"] as const) {
    const list: readonly unknown[] = node[part];
    if (!Array.isArray(list) || !list.every((value) => typeof value === "string"))
      throw bad(where, `${call} requires a list of names as ${part}, got ${described(list)}`);
  }
  if (typeof node.attributes !== "object" || node.attributes === null)
    throw bad(where, `${call} requires attributes, an object, got ${described(node.attributes)}`);
  if (node.outputs.every((value) => value === "")) throw bad(where, `${call} requires an output, got none`);
}

/** The error for a node that reads what is not there: never defined, or only later. */
function unreadable(
  { nodes }: Pick<Graph, "nodes">,
  node: Node,
  value: Value,
  { where, defined }: { readonly where: string; readonly defined: readonly Value[] },
): RootstockError {
  const producer = producersOf(nodes).get(value);
  if (!producer)
    return bad(where, `${describeNode(node)} reads "${value}", which nothing defines${suggestion(value, defined)}`);
  if (producer === node) return bad(where, `${describeNode(node)} reads its own output "${value}"`);
  sortNodes(nodes); // throws where no order would help
  return bad(
    where,
    `${describeNode(node)} reads "${value}", which ${describeNode(producer)} computes only after it. List each node after those whose outputs it reads`,
  );
}

/** As many names are compared: what a file can hold must not take minutes. */
const COMPARED_NAMES = 10_000;

/** ". Did you mean …" where names are like the one that is missing. */
export function suggestion(name: string, names: readonly string[]): string {
  const near = nearest(name, names.slice(0, COMPARED_NAMES)).slice(0, 3);
  return near.length === 0 ? "" : `. Did you mean ${near.map((other) => `"${other}"`).join(" or ")}?`;
}

/** Any value, for messages: as it is written where it is short, else its type. */
export function described(value: unknown): string {
  if (Array.isArray(value)) return `[${listed(value.slice(0, 20).map(described))}]`;
  if (typeof value === "string") return JSON.stringify(value.slice(0, 100));
  if (value === null || value === undefined || ["number", "bigint", "boolean"].includes(typeof value))
    return String(value);
  return typeof value === "function" ? "a function" : "an object";
}

function bad(where: string, what: string): RootstockError {
  return new RootstockError("BAD_MODEL", `${where}: ${what}${what.endsWith("?") ? "" : "."}`);
}
