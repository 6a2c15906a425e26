/** Gradient rules of losses that are operators of their own. */
import { int, intOf, stringOf } from "../../graph/attributes.ts";
import type { Value } from "../../graph/graph.ts";
import { tensor } from "../../tensor/tensor.ts";
import { rule, type VjpContext } from "../rule.ts";
import { sizeAt, sizeList } from "./sizes.ts";

/**
 * Y = -w log softmax(X)[label], w = the label's weight, 0 where it is `ignore_index`; reduced to the sum, or to the sum
 * divided by that of w. dX = (softmax(X) - one-hot label) w dY, divided by the sum of w likewise. X is [n, c, ...].
 */
export const softmaxCrossEntropyLoss = rule<"SoftmaxCrossEntropyLoss">({
  scores: (c) => {
    const { b, x } = c;
    const { chosen, weight, slope } = partsOf(c, x.scores);
    return b.mul(b.sub(b.mul(b.op("Softmax", [x.scores], { axis: int(1) }), weight), chosen), slope);
  },
  labels: null,
  weights: null,
});

/** Y = -w X[label], reduced as above. dX = -(one-hot label) w dY, divided by the sum of w likewise. */
export const negativeLogLikelihoodLoss = rule<"NegativeLogLikelihoodLoss">({
  input: ({ x, ...c }) => {
    const { chosen, slope } = partsOf({ ...c, x: { labels: x.target, weights: x.weight } }, x.input);
    return c.b.mul(c.b.neg(chosen), slope);
  },
  target: null,
  weight: null,
});

interface LossParts {
  /** w at the label, 0 at the other classes [n, c, ...]. */
  readonly chosen: Value;
  /** w [n, 1, ...]. */
  readonly weight: Value;
  /** The gradient of each element of the unreduced, weighted loss [n, 1, ...] or []. */
  readonly slope: Value;
}

function partsOf(c: VjpContext<"labels" | "weights">, scores: Value): LossParts {
  const { b, node, x, dy, shapeOf, dtypeOf } = c;
  const [dtype, rank] = [dtypeOf(scores), shapeOf(scores).length];
  const classes = sizeList(b, [sizeAt(c, scores, 1)]);
  const ignored = intOf(node, "ignore_index", undefined);
  const labels = ignored === undefined ? x.labels : withoutLabel(c, ignored, classes);
  const values = b.constant(tensor("float32", [2], Float32Array.of(0, 1)));
  const hot = b.cast(b.op("OneHot", [labels, classes, values], { axis: int(1) }), dtype);
  const table = x.weights && b.reshape(x.weights, b.ints([-1, ...Array.from({ length: rank - 2 }, () => 1)]));
  const chosen = table ? b.mul(hot, table) : hot;
  const weight = b.reduceSum(chosen, { axes: [1] });
  const reduction = stringOf(node, "reduction", "mean");
  if (reduction === "none") return { chosen, weight, slope: b.op("Unsqueeze", [dy, b.ints([1])]) };
  return { chosen, weight, slope: reduction === "sum" ? dy : b.div(dy, b.reduceSum(weight, { keepdims: false })) };
}

/** The labels with another one instead of that which is ignored: one that no class has. */
function withoutLabel({ b, x, dtypeOf }: VjpContext<"labels" | "weights">, ignored: number, classes: Value): Value {
  const dtype = dtypeOf(x.labels);
  return b.op("Where", [b.op("Equal", [x.labels, b.scalar(ignored, dtype)]), b.cast(classes, dtype), x.labels]);
}
