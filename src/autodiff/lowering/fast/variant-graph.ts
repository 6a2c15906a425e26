/** One gradient at one shape as a graph of its own, to measure how long its variants take. */
import { int } from "../../../graph/attributes.ts";
import { GraphBuilder } from "../../../graph/builder.ts";
import type { Graph } from "../../../graph/graph.ts";
import { float32 } from "../../../tensor/tensor.ts";
import { GRADIENT_DOMAIN, windowAttributes } from "../../gradient-operators.ts";
import type { GradientKey, Variant } from "./choice.ts";
import { lowerBlocked } from "./lower-fast.ts";

/**
 * The gradient of a key by one variant. Its inputs are "dy" and "x", or "dy" and "w" for dX; maps are fed blocked, as
 * they are between two convolutions, which the declared shapes say. Its output "mean" is the mean of the gradient, since
 * an output of full size costs more than many a gradient.
 * @param block channels per block, as for `lowerFast`.
 */
export function variantGraph({ kind, x, dy, window }: GradientKey, variant: Variant, block: number): Graph {
  const b = new GraphBuilder(`${kind} ${variant}`);
  const ofInput = kind === "dXstrided";
  b.input({ name: "dy", dtype: "float32", shape: dy });
  const w = [dy[1], x[1] / window.group, ...window.kernel];
  const other = b.input({ name: ofInput ? "w" : "x", dtype: "float32", shape: ofInput ? w : x });
  const operands = ofInput ? ["dy", other] : [other, "dy"];
  const gradient = b.custom(GRADIENT_DOMAIN, ofInput ? "ConvGradX" : "ConvGradW", operands, windowAttributes(window));
  const result = ofInput ? readBlocked(b, gradient, x[1]) : gradient;
  b.named("ReduceMean", [result], "mean", { keepdims: int(0) });
  const graph = b.build([{ name: "mean", dtype: "float32", shape: [] }]);
  const maps = ofInput ? ["dy"] : ["dy", "x"];
  const lowered = lowerBlocked(graph, { block, choose: () => variant }, new Set(maps));
  const fed = lowered.inputs.map((info) => {
    if (!maps.includes(info.name)) return info;
    const [n, channels, ...size] = info.shape as readonly number[]; // of the key
    return { ...info, shape: [n!, Math.ceil(channels! / block) * block, ...size] };
  });
  return { ...lowered, inputs: fed };
}

/** Means per channel, read from the blocked layout: the next convolution of a backward pass needs dX there. */
function readBlocked(b: GraphBuilder, map: string, channels: number): string {
  const ones = b.constant(float32([channels, 1, 1, 1], new Float32Array(channels).fill(1)));
  return b.reduceMean(b.op("Conv", [map, ones], { group: int(channels) }), { axes: [0, 2, 3] });
}
