/** The new head: a fresh linear layer from features to one logit per class, or one value per target. */
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { withoutNames } from "../graph/rename.ts";
import { float32, type Tensor, zeros } from "../tensor/tensor.ts";
import { FEATURES } from "./backbone.ts";

/** Names of the head's values: its two parameters, its logits, and the probabilities or values of an exported model. */
export const HEAD = {
  weight: "head.weight",
  bias: "head.bias",
  logits: "logits",
  probabilities: "probabilities",
  values: "values",
} as const;

/** Parameters by name; their arrays are updated in place by training. */
export type Parameters = ReadonlyMap<Value, Tensor<"float32">>;

/** Whether a parameter is the head's, and not the backbone's. */
export function isHeadParameter(name: Value): boolean {
  return name === HEAD.weight || name === HEAD.bias;
}

/** A linear head's size. */
export interface HeadSize {
  /** Length of the feature vector. */
  readonly width: number;
  readonly numClasses: number;
}

/**
 * A fresh linear head: weight [numClasses, width] and bias [numClasses] zero, as Big Transfer starts its heads (Kolesnikov
 * et al. 2020, arXiv:1912.11370). The problem is convex: a random start would only add noise to small datasets.
 * @param bias start values of the bias, [numClasses]. @default zeros
 */
export function linearHead({ width, numClasses }: HeadSize, bias?: readonly number[]): Parameters {
  return new Map([
    [HEAD.weight, zeros("float32", [numClasses, width])],
    [HEAD.bias, bias ? float32([numClasses], bias) : zeros("float32", [numClasses])],
  ]);
}

/** The head as a graph of its own: FEATURES [batch, width] and both parameters as inputs, logits [batch, numClasses]. */
export function headGraph({ width, numClasses }: HeadSize): Graph {
  const b = new GraphBuilder("head");
  b.input({ name: FEATURES, dtype: "float32", shape: ["batch", width] });
  b.input({ name: HEAD.weight, dtype: "float32", shape: [numClasses, width] });
  b.input({ name: HEAD.bias, dtype: "float32", shape: [numClasses] });
  appendLinear(b);
  return b.build([{ name: HEAD.logits, dtype: "float32", shape: ["batch", numClasses] }]);
}

/**
 * A backbone with a trained head: the graph from the backbone's input to HEAD.logits [batch, numClasses].
 * The head's names are its own: values of the backbone that have one, such as the old "logits", are renamed.
 */
export function logitsGraph(backbone: Graph, parameters: Parameters): Graph {
  const b = new GraphBuilder(backbone.name, withoutNames(backbone, Object.values(HEAD), "backbone.").graph);
  for (const [name, value] of parameters) b.initializer(name, value);
  appendLinear(b);
  const batch = backbone.outputs[0]!.shape![0]!; // a backbone's output is FEATURES [batch, width]
  const numClasses = parameters.get(HEAD.bias)!.data.length;
  return b.build([{ name: HEAD.logits, dtype: "float32", shape: [batch, numClasses] }]);
}

/** `logitsGraph` with the activation: from pixels to `probabilities` [batch, numClasses], or a regression's `values`. */
export function classifierGraph(
  backbone: Graph,
  parameters: Parameters,
  activation: "softmax" | "sigmoid" | "identity",
): Graph {
  const graph = logitsGraph(backbone, parameters);
  const b = new GraphBuilder(graph.name, graph);
  const output = activation === "identity" ? HEAD.values : HEAD.probabilities;
  if (activation === "softmax") b.named("Softmax", [HEAD.logits], output, { axis: { kind: "int", value: 1 } });
  else b.named(activation === "sigmoid" ? "Sigmoid" : "Identity", [HEAD.logits], output);
  return b.build([{ ...graph.outputs[0]!, name: output }]);
}

function appendLinear(b: GraphBuilder): void {
  b.named("Gemm", [FEATURES, HEAD.weight, HEAD.bias], HEAD.logits, { transB: { kind: "int", value: 1 } });
}
