/** Gradient rules of reductions. "Spread" is to repeat a value of the reduced shape along the reduced axes. */
import { int, intOf } from "../../graph/attributes.ts";
import type { Value } from "../../graph/graph.ts";
import { rule, type VjpContext } from "../rule.ts";

type ReduceContext = VjpContext<"data" | "axes">;

/** Y = sum of X. dX = dY spread. */
export const reduceSum = rule<"ReduceSum">({ data: (c) => spread(c, c.dy), axes: null });

/** Y = mean of X. dX = dY / n spread, n = elements of X per element of Y. */
export const reduceMean = rule<"ReduceMean">({
  data: (c) => {
    const { b, x, y, dy, dtypeOf } = c;
    const size = (value: Value): Value => b.cast(b.op("Size", [value]), dtypeOf(x.data));
    return spread(c, b.div(dy, b.div(size(x.data), size(y))));
  },
  axes: null,
});

/** Y = sum of |X|. dX = dY spread, with the sign of X (0 at 0). */
export const reduceL1 = rule<"ReduceL1">({
  data: (c) => c.b.mul(spread(c, c.dy), c.b.op("Sign", [c.x.data])),
  axes: null,
});

/** Y = sqrt(sum of X²). dX = X (dY / Y) spread; 0 where Y is 0, as PyTorch. */
export const reduceL2 = rule<"ReduceL2">({
  data: (c) => {
    const { b, x, y, dy, dtypeOf } = c;
    const zero = b.scalar(0, dtypeOf(y));
    const slope = b.op("Where", [b.op("Equal", [y, zero]), zero, b.div(dy, y)]);
    return b.mul(x.data, spread(c, slope));
  },
  axes: null,
});

/** Y = sum of X². dX = 2 X dY spread. */
export const reduceSumSquare = rule<"ReduceSumSquare">({
  data: (c) => {
    const { b, x, y, dy, dtypeOf } = c;
    return b.mul(x.data, spread(c, b.mul(dy, b.scalar(2, dtypeOf(y)))));
  },
  axes: null,
});

/** Y = log(sum of X). dX = dY exp(-Y) spread. */
export const reduceLogSum = rule<"ReduceLogSum">({
  data: (c) => spread(c, c.b.mul(c.dy, c.b.exp(c.b.neg(c.y)))),
  axes: null,
});

/** Y = log(sum of exp X). dX = exp(X - Y spread) dY spread. */
export const reduceLogSumExp = rule<"ReduceLogSumExp">({
  data: (c) => c.b.mul(c.b.exp(c.b.sub(c.x.data, spread(c, c.y))), spread(c, c.dy)),
  axes: null,
});

/** Y = largest or smallest of X. dX = dY where X = Y; of n equal ones each gets dY / n, as PyTorch's amax and amin. */
const extreme = (c: ReduceContext): Value => {
  const { b, x, y, dy, dtypeOf } = c;
  const chosen = b.cast(b.op("Equal", [x.data, spread(c, y)]), dtypeOf(x.data));
  return b.mul(chosen, spread(c, b.div(dy, reduceLike(c, "ReduceSum", chosen))));
};
export const reduceMax = rule<"ReduceMax">({ data: extreme, axes: null });
export const reduceMin = rule<"ReduceMin">({ data: extreme, axes: null });

/** Y = product of X. dX = dY times the product of the others: exact beside zeros, of which one leaves a slope only at it. */
export const reduceProd = rule<"ReduceProd">({
  data: (c) => {
    const { b, x, dy, dtypeOf } = c;
    const dtype = dtypeOf(x.data);
    const [zero, one] = [b.scalar(0, dtype), b.scalar(1, dtype)];
    const isZero = b.op("Equal", [x.data, zero]);
    const nonzero = b.op("Where", [isZero, one, x.data]);
    const zeros = reduceLike(c, "ReduceSum", b.cast(isZero, dtype)); // how many
    const product = b.mul(dy, reduceLike(c, "ReduceProd", nonzero));
    const when = (count: Value): Value => spread(c, b.op("Where", [b.op("Equal", [zeros, count]), product, zero]));
    return b.op("Where", [isZero, when(one), b.div(when(zero), nonzero)]);
  },
  axes: null,
});

/** Another reduction of a value of X's shape, over the same axes. */
function reduceLike({ b, node }: ReduceContext, op: "ReduceSum" | "ReduceProd", value: Value): Value {
  return b.op(op, [value, ...node.inputs.slice(1)], {
    keepdims: int(intOf(node, "keepdims", 1)),
    noop_with_empty_axes: int(intOf(node, "noop_with_empty_axes", 0)),
  });
}

/** Repeats a value of the reduced shape along the reduced axes. */
function spread({ b, x, y, shapeOf, constantOf }: ReduceContext, value: Value): Value {
  const rank = shapeOf(x.data).length;
  if (rank === 0) return value;
  const target = b.op("Shape", [x.data]);
  // Without axes everything is reduced to a scalar, which expands to any shape.
  const isWhole = x.axes === "" || constantOf(x.axes)?.data.length === 0;
  if (isWhole || shapeOf(y).length === rank) return b.op("Expand", [value, target]);
  return b.op("Expand", [b.op("Unsqueeze", [value, x.axes]), target]);
}
