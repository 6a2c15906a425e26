/** Gradient rules of normalization without parameters. */
import { floatOf, int, intOf, ints, intsOf } from "../../graph/attributes.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Value } from "../../graph/graph.ts";
import { rule, type VjpRule } from "../rule.ts";
import { standardizeVjp } from "./standardize.ts";

/**
 * Y = X / n, n = the 1- or 2-norm of X along `axis`. dX = (dY - sign(X) sum(dY Y)) / n for the 1-norm and
 * (dY - Y sum(dY Y)) / n for the 2-norm; 0 where X is all zeros, which Y is there too.
 */
export const lpNormalization = rule<"LpNormalization">({
  input: ({ b, node, x, y, dy, dtypeOf }) => {
    const axes = [intOf(node, "axis", -1)];
    const one = intOf(node, "p", 2) === 1;
    const norm = b.op(one ? "ReduceL1" : "ReduceL2", [x.input, b.ints(axes)]);
    const scalar = (value: number): Value => b.scalar(value, dtypeOf(x.input));
    const divisor = b.op("Where", [b.op("Equal", [norm, scalar(0)]), scalar(Number.POSITIVE_INFINITY), norm]);
    const direction = one ? b.op("Sign", [x.input]) : y;
    return b.div(b.sub(dy, b.mul(direction, b.reduceSum(b.mul(dy, y), { axes }))), divisor);
  },
});

/**
 * Y = (X - mean) / (√var + 1e-9) over `axes`. dX = (dY - mean(dY) - Y mean(dY Y)) / (√var + 1e-9); the small number is
 * left out of the derivative of the deviation.
 */
export const meanVarianceNormalization = rule<"MeanVarianceNormalization">({
  X: ({ b, node, x, y, dy, dtypeOf }) => {
    const axes = intsOf(node, "axes", [0, 2, 3]);
    const difference = b.sub(x.X, b.reduceMean(x.X, { axes }));
    const deviation = b.op("Sqrt", [b.reduceMean(b.mul(difference, difference), { axes })]);
    const inverse = b.op("Reciprocal", [b.add(deviation, b.scalar(1e-9, dtypeOf(x.X)))]);
    return standardizeVjp(b, dy, { normalized: y, inverse }, axes);
  },
});

/**
 * Y = X S^-beta, S = bias + alpha / size W(X²), W the sum over a window of `size` channels around each one.
 * dX = dY S^-beta - 2 alpha beta / size X W(dY Y / S). ONNX Runtime knows odd sizes only.
 */
export const lrn: VjpRule<"LRN"> = {
  ...rule<"LRN">({
    X: ({ b, node, x, y, dy, dtypeOf }) => {
      const size = intOf(node, "size", 1);
      const [alpha, beta] = [floatOf(node, "alpha", 1e-4), floatOf(node, "beta", 0.75)];
      const scalar = (value: number): Value => b.scalar(value, dtypeOf(x.X));
      const shape = b.op("Shape", [x.X]);
      const sum = b.mul(acrossChannels(b, b.mul(x.X, x.X), size), scalar(alpha));
      const s = b.add(b.reshape(sum, shape), scalar(floatOf(node, "bias", 1)));
      const back = acrossChannels(b, b.div(b.mul(dy, y), s), size);
      const indirect = b.mul(b.mul(x.X, b.reshape(back, shape)), scalar(2 * alpha * beta));
      return b.sub(b.mul(dy, b.op("Pow", [s, scalar(-beta)])), indirect);
    },
  }),
  unsupported: (node, shapeOf) => (shapeOf(node.inputs[0]!)?.length === 1 ? "an input of rank 1" : undefined),
};

/** The sum over a window of channels, divided by its size, as [n, 1, channels, elements]. */
function acrossChannels(b: GraphBuilder, value: Value, size: number): Value {
  const planes = b.op("Unsqueeze", [b.reshape(value, b.ints([0, 0, -1])), b.ints([1])]);
  return b.op("AveragePool", [planes], {
    kernel_shape: ints([size, 1]),
    pads: ints([(size - 1) / 2, 0, (size - 1) / 2, 0]),
    count_include_pad: int(1),
  });
}
