/** Gradient rules of operators that pick elements by position, or put them there. */
import { int, intOf, string, stringOf } from "../../graph/attributes.ts";
import type { Node, Value } from "../../graph/graph.ts";
import { zeros } from "../../tensor/tensor.ts";
import { rule, type VjpContext, type VjpRule } from "../rule.ts";
import { frontAxis, numbersOf, placeAlong, productAt, reshapeLike, type Size, sizeList, sizesOf } from "./sizes.ts";

/** Y[i, j] = X[indices[i, j], j] (along `axis`). dX = dY added up at the gathered places, 0 elsewhere. */
export const gatherElements = rule<"GatherElements">({
  data: ({ b, node, x, dy, dtypeOf }) =>
    b.op("ScatterElements", [b.zerosLike(x.data, dtypeOf(x.data)), x.indices, dy], {
      axis: int(intOf(node, "axis", 0)),
      reduction: string("add"),
    }),
  indices: null,
});

/**
 * Y = X's slices along `axis` at the indices, whose shape replaces the axis. dX = dY added up at the gathered places, 0
 * elsewhere: dY's own slices among zeros where the places are constant and differ, a product with a matrix of ones and
 * zeros for a short first axis, as that of a table of position biases.
 */
export const gather = rule<"Gather">({
  data: (c) => {
    const { b, node, x, shapeOf, constantOf } = c;
    const shape = shapeOf(x.data);
    const axis = frontAxis(intOf(node, "axis", 0), shape.length);
    const size = shape[axis]!;
    const places = numbersOf(constantOf(x.indices))?.map((i) => (i < 0 ? i + Number(size) : i));
    const isKnown = places && typeof size === "number";
    if (isKnown && new Set(places).size === places.length)
      return placeAlong(b, joinIndexAxes(c, axis), axis, places, size);
    if (axis === 0 && typeof size === "number" && size <= SHORT) return multiplyOneHot(c, size);
    const column = b.reshape(x.indices, b.ints([1, -1, 1]));
    return addSlices(c, column, { start: axis, end: axis + 1, countAxes: shapeOf(x.indices).length });
  },
  indices: null,
});

/** Up to this size, a product with a dense matrix is faster than adding element by element. */
const SHORT = 512;

/** dY of Gather with the axes of the indices made one. */
function joinIndexAxes(c: VjpContext<"data" | "indices">, axis: number): Value {
  const { b, x, dy, shapeOf } = c;
  const rank = shapeOf(x.indices).length;
  if (rank === 1) return dy;
  if (rank === 0) return b.op("Unsqueeze", [dy, b.ints([axis])]);
  const target = shapeOf(x.data).map((dim, i): Size => {
    if (i === axis) return productAt(c, x.indices, 0, rank);
    return typeof dim === "number" ? dim : sizesOf(b, x.data, i, i + 1);
  });
  return b.op("Reshape", [dy, sizeList(b, target)], { allowzero: int(1) });
}

/** dX [size, rest] = the matrix that has a 1 in each column, at its index [size, count] · dY [count, rest]. */
function multiplyOneHot(c: VjpContext<"data" | "indices">, size: number): Value {
  const { b, x, dy, shapeOf, dtypeOf } = c;
  const indices = b.reshape(x.indices, b.ints([-1]));
  const values = b.constant({ dtype: "float32", shape: [2], data: Float32Array.of(0, 1) });
  const matrix = b.cast(b.op("OneHot", [indices, b.ints([size]), values], { axis: int(0) }), dtypeOf(x.data));
  const rest = productAt(c, x.data, 1, shapeOf(x.data).length);
  const count = productAt(c, x.indices, 0, shapeOf(x.indices).length);
  const slices = b.op("Reshape", [dy, sizeList(b, [count, rest])], { allowzero: int(1) });
  return reshapeLike(b, b.matmul(matrix, slices), x.data);
}

/** Which axes of X the indices address, and how many axes of dY count the indices. */
interface Addressed {
  readonly start: number;
  readonly end: number;
  readonly countAxes: number;
}

/**
 * Zeros of X's shape, to which dY's slices are added at indices [1 or before, count, 1] of X as [before, addressed,
 * after]. ScatterND would be faster, but ONNX Runtime adds from several threads without a lock.
 */
function addSlices(c: VjpContext<"data" | "indices">, indices: Value, { start, end, countAxes }: Addressed): Value {
  const { b, x, dy, y, shapeOf, dtypeOf } = c;
  const [before, addressed] = [productAt(c, x.data, 0, start), productAt(c, x.data, start, end)];
  const after = productAt(c, x.data, end, shapeOf(x.data).length);
  const count = productAt(c, y, start, start + countAxes);
  const slices = b.op("Reshape", [dy, sizeList(b, [before, count, after])], { allowzero: int(1) });
  const everywhere = b.op("Expand", [indices, b.op("Shape", [slices])]);
  const base = b.op("ConstantOfShape", [sizeList(b, [before, addressed, after])], {
    value: { kind: "tensor", value: zeros(dtypeOf(x.data), [1]) },
  });
  const sum = b.op("ScatterElements", [base, everywhere, slices], { axis: int(1), reduction: string("add") });
  return reshapeLike(b, sum, x.data);
}

/**
 * Y = X's slices at the positions that the last axis of the indices names, behind `batch_dims` axes that X and the
 * indices share. dX = dY added up at the gathered places, 0 elsewhere.
 */
export const gatherNd: VjpRule<"GatherND"> = {
  ...rule<"GatherND">({
    data: (c) => {
      const { b, node, x, shapeOf } = c;
      const start = intOf(node, "batch_dims", 0);
      const rank = shapeOf(x.indices).length;
      const depth = Number(shapeOf(x.indices).at(-1));
      const end = start + depth;
      const strides = Array.from({ length: depth }, (_, i) => productAt(c, x.data, start + i + 1, end));
      const positions = b.op("Mod", [x.indices, sizesOf(b, x.data, start, end)]); // counted from the front
      const offsets = b.reduceSum(b.mul(positions, sizeList(b, strides)), { axes: [-1] });
      const shape = [productAt(c, x.data, 0, start), productAt(c, x.indices, start, rank - 1), 1];
      const indices = b.op("Reshape", [offsets, sizeList(b, shape)], { allowzero: int(1) });
      return addSlices(c, indices, { start, end, countAxes: rank - 1 - start });
    },
    indices: null,
  }),
  unsupported: (node, shapeOf) => {
    const shape = shapeOf(node.inputs[1]!);
    return shape && typeof shape.at(-1) !== "number" ? "an unknown number of axes that are addressed" : undefined;
  },
};

/** Scatter operators are covered where they overwrite or add: other reductions would need a slope for each element. */
const overwritesOrAdds = (node: Node): string | undefined => {
  const reduction = stringOf(node, "reduction", "none");
  return reduction === "none" || reduction === "add" ? undefined : `reduction=${reduction}`;
};

/** dX of a scatter: where elements were overwritten, 0. */
function keptPart({ b, node, x, dy, dtypeOf }: VjpContext<"data" | "indices" | "updates">): Value {
  if (stringOf(node, "reduction", "none") === "add") return dy;
  return b.op(node.op, [dy, x.indices, b.zerosLike(x.updates, dtypeOf(x.data))], node.attributes);
}

/**
 * Y = X with updates put at the indices along `axis`, or added there. dX = dY, 0 where X was overwritten; dU = dY at the
 * indices. Of several updates that overwrite one place each gets all, as PyTorch, which leaves the order open.
 */
export const scatterElements: VjpRule<"ScatterElements"> = {
  ...rule<"ScatterElements">({
    data: keptPart,
    indices: null,
    updates: ({ b, node, x, dy }) => b.op("GatherElements", [dy, x.indices], { axis: int(intOf(node, "axis", 0)) }),
  }),
  unsupported: overwritesOrAdds,
};

/** Y = X with slices put, or added, at the positions in the last axis of the indices. Gradients as of ScatterElements. */
export const scatterNd: VjpRule<"ScatterND"> = {
  ...rule<"ScatterND">({
    data: keptPart,
    indices: null,
    updates: ({ b, x, dy }) => b.op("GatherND", [dy, x.indices]),
  }),
  unsupported: overwritesOrAdds,
};

/** Y = the k largest (or smallest) of X along `axis`, and their positions. dX = dY there, 0 elsewhere. */
export const topK = rule<"TopK">({
  X: ({ b, node, x, dy, dtypeOf }) => {
    const indices = node.outputs[1] || b.ops("TopK", [x.X, x.K], 2, node.attributes)[1]!;
    const base = b.zerosLike(x.X, dtypeOf(x.X));
    return b.op("ScatterElements", [base, indices, dy], { axis: int(intOf(node, "axis", -1)) });
  },
  K: null,
});
