/** Gradient rules of operators that move elements without computing. */
import { intOf, intsOf } from "../../graph/attributes.ts";
import { rule, type VjpContext, type VjpRule } from "../rule.ts";

/** Y = X. dX = dY. */
export const identity = rule<"Identity">({ input: ({ dy }) => dy });

/** Y = X in another float type. dX = dY in X's type. */
export const cast: VjpRule<"Cast"> = {
  ...rule<"Cast">({ input: ({ b, x, dy, dtypeOf }) => b.cast(dy, dtypeOf(x.input)) }),
  unsupported: (node) => {
    const floats = [1, 10, 11, 16]; // ONNX's float32, float16, float64 and bfloat16
    return floats.includes(intOf(node, "to", 0)) ? undefined : "Cast to a whole-number type";
  },
};

/** Operators that only change the shape: dX = dY in X's shape. */
const toShapeOf =
  <K extends "data" | "input">(name: K) =>
  ({ b, x, dy }: VjpContext<K>) =>
    b.reshape(dy, b.op("Shape", [x[name]]));
export const reshape = rule<"Reshape">({ data: toShapeOf("data"), shape: null });
export const flatten = rule<"Flatten">({ input: toShapeOf("input") });
export const squeeze = rule<"Squeeze">({ data: toShapeOf("data"), axes: null });
export const unsqueeze = rule<"Unsqueeze">({ data: toShapeOf("data"), axes: null });

/** Y = X with its axes permuted. dX = dY permuted back. */
export const transpose = rule<"Transpose">({
  data: ({ b, node, x, dy, shapeOf }) => {
    const axes = shapeOf(x.data).map((_, i) => i);
    const perm = intsOf(node, "perm", axes.toReversed());
    return b.transpose(
      dy,
      axes.map((axis) => perm.indexOf(axis)),
    );
  },
});

/** Y[i, j] = X[indices[i, j], j] (along `axis`). dX = dY added up at the gathered places, 0 elsewhere. */
export const gatherElements = rule<"GatherElements">({
  data: ({ b, node, x, dy, dtypeOf }) => {
    const zeros = b.zerosLike(x.data, dtypeOf(x.data));
    return b.op("ScatterElements", [zeros, x.indices, dy], {
      axis: { kind: "int", value: intOf(node, "axis", 0) },
      reduction: { kind: "string", value: "add" },
    });
  },
  indices: null,
});

/** Whole-number results carry no gradient. */
export const shape = rule<"Shape">({ data: null });
export const size = rule<"Size">({ data: null });
