/** Measures what reaches each BatchNormalization of a network, in units of what it was pretrained on. */
import { floatOf, int } from "../../graph/attributes.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import type { Graph, Value } from "../../graph/graph.ts";
import { inferTypes } from "../../graph/infer-types.ts";
import { withoutNames } from "../../graph/rename.ts";
import { isFrozenBatchNorm } from "../../models/fold-batch-norm.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";

/** Name of the output of a graph of moments. */
export const MOMENTS: Value = "rootstock.moments";

/** One BatchNormalization with running statistics. */
export interface NormalizedLayer {
  readonly node: string;
  /** Running variance of each channel, [channels], without epsilon. */
  readonly variance: Float32Array;
  readonly epsilon: number;
}

/** A graph that gives MOMENTS [batch, Σ 2 channels], and the layers in that order. */
export interface MomentsGraph {
  readonly graph: Graph;
  readonly layers: readonly NormalizedLayer[];
}

/**
 * Returns a graph that gives for each image, layer after layer, the mean over positions of z [channels] and that of z²
 * [channels], with z = (x - running mean) / sqrt(running variance + epsilon) of the layer's input x. The network runs as
 * it does at inference, so that a difference at the input is seen in every layer that it reaches. Undefined for a graph
 * without BatchNormalization that has constant statistics.
 */
export function momentsGraph(network: Graph): MomentsGraph | undefined {
  const { graph } = withoutNames(network, [MOMENTS], "before.");
  const types = inferTypes(graph);
  const b = new GraphBuilder(graph.name, graph);
  const layers: NormalizedLayer[] = [];
  const parts: Value[] = [];
  for (const node of graph.nodes.filter(isFrozenBatchNorm)) {
    const [x = "", , , meanName = "", varianceName = ""] = node.inputs;
    const [mean, variance] = [meanName, varianceName].map((name) => numbersOf(graph.initializers.get(name)));
    const rank = types.get(x)?.shape?.length;
    if (!mean || !variance || rank === undefined || rank < 2) continue;
    const epsilon = floatOf(node, "epsilon", 1e-5);
    const channels = [mean.length, ...new Array<number>(rank - 2).fill(1)];
    const inverse = variance.map((value) => 1 / Math.sqrt(value + epsilon));
    const z = b.mul(b.sub(x, b.constant(float32(channels, mean))), b.constant(float32(channels, inverse)));
    const axes = Array.from({ length: rank - 2 }, (_, i) => i + 2);
    const overPositions = (value: Value): Value =>
      axes.length > 0 ? b.reduceMean(value, { axes, keepdims: false }) : value;
    parts.push(overPositions(z), overPositions(b.mul(z, z)));
    layers.push({ node: node.name, variance, epsilon });
  }
  if (layers.length === 0) return undefined;
  const width = layers.reduce((sum, { variance }) => sum + 2 * variance.length, 0);
  b.named("Concat", parts, MOMENTS, { axis: int(1) });
  const batch = graph.outputs[0]?.shape?.[0] ?? "batch";
  return { graph: b.build([{ name: MOMENTS, dtype: "float32", shape: [batch, width] }]), layers };
}

function numbersOf(tensor: Tensor | undefined): Float32Array | undefined {
  return tensor?.data instanceof Float32Array && tensor.dtype === "float32" ? tensor.data.slice() : undefined;
}
