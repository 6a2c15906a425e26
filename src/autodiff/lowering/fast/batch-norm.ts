/** Batch normalization with the statistics of the batch, on blocked values. */
import { floatOf, intOf } from "../../../graph/attributes.ts";
import type { Node, Value } from "../../../graph/graph.ts";
import { BLOCKED_DOMAIN, blockedConv } from "./blocked-conv.ts";
import type { Forms } from "./forms.ts";
import type { Sizes } from "./known.ts";
import { constantVector, packVector } from "./weights.ts";

/**
 * Y = scale / √(var + epsilon) (X - mean) + B, with the mean and the biased variance of the batch as second and third
 * output, as momentum 0 makes them. X - mean is a value of its own, which the gradient reads too. False where the running
 * statistics count, or X is not blocked.
 */
export function batchNormForward(f: Forms, node: Node): boolean {
  const [x, scale, shift] = node.inputs as readonly [Value, Value, Value];
  const [y, meanName = "", varianceName = ""] = node.outputs as readonly [Value, Value?, Value?];
  if (intOf(node, "training_mode", 0) !== 1) return false;
  const sizes = f.known.sizes(x);
  if (!sizes || !f.isBlocked(x) || meanName === "" || varianceName === "" || floatOf(node, "momentum", 0.9) !== 0)
    return false;
  const { b } = f;
  const [n, channels, h, w] = sizes;
  const group = f.padded(channels);
  const depthwise = { group, kernel: [1, 1] };
  const perChannel = (values: Value): Value => f.reshape(f.fill(values, [group - channels]), [group, 1, 1, 1]);

  const means = b.custom(BLOCKED_DOMAIN, "GlobalAveragePool", [f.as(x, "blocked")]); // [n, c', 1, 1]
  f.set(meanName, "plain", ofChannels(f, b.reduceMean(means, { axes: [0] }), meanName, channels));
  const centered = blockedConv(b, {
    ...depthwise,
    x: f.as(x, "blocked"),
    w: constantVector(f, 1, group),
    bias: b.neg(packVector(f, meanName, channels)),
  });
  const squares = sumsOfProducts(f, [centered, centered], sizes);
  const mean = b.mul(squares, b.scalar(1 / (n * h * w)));
  f.set(varianceName, "plain", ofChannels(f, mean, varianceName, channels));
  const deviation = b.op("Sqrt", [b.add(f.as(varianceName, "plain"), b.scalar(floatOf(node, "epsilon", 1e-5)))]);
  const factor = b.div(f.as(scale, "plain"), deviation);
  f.promise(y, { ...depthwise, x: centered, w: perChannel(factor), bias: packVector(f, shift, channels) });
  return true;
}

/**
 * The sums over batch and positions of the products of two blocked maps, [1, c', 1, 1]: every channel of every image is
 * convolved by the same one of the other map, which reads both and writes nothing.
 */
export function sumsOfProducts(f: Forms, [left, right]: readonly [Value, Value], [n, channels, h, w]: Sizes): Value {
  const wide = f.padded(channels);
  const perImage = blockedConv(f.b, {
    x: f.reshape(left, [1, n * wide, h, w]),
    w: f.reshape(right, [n * wide, 1, h, w]),
    group: n * wide,
    kernel: [h, w],
  });
  return f.b.reduceSum(f.reshape(perImage, [n, wide, 1, 1]), { axes: [0] });
}

/** [1, c', 1, 1] as [c], under the name that the graph gives it. */
function ofChannels(f: Forms, values: Value, name: Value, channels: number): Value {
  const own = f.padded(channels) === channels ? values : f.cut(values, [1], [channels]);
  const inputs = [own, f.b.ints([channels])];
  f.b.node({ op: "Reshape", domain: "", name, inputs, outputs: [name], attributes: {} }); // its name was kept free
  return name;
}
