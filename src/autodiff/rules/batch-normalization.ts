/** Gradient rule of BatchNormalization, with the running statistics or with those of the batch. */
import { float, floatOf, int, intOf } from "../../graph/attributes.ts";
import type { Node, Value } from "../../graph/graph.ts";
import { scalar, sizeOf } from "../../tensor/tensor.ts";
import { rule, type VjpContext } from "../rule.ts";
import { oncePerNode } from "./once.ts";

type Context = VjpContext<"X" | "scale" | "B" | "input_mean" | "input_var">;

/**
 * Y = scale N + B per channel, N = C / D, C = X - mean, D = √(var + epsilon). dscale = sum(dY N), dB = sum(dY).
 * With the running statistics, dX = dY scale / D. With training_mode=1 the mean and variance are those of the batch, and
 * dX = scale / D (dY - mean(dY) - N mean(dY N)): dY and C, each times a number per channel, and a third number.
 * Running statistics are state, as in PyTorch: they carry no gradient, neither as inputs nor as outputs.
 */
export const batchNormalization = rule<"BatchNormalization">({
  X: (c) => {
    const { b, x, dy } = c;
    const factor = b.div(x.scale, deviation(c));
    const kept = b.mul(dy, perChannel(c, factor));
    if (!isTraining(c.node)) return kept;
    const count = elementsPerChannel(c);
    const mean = b.div(sumOf(c), count);
    const slope = b.div(b.div(sumOfProducts(c), count), variance(c));
    const offset = b.neg(b.mul(factor, mean));
    const drawn = b.mul(centered(c), perChannel(c, b.neg(b.mul(factor, slope))));
    return b.add(kept, b.add(drawn, perChannel(c, offset)));
  },
  scale: (c) => {
    if (isTraining(c.node)) return c.b.div(sumOfProducts(c), deviation(c));
    return c.b.reduceSum(c.b.mul(c.dy, normalized(c)), { axes: acrossChannels(c), keepdims: false });
  },
  B: (c) => sumOf(c),
  input_mean: null,
  input_var: null,
});

const isTraining = (node: Node): boolean => intOf(node, "training_mode", 0) === 1;
const epsilonOf = (node: Node): number => floatOf(node, "epsilon", 1e-5);

/** N with the running statistics, normalized again: the forward pass keeps only Y, from which N follows badly where scale is small. */
function normalized(c: Context): Value {
  return emit(c, [c.x.X, constant(c, 1), constant(c, 0), c.x.input_mean, c.x.input_var], epsilonOf(c.node));
}

/** C. */
const centered = oncePerNode((c: Context): Value => c.b.sub(c.x.X, perChannel(c, batchStatistics(c)[0])));

/** sum(dY), of shape [c]. */
const sumOf = oncePerNode((c: Context): Value => c.b.reduceSum(c.dy, { axes: acrossChannels(c), keepdims: false }));

/** sum(dY C), of shape [c]. */
const sumOfProducts = oncePerNode(
  (c: Context): Value => c.b.reduceSum(c.b.mul(c.dy, centered(c)), { axes: acrossChannels(c), keepdims: false }),
);

/** D², of shape [c]. */
const variance = oncePerNode((c: Context): Value => {
  const { b, node, x, dtypeOf } = c;
  const own = isTraining(node) ? batchStatistics(c)[1] : x.input_var;
  return b.add(own, b.scalar(epsilonOf(node), dtypeOf(x.input_var)));
});

/** D, of shape [c]. */
const deviation = oncePerNode((c: Context): Value => c.b.op("Sqrt", [variance(c)]));

/** How many elements a channel has in the batch, as a number of X's type. */
const elementsPerChannel = oncePerNode((c: Context): Value => {
  const { b, x, shapeOf, dtypeOf } = c;
  const others = shapeOf(x.X).filter((_, axis) => axis !== 1);
  const known = others.every((size) => typeof size === "number");
  if (known) return b.scalar(sizeOf(others.map(Number)), dtypeOf(x.X));
  const count = (value: Value): Value => b.cast(b.op("Size", [value]), dtypeOf(x.X));
  return b.div(count(x.X), count(x.scale));
});

/**
 * The mean and the biased variance of the batch. With momentum 0 they are what the node gives as running statistics;
 * else they are computed again, by a node whose momentum is 0. What stands for the old ones is then computed for that
 * node alone, since ONNX Runtime writes the new ones over it.
 */
const batchStatistics = oncePerNode((c: Context): readonly [mean: Value, variance: Value] => {
  const [, mean = "", variance = ""] = c.node.outputs;
  if (mean !== "" && variance !== "" && floatOf(c.node, "momentum", 0.9) === 0) return [mean, variance];
  const inputs = [c.x.X, ...[1, 0, 0, 1].map((value) => constant(c, value))];
  const attributes = { epsilon: float(epsilonOf(c.node)), momentum: float(0), training_mode: int(1) };
  const [, ownMean, ownVariance] = c.b.ops("BatchNormalization", inputs, 3, attributes);
  return [ownMean!, ownVariance!]; // three were asked for
});

const emit = ({ b }: Context, inputs: readonly Value[], epsilon: number): Value =>
  b.op("BatchNormalization", inputs, { epsilon: float(epsilon) });

/** A number repeated in the shape of scale. */
const constant = ({ b, x, dtypeOf }: Context, value: number): Value =>
  b.op("ConstantOfShape", [b.op("Shape", [x.scale])], {
    value: { kind: "tensor", value: { ...scalar(dtypeOf(x.scale), value), shape: [1] } },
  });

/** All axes but the second. */
const acrossChannels = ({ x, shapeOf }: Context): number[] =>
  shapeOf(x.X).flatMap((_, axis) => (axis === 1 ? [] : [axis]));

/** A value of shape [c] as [c, 1, 1], to go with [n, c, h, w]. */
const perChannel = ({ b, x, shapeOf }: Context, value: Value): Value => {
  const trailing = shapeOf(x.X).length - 2;
  return trailing === 0 ? value : b.reshape(value, b.ints([-1, ...Array.from({ length: trailing }, () => 1)]));
};
