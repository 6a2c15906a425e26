/** Gradient rules of sums and means. */
import { intOf } from "../../graph/attributes.ts";
import type { Value } from "../../graph/graph.ts";
import { rule, type VjpContext } from "../rule.ts";

/** Y = sum of X over `axes`. dX = dY repeated along them. */
export const reduceSum = rule<"ReduceSum">({ data: (c) => spread(c, c.dy), axes: null });

/** Y = mean of X over `axes`. dX = dY / n repeated along them, n = elements of X per element of Y. */
export const reduceMean = rule<"ReduceMean">({
  data: (c) => {
    const { b, x, y, dy, dtypeOf } = c;
    const size = (value: Value): Value => b.cast(b.op("Size", [value]), dtypeOf(x.data));
    return spread(c, b.div(dy, b.div(size(x.data), size(y))));
  },
  axes: null,
});

/** Repeats a value of the reduced shape along the reduced axes. */
function spread({ b, node, x, shapeOf }: VjpContext<"data" | "axes">, dy: Value): Value {
  const target = b.op("Shape", [x.data]);
  if (intOf(node, "keepdims", 1) === 1) return b.op("Expand", [dy, target]);
  // Without axes everything is reduced to a scalar, which expands to any shape.
  if (x.axes === "") return shapeOf(x.data).length === 0 ? dy : b.op("Expand", [dy, target]);
  return b.op("Expand", [b.op("Unsqueeze", [dy, x.axes]), target]);
}
