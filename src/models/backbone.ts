/** Splits a pretrained graph into a backbone and its old head: finds the features just before the last linear layer. */
import { listed, RootstockError } from "../errors.ts";
import { intOf } from "../graph/attributes.ts";
import { GraphBuilder } from "../graph/builder.ts";
import {
  type Dim,
  describeNode,
  formatShape,
  type Graph,
  type Node,
  type Shape,
  type Value,
  type ValueType,
} from "../graph/graph.ts";
import { inferTypes } from "../graph/infer-types.ts";
import { withoutNames } from "../graph/rename.ts";
import { producersOf, reachable, subgraph } from "../graph/traverse.ts";

/** Name of the output of a backbone graph: one feature vector per image, [batch, width]. */
export const FEATURES: Value = "rootstock.features";

/** Where a graph is cut, and how that value becomes one vector per image. */
export interface Cut {
  readonly value: Value;
  readonly shape: Shape;
  /** What follows the value: average over the spatial axes of [n, c, h, w] or the tokens of [n, t, c]; nothing for [n, c]. */
  readonly pooling: "none" | "spatial" | "tokens";
  /** Length of the feature vector. */
  readonly width: number;
  /** The old classifier layer, or undefined for a graph that ends with its features. */
  readonly classifier: Node | undefined;
  /** Number of classes of the old classifier. */
  readonly numClasses: number | undefined;
}

/** Operators of two inputs that the way back goes through where one of the inputs is a constant: a bias or a scale. */
const WITH_CONSTANT = new Set(["Add", "Div", "Mul", "Sub"]);

/** Operators that make scores of any kind, rectified or not, into those of a classifier. */
const ACTIVATIONS = new Set(["LogSoftmax", "Sigmoid", "Softmax"]);

/** Operators that change a classifier's scores without learning anything: the way back from the output goes through. */
const PASS_THROUGH = new Set([
  "AveragePool",
  "Cast",
  "Clip",
  "Dropout",
  "Flatten",
  "GlobalAveragePool",
  "Identity",
  "LogSoftmax",
  "ReduceMean",
  "Relu",
  "Reshape",
  "Sigmoid",
  "Softmax",
  "Squeeze",
  "Transpose",
]);

/** Numbers of classes of the common pretraining sets: CIFAR, ImageNet-1k (with and without background), Places, ImageNet-21k. */
const COMMON_CLASS_COUNTS = new Set([10, 100, 1000, 1001, 365, 11_221, 21_841, 21_843]);

/**
 * Finds the cut of a classifier or backbone graph.
 * @param at the value to cut at instead of the automatic choice.
 * @throws RootstockError BAD_MODEL if there is no such value, or no cut can be found: the message lists candidates.
 */
export function findCut(graph: Graph, at?: Value): Cut {
  const types = inferTypes(graph);
  if (at !== undefined) return cutAt(graph, types, at);
  const output = graph.outputs.find(({ name }) => lastLinear(graph, name)) ?? graph.outputs[0]!;
  const classifier = lastLinear(graph, output.name);
  if (classifier)
    return {
      ...cutAt(graph, types, dataInput(classifier, graph)),
      classifier,
      numClasses: numClassesOf(classifier, graph),
    };
  if (graph.outputs.length > 1) {
    throw new RootstockError(
      "BAD_MODEL",
      `the model has ${graph.outputs.length} outputs and none of them is a classifier's. Choose where to cut with --cut: ${suggestions(graph, types)}.`,
    );
  }
  if (joinsBranches(graph, output.name)) {
    throw new RootstockError(
      "BAD_MODEL",
      `the output "${output.name}" joins several branches, as a detector's does: it is no feature of the whole image. Choose where to cut with --cut: ${suggestions(graph, types)}.`,
    );
  }
  return cutAt(graph, types, output.name);
}

/** The graph from the model's input to FEATURES [batch, width], everything after the cut left out. */
export function backboneGraph(graph: Graph, cut: Cut): Graph {
  const types = inferTypes(graph);
  const type = { dtype: types.get(cut.value)!.dtype, shape: cut.shape };
  const before = subgraph(graph, graph.inputs, [{ name: cut.value, ...type }]);
  const output = [{ name: FEATURES, dtype: type.dtype, shape: [cut.shape[0]!, cut.width] }];
  if (cut.value === FEATURES && cut.pooling === "none") return { ...before, outputs: output }; // as in exported files
  const { graph: start, renamed } = withoutNames(before, [FEATURES], "before.");
  const b = new GraphBuilder(graph.name, start);
  b.named("Identity", [pool(b, { ...cut, value: renamed(cut.value) })], FEATURES);
  return b.build(output);
}

function pool(b: GraphBuilder, { value, pooling, shape }: Cut): Value {
  if (pooling === "tokens") return b.reduceMean(value, { axes: [1], keepdims: false });
  if (pooling === "none") return value;
  const single = shape[2] === 1 && shape[3] === 1;
  return b.op("Flatten", [single ? value : b.op("GlobalAveragePool", [value])], { axis: { kind: "int", value: 1 } });
}

function cutAt(graph: Graph, types: ReadonlyMap<Value, ValueType>, value: Value): Cut {
  const type = types.get(value);
  const known = producersOf(graph.nodes).has(value);
  if (!known)
    throw new RootstockError(
      "BAD_MODEL",
      `the graph computes no value "${value}". Cut at one of: ${suggestions(graph, types)}.`,
    );
  const shape = type?.shape;
  const width = shape && featureWidth(shape);
  if (!shape || width === undefined || type.dtype !== "float32") {
    const got =
      (type ? `${type.dtype} ${formatShape(shape)}` : "a value of unknown type") + reasonOf(graph, types, value);
    throw new RootstockError(
      "BAD_MODEL",
      `cannot use "${value}" as features: it is ${got}; required is float32 [n, c], [n, c, h, w] or [n, tokens, c] with a known c. ` +
        `If this is a detector or another task's model, choose an inner value with --cut: ${suggestions(graph, types)}.`,
    );
  }
  const pooling = shape.length === 4 ? "spatial" : shape.length === 3 ? "tokens" : "none";
  return { value, shape, pooling, width, classifier: undefined, numClasses: undefined };
}

/** Why a shape has unknown parts, where that can be told: the first operator before the value that gives none. */
function reasonOf(graph: Graph, types: ReadonlyMap<Value, ValueType>, value: Value): string {
  if (types.get(value)?.shape?.every((dim) => typeof dim === "number")) return "";
  const node = reachable(graph, [value]).nodes.find(({ outputs }) => outputs.every((name) => !types.get(name)?.shape));
  return node ? `, since the shape of what ${describeNode(node)} gives is not known` : "";
}

/** The channel dimension of a feature map, token list or vector, if it is a number. */
function featureWidth(shape: Shape): number | undefined {
  const channel: Dim | undefined =
    shape.length === 2 || shape.length === 4 ? shape[1] : shape.length === 3 ? shape[2] : undefined;
  return typeof channel === "number" ? channel : undefined;
}

/**
 * Walks back from an output to the linear layer that makes the scores, if the graph ends with one. Scores that were
 * rectified (SqueezeNet's) look like features; the number of classes tells them apart.
 */
function lastLinear(graph: Graph, output: Value): Node | undefined {
  const producers = producersOf(graph.nodes);
  let rectified = false;
  for (let value = output; ; ) {
    const node = producers.get(value);
    if (node?.domain !== "") return undefined;
    if (isLinear(node, graph))
      return !rectified || COMMON_CLASS_COUNTS.has(numClassesOf(node, graph)) ? node : undefined;
    rectified = !ACTIVATIONS.has(node.op) && (rectified || rectifies(node, graph));
    if (WITH_CONSTANT.has(node.op)) {
      const operand = node.inputs.filter((input) => !graph.initializers.has(input));
      if (operand.length !== 1) return undefined;
      value = operand[0]!;
    } else if (PASS_THROUGH.has(node.op)) {
      value = node.inputs[0]!;
    } else {
      return undefined;
    }
  }
}

/** Whether a node replaces negative values, as activations between layers do: Relu, and Clip from 0 or above. */
function rectifies(node: Node, graph: Graph): boolean {
  return (
    node.op === "Relu" || (node.op === "Clip" && Number(graph.initializers.get(node.inputs[1] ?? "")?.data[0]) >= 0)
  );
}

/** Whether an output is put together from parts by a Concat, with nothing learned after it. */
function joinsBranches(graph: Graph, output: Value): boolean {
  const producers = producersOf(graph.nodes);
  let node = producers.get(output);
  while (node && ["Transpose", "Reshape", "Identity", "Squeeze"].includes(node.op))
    node = producers.get(node.inputs[0]!);
  return node?.op === "Concat";
}

/** Whether a node is a matrix product, or a 1x1 convolution, with constant weights. */
function isLinear(node: Node, graph: Graph): boolean {
  const weight = graph.initializers.get(node.inputs[1] ?? "");
  if (node.op === "Gemm" || node.op === "MatMul") return weight?.shape.length === 2;
  return (
    node.op === "Conv" &&
    intOf(node, "group", 1) === 1 &&
    weight?.shape.length === 4 &&
    weight.shape[2] === 1 &&
    weight.shape[3] === 1
  );
}

function numClassesOf(node: Node, graph: Graph): number {
  const [rows, columns] = graph.initializers.get(node.inputs[1]!)!.shape;
  return node.op === "Conv" || (node.op === "Gemm" && intOf(node, "transB", 0) === 1) ? rows! : columns!;
}

/** The input of a classifier layer; dropout before it is left out, since it does nothing at inference. */
function dataInput(node: Node, graph: Graph): Value {
  const producers = producersOf(graph.nodes);
  let value = node.inputs[0]!;
  for (
    let before = producers.get(value);
    before && (before.op === "Dropout" || before.op === "Identity");
    before = producers.get(value)
  ) {
    value = before.inputs[0]!;
  }
  return value;
}

/** Feature maps that could serve, one per shape, those with the most channels first. */
function suggestions(graph: Graph, types: ReadonlyMap<Value, ValueType>): string {
  const found = new Map<string, { readonly text: string; readonly width: number }>();
  for (const node of graph.nodes) {
    const value = node.outputs[0]!;
    const { shape, dtype } = types.get(value) ?? {};
    const width = shape?.length === 4 && dtype === "float32" ? featureWidth(shape) : undefined;
    if (width !== undefined) found.set(formatShape(shape), { text: `"${value}" ${formatShape(shape)}`, width });
  }
  const best = [...found.values()].sort((a, b) => b.width - a.width).map(({ text }) => text);
  return best.length > 0 ? listed(best) : `none found among ${graph.nodes.length} nodes`;
}
