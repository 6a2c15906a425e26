/** Gradient rule of BatchNormalization, with the running statistics or with those of the batch. */
import { float, floatOf, int, intOf } from "../../graph/attributes.ts";
import type { Node, Value } from "../../graph/graph.ts";
import { scalar } from "../../tensor/tensor.ts";
import { rule, type VjpContext } from "../rule.ts";
import { oncePerNode } from "./once.ts";

type Context = VjpContext<"X" | "scale" | "B" | "input_mean" | "input_var">;

/**
 * Y = scale N + B per channel, N = (X - mean) / D, D = √(var + epsilon). dscale = sum(dY N), dB = sum(dY).
 * With the running statistics, dX = dY scale / D. With training_mode=1 the mean and variance are those of the batch, and
 * dX = scale / D (dY - mean(dY) - N mean(dY N)). Running statistics are state, as in PyTorch: they carry no gradient,
 * neither as inputs nor as outputs.
 */
export const batchNormalization = rule<"BatchNormalization">({
  X: (c) => {
    const { b, x, dy } = c;
    const factor = b.div(x.scale, deviation(c));
    if (!isTraining(c.node)) return b.mul(dy, perChannel(c, factor));
    const axes = acrossChannels(c);
    const mean = b.reduceMean(dy, { axes, keepdims: false });
    const slope = b.reduceMean(b.mul(dy, normalized(c)), { axes, keepdims: false });
    // BatchNormalization with statistics 0 and 1 is factor dY + offset in one pass.
    const kept = emit(c, [dy, factor, b.neg(b.mul(factor, mean)), constant(c, 0), constant(c, 1)], 0);
    return b.sub(kept, b.mul(normalized(c), perChannel(c, b.mul(factor, slope))));
  },
  scale: (c) => c.b.reduceSum(c.b.mul(c.dy, normalized(c)), { axes: acrossChannels(c), keepdims: false }),
  B: (c) => c.b.reduceSum(c.dy, { axes: acrossChannels(c), keepdims: false }),
  input_mean: null,
  input_var: null,
});

const isTraining = (node: Node): boolean => intOf(node, "training_mode", 0) === 1;
const epsilonOf = (node: Node): number => floatOf(node, "epsilon", 1e-5);

/** N, normalized again: the forward pass keeps only Y, from which N follows badly where scale is small. */
function normalized(c: Context): Value {
  if (isTraining(c.node)) return batchStatistics(c)[0]!;
  return emit(c, [c.x.X, constant(c, 1), constant(c, 0), c.x.input_mean, c.x.input_var], epsilonOf(c.node));
}

/** D, of shape [c]. */
function deviation(c: Context): Value {
  const { b, node, x, dtypeOf } = c;
  const variance = isTraining(node) ? batchStatistics(c)[2]! : x.input_var;
  return b.op("Sqrt", [b.add(variance, b.scalar(epsilonOf(node), dtypeOf(x.input_var)))]);
}

/**
 * N, the mean and the biased variance of the batch: with momentum 0 the running statistics are those of the batch. What
 * stands for the old ones is computed for this node alone, since ONNX Runtime writes the new ones over it; nodes with
 * such inputs are not merged later, so the products for X and for scale share one here.
 */
const batchStatistics = oncePerNode((c: Context): Value[] => {
  const inputs = [c.x.X, ...[1, 0, 0, 1].map((value) => constant(c, value))];
  const attributes = { epsilon: float(epsilonOf(c.node)), momentum: float(0), training_mode: int(1) };
  return c.b.ops("BatchNormalization", inputs, 3, attributes);
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
