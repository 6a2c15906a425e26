/** The learned parameters of a network: which constants of a graph training may change, and what they are. */
import { type Graph, type Node, operatorKey, type Value } from "../graph/graph.ts";
import { producersOf, usedBy } from "../graph/traverse.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What a parameter does: the names are those of its place in the operator that reads it. */
export type ParameterKind = "weight" | "bias" | "scale" | "shift" | "embedding" | "other";

/** One learned parameter. */
export interface ParameterInfo {
  readonly name: Value;
  readonly kind: ParameterKind;
  readonly shape: readonly number[];
  /** The node that reads it, the first of them if there are several. */
  readonly node: Node;
}

/** The learned inputs of operators that have them by definition, by position. */
const SLOTS: Readonly<Record<string, readonly (ParameterKind | undefined)[]>> = {
  BatchNormalization: [undefined, "scale", "shift"],
  "com.microsoft.BiasGelu": [undefined, "bias"],
  "com.microsoft.FastGelu": [undefined, "bias"],
  Conv: [undefined, "weight", "bias"],
  ConvTranspose: [undefined, "weight", "bias"],
  Gemm: ["weight", "weight", "bias"],
  GroupNormalization: [undefined, "scale", "shift"],
  InstanceNormalization: [undefined, "scale", "shift"],
  LayerNormalization: [undefined, "scale", "shift"],
  MatMul: ["weight", "weight"],
  PRelu: [undefined, "other"],
  RMSNormalization: [undefined, "scale"],
};

/** Operators whose products an added constant is the bias of. */
const WEIGHTED = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul"]);

/** Operators that only move elements: a constant added behind them belongs to what is before them. */
const MOVES = new Set(["Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"]);

/** Operators through which a constant that is part of the data, such as a class token, enters: those that repeat it, */
const REPEATS = new Set(["Expand", "Gather", "Tile"]);
/** and those that put it beside other data. */
const JOINS = new Set(["Concat", "Where"]);

/**
 * The float32 initializers of a graph that are learned parameters, in graph order. Not learned are scalars, the
 * statistics of normalizations, masks, grids of coordinates, and constants between the image and the first layer with
 * weights (preprocessing). A parameter that reaches its operator through other constants is found behind them.
 */
export function parametersOf(graph: Graph): ParameterInfo[] {
  const constant = constantValues(graph);
  const producers = producersOf(graph.nodes);
  const found = new Map<Value, ParameterInfo>();
  const learned = new Set<Value>(); // values behind an operator with weights
  for (const node of graph.nodes) {
    if (node.outputs.every((value) => constant.has(value))) continue;
    const behind = slotsOf(node) !== undefined || usedBy(node).some((value) => learned.has(value));
    if (behind) for (const value of node.outputs) learned.add(value);
    const own = node.inputs.flatMap((value, i) =>
      constant.has(value) ? learnedInput(node, i, { behind, graph, producers }) : [],
    );
    for (const info of own) if (!found.has(info.name)) found.set(info.name, info);
  }
  return [...found.values()];
}

function slotsOf(node: Node): readonly (ParameterKind | undefined)[] | undefined {
  const key = operatorKey(node);
  return Object.hasOwn(SLOTS, key) ? SLOTS[key] : undefined;
}

interface Around {
  /** Whether the node has weights, or comes after a node that has. */
  readonly behind: boolean;
  readonly graph: Graph;
  readonly producers: ReadonlyMap<Value, Node>;
}

/** The parameters behind a constant input of a node that works on data. */
function learnedInput(node: Node, index: number, around: Around): ParameterInfo[] {
  const kind = kindOf(node, index, around);
  if (kind === undefined) return [];
  const sources = learnedSources(node.inputs[index]!, around.graph, around.producers);
  return sources.map(([name, { shape }]) => ({ name, kind, shape, node }));
}

function kindOf(node: Node, index: number, { behind, graph, producers }: Around): ParameterKind | undefined {
  const slots = slotsOf(node);
  if (slots) return slots[index];
  if (node.domain !== "" || !(behind || (index === 0 && REPEATS.has(node.op)))) return undefined;
  return operandKind(node, node.inputs[index]!, graph, producers);
}

/** The kind of a constant operand of a node without learned inputs by definition. */
function operandKind(
  node: Node,
  value: Value,
  graph: Graph,
  producers: ReadonlyMap<Value, Node>,
): ParameterKind | undefined {
  const tensor = graph.initializers.get(value);
  if (tensor && (isMask(tensor) || isGrid(tensor))) return undefined;
  if (REPEATS.has(node.op)) return "embedding";
  if (JOINS.has(node.op)) return tensor && isUniform(tensor) ? undefined : "embedding";
  if (node.op === "Mul" || node.op === "Div") return "scale";
  if (node.op !== "Add" && node.op !== "Sub") return undefined;
  if (tensor && tensor.shape.filter((size) => size > 1).length > 1) return "embedding"; // of positions
  let before = producers.get(node.inputs.find((name) => name !== value) ?? "");
  while (before && MOVES.has(before.op)) before = producers.get(before.inputs[0]!);
  return before && WEIGHTED.has(before.op) ? "bias" : "shift";
}

/** Values that depend on no graph input. */
function constantValues({ nodes, initializers }: Graph): ReadonlySet<Value> {
  const constant = new Set(initializers.keys());
  for (const node of nodes)
    if (usedBy(node).every((value) => constant.has(value))) for (const value of node.outputs) constant.add(value);
  return constant;
}

/** The initializers that a constant is computed from, as far as they can be learned: more than three make a mask. */
function learnedSources(value: Value, graph: Graph, producers: ReadonlyMap<Value, Node>): [Value, Tensor][] {
  const seen = new Set<Value>([value]);
  for (const name of seen) {
    const node = producers.get(name);
    for (const input of node ? usedBy(node) : []) seen.add(input); // the loop visits what is added
  }
  const sources = [...seen].flatMap((name): [Value, Tensor][] => {
    const tensor = graph.initializers.get(name);
    return tensor?.dtype === "float32" && tensor.data.length > 1 ? [[name, tensor]] : [];
  });
  if (graph.initializers.has(value)) return sources;
  return sources.length > 3
    ? []
    : sources.filter(([, tensor]) => !isMask(tensor) && !isGrid(tensor) && !isUniform(tensor));
}

/** Whether a constant lets some elements through and not others: nothing but 0 and 1, or 0 and a large negative number. */
function isMask({ data }: Tensor): boolean {
  const distinct = new Set<number | bigint>();
  for (const value of data) {
    distinct.add(value);
    if (distinct.size > 2) return false;
  }
  const [low, high] = [...distinct].map(Number).sort((x, y) => x - y);
  if (high === undefined) return low === Number.NEGATIVE_INFINITY;
  return (low === 0 && high === 1) || (high === 0 && low! <= -50);
}

/** Whether a constant counts positions: multiples of one half, up to 2 or more. */
function isGrid({ data }: Tensor): boolean {
  let largest = 0;
  for (const value of data) {
    if ((2 * Number(value)) % 1 !== 0) return false;
    largest = Math.max(largest, Math.abs(Number(value)));
  }
  return largest >= 2 && new Set<number | bigint>(data).size > 2;
}

/** Whether all elements are equal, as in padding; a learned token never is. */
function isUniform({ data }: Tensor): boolean {
  return data.length > 0 && (data as Float32Array).every((value) => value === data[0]);
}

/** Names of the inputs of the operators whose vectors exporters share by accident. */
const INPUT_NAMES: Readonly<Record<string, readonly string[]>> = {
  BatchNormalization: ["input", "weight", "bias", "running_mean", "running_var"],
  GroupNormalization: ["input", "weight", "bias"],
  InstanceNormalization: ["input", "weight", "bias"],
  LayerNormalization: ["input", "weight", "bias"],
};

/**
 * The graph with a copy of its own for every reader of a shared vector. Exporters merge equal tensors, so that biases
 * that all start at zero, or running statistics, look like one parameter of many layers. Matrices stay shared: those are
 * tied on purpose. A graph without shared vectors is returned as it is.
 */
export function untie(graph: Graph): Graph {
  const taken = new Set([...graph.initializers.keys(), ...graph.inputs.map(({ name }) => name)]);
  for (const { name, outputs } of graph.nodes) for (const value of [name, ...outputs]) taken.add(value);
  const readers = new Map<Value, number>();
  for (const value of graph.nodes.flatMap(({ inputs }) => inputs)) readers.set(value, (readers.get(value) ?? 0) + 1);
  const seen = new Set<Value>(graph.outputs.map(({ name }) => name));
  const copies = new Map<Value, Tensor>();
  const fresh = (hint: string): Value => {
    let name = hint;
    for (let i = 2; taken.has(name); i++) name = `${hint}_${i}`;
    taken.add(name);
    return name;
  };
  const nodes = graph.nodes.map((node) => {
    const inputs = node.inputs.map((value, i) => {
      const tensor = graph.initializers.get(value);
      if (!tensor || !isVector(tensor)) return value;
      if (!seen.has(value)) {
        seen.add(value);
        return value;
      }
      const copy = fresh(siblingName(node, i, graph, readers));
      copies.set(copy, tensor);
      return copy;
    });
    for (const value of usedBy(node)) seen.add(value); // subgraphs read the original
    return inputs.every((value, i) => value === node.inputs[i]) ? node : { ...node, inputs };
  });
  if (copies.size === 0) return graph;
  return { ...graph, nodes, initializers: new Map([...graph.initializers, ...copies]) };
}

/** Whether a tensor has float32 elements along one axis at most. */
function isVector({ dtype, shape, data }: Tensor): boolean {
  return dtype === "float32" && data.length > 1 && shape.filter((size) => size > 1).length === 1;
}

/** A name like those of the node's other constants ("layer1.0.bn1.bias" beside "layer1.0.bn1.weight"), else the node's. */
function siblingName(node: Node, index: number, graph: Graph, readers: ReadonlyMap<Value, number>): Value {
  const suffix = INPUT_NAMES[node.op]?.[index] ?? (WEIGHTED.has(node.op) && index > 1 ? "bias" : "constant");
  const siblings = node.inputs.filter((value) => graph.initializers.has(value) && readers.get(value) === 1);
  for (const sibling of siblings) {
    const stem = /^(.*)[.](?:weight|bias|gamma|beta|running_mean|running_var|moving_mean|moving_variance)$/.exec(
      sibling,
    );
    if (stem) return `${stem[1]}.${suffix}`;
  }
  return `${node.name}.${suffix}`;
}
