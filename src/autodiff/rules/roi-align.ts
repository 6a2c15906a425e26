/** Gradient rule of RoiAlign. */
import { floatOf, int, intOf, stringOf } from "../../graph/attributes.ts";
import type { Value } from "../../graph/graph.ts";
import { tensor } from "../../tensor/tensor.ts";
import { rule, type VjpContext, type VjpRule } from "../rule.ts";
import { sizeAt, sizeList } from "./sizes.ts";

type RoiContext = VjpContext<"X" | "rois" | "batch_indices">;

/**
 * Y [r, c, ph, pw] = the means of X [n, c, h, w], interpolated linearly at a lattice of points in each bin of each
 * region (Mask R-CNN, arXiv:1703.06870). They are separable: Y of region r = U_r X V_rᵀ with weights U_r [ph, h] and
 * V_r [pw, w], so that dX = the sum of U_rᵀ dY V_r over the regions of an image. Regions carry no gradient, as in
 * PyTorch.
 */
export const roiAlign: VjpRule<"RoiAlign"> = {
  ...rule<"RoiAlign">({
    X: (c) => {
      const { b, x, dy, shapeOf, dtypeOf } = c;
      const [h, w] = shapeOf(x.X).slice(2).map(Number);
      const u = binWeights(c, { from: 1, to: 3, bins: intOf(c.node, "output_height", 1), size: h! }); // [r, ph, h]
      const v = binWeights(c, { from: 0, to: 2, bins: intOf(c.node, "output_width", 1), size: w! }); // [r, pw, w]
      const rows = b.matmul(dy, b.op("Unsqueeze", [v, b.ints([1])])); // [r, c, ph, w]
      const values = b.constant(tensor("float32", [2], Float32Array.of(0, 1)));
      const images = sizeList(b, [sizeAt(c, x.X, 0)]);
      const members = b.op("OneHot", [x.batch_indices, images, values], { axis: int(0) }); // [n, r]
      const own = b.mul(
        b.op("Unsqueeze", [b.cast(members, dtypeOf(x.X)), b.ints([2, 3])]),
        b.op("Unsqueeze", [u, b.ints([0])]),
      ); // [n, r, ph, h]
      // One product sums over the regions and their bins: [n h, r ph] · [r ph, c w].
      const matrices = [b.transpose(own, [0, 3, 1, 2]), b.transpose(rows, [0, 2, 1, 3])];
      const [left, right] = matrices.map((stack) => b.op("Flatten", [stack], { axis: int(2) }));
      const sum = b.reshape(b.matmul(left!, right!), sizeList(b, [-1, h!, sizeAt(c, x.X, 1), w!]));
      return b.transpose(sum, [0, 2, 1, 3]);
    },
    rois: null,
    batch_indices: null,
  }),
  unsupported: (node, shapeOf) => {
    const mode = stringOf(node, "mode", "avg");
    if (mode !== "avg") return `mode=${mode}`;
    const shape = shapeOf(node.inputs[0]!);
    return shape?.slice(2).some((dim) => typeof dim !== "number") ? "sizes that are not known numbers" : undefined;
  },
};

/** One side of the regions: the columns of its ends in `rois`, its number of bins, and the size of X along it. */
interface Side {
  readonly from: number;
  readonly to: number;
  readonly bins: number;
  readonly size: number;
}

/** How much each position of X counts in each bin of each region: [r, bins, size]. */
function binWeights(c: RoiContext, { from, to, bins, size }: Side): Value {
  const { b, node, x, dtypeOf } = c;
  const dtype = dtypeOf(x.X);
  const scalar = (value: number): Value => b.scalar(value, dtype);
  const isHalfPixel = stringOf(node, "coordinate_transformation_mode", "half_pixel") === "half_pixel";
  const unsqueeze = (value: Value, ...axes: number[]): Value => b.op("Unsqueeze", [value, b.ints(axes)]);
  const range = (end: Value): Value => b.op("Range", [scalar(0), end, scalar(1)]);
  const end = (column: number): Value => {
    const scaled = b.mul(
      b.op("Gather", [x.rois, b.ints([column])], { axis: int(1) }),
      scalar(floatOf(node, "spatial_scale", 1)),
    );
    return isHalfPixel ? b.sub(scaled, scalar(0.5)) : scaled; // [r, 1]
  };
  const start = end(from);
  const length = b.sub(end(to), start);
  const bin = b.div(isHalfPixel ? length : b.op("Max", [length, scalar(1)]), scalar(bins)); // [r, 1]

  // The points of a bin: a fixed number, or one for each pixel that the bin covers.
  const ratio = intOf(node, "sampling_ratio", 0);
  const count = ratio > 0 ? scalar(ratio) : b.op("Ceil", [bin]); // [] or [r, 1]
  const atLeastOne = b.op("Max", [count, scalar(1)]);
  const index = range(ratio > 0 ? count : largest(c, count)); // [k]
  const isPoint = b.op("Less", [index, count]); // [k] or [r, k]
  const fraction = b.div(b.add(index, scalar(0.5)), atLeastOne);
  const within = b.add(unsqueeze(range(scalar(bins)), 1), ratio > 0 ? fraction : unsqueeze(fraction, 1)); // [.., bins, k]
  const at = b.add(unsqueeze(start, 2), b.mul(unsqueeze(bin, 2), within)); // [r, bins, k]

  // Points up to one pixel outside show the edge; beyond, nothing.
  const inside = b.op("And", [
    b.op("GreaterOrEqual", [at, scalar(-1)]),
    b.op("And", [b.op("LessOrEqual", [at, scalar(size)]), ratio > 0 ? isPoint : unsqueeze(isPoint, 1)]),
  ]);
  const clipped = unsqueeze(b.op("Clip", [at, scalar(0), scalar(size - 1)]), 3);
  const distance = b.op("Abs", [b.sub(clipped, range(scalar(size)))]);
  const weight = b.op("Max", [b.sub(scalar(1), distance), scalar(0)]); // [r, bins, k, size]
  const counted = b.mul(weight, unsqueeze(b.cast(inside, dtype), 3));
  return b.div(b.reduceSum(counted, { axes: [2], keepdims: false }), ratio > 0 ? atLeastOne : unsqueeze(atLeastOne, 2));
}

/** The largest of some counts, and 1 where there is none. */
function largest({ b, x, dtypeOf }: RoiContext, counts: Value): Value {
  const one = b.reshape(b.scalar(1, dtypeOf(x.X)), b.ints([1]));
  const all = b.op("Concat", [b.reshape(counts, b.ints([-1])), one], { axis: int(0) });
  return b.op("ReduceMax", [all], { keepdims: int(0) });
}
