/** Gradient rules of operators that move elements without computing. */
import { int, intOf, intsOf, string, stringOf } from "../../graph/attributes.ts";
import { broadcasting, rule, type VjpContext, type VjpRule } from "../rule.ts";
import { frontAxis, plus, reshapeLike, type Size, sizeAt, sizeList, sizesOf, sliceAxis } from "./sizes.ts";

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

/** Y = X in the float type of another value. dX = dY in X's type. */
export const castLike: VjpRule<"CastLike"> = {
  ...rule<"CastLike">({ input: ({ b, x, dy, dtypeOf }) => b.cast(dy, dtypeOf(x.input)), target_type: null }),
};

/** Operators that only change the shape: dX = dY in X's shape. */
const toShapeOf =
  <K extends "data" | "input">(name: K) =>
  ({ b, x, dy }: VjpContext<K>) =>
    reshapeLike(b, dy, x[name]);
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

/** Y = the inputs one behind the other along `axis`. dX = the part of dY that X became. */
export const concat: VjpRule<"Concat"> = {
  ...rule<"Concat">({
    inputs: (c) => {
      const { b, node, index, y, dy, shapeOf } = c;
      const axis = frontAxis(intOf(node, "axis"), shapeOf(y).length);
      const start = node.inputs.slice(0, index).reduce<Size>((sum, x) => plus(b, sum, sizeAt(c, x, axis)), 0);
      return sliceAxis(b, dy, axis, start, plus(b, start, sizeAt(c, node.inputs[index]!, axis)));
    },
  }),
  variadic: true,
};

/** Y1, Y2, … = X cut along `axis`. dX = dY1, dY2, … one behind the other. */
export const split: VjpRule<"Split"> = {
  ...rule<"Split">({
    input: ({ b, node, dyOf }) => {
      const parts = node.outputs.map((_, i) => dyOf(i));
      return b.op("Concat", parts, { axis: int(intOf(node, "axis", 0)) });
    },
    split: null,
  }),
  outputs: "all",
};

/** Y = X repeated to a shape that X broadcasts to. dX = dY, summed over the copies by the driver. */
export const expand = broadcasting<"Expand">({ input: ({ dy }) => dy, shape: null });

/** Y = X repeated `repeats` times along each axis. dX = the sum of the copies' dY. */
export const tile = rule<"Tile">({
  input: ({ b, x, dy, shapeOf }) => {
    const rank = shapeOf(x.input).length;
    if (rank === 0) return dy;
    const columns = [x.repeats, b.op("Shape", [x.input])].map((list) => b.op("Unsqueeze", [list, b.ints([1])]));
    const split = b.reshape(b.op("Concat", columns, { axis: int(1) }), b.ints([-1])); // [r0, d0, r1, d1, …]
    const copies = b.op("Reshape", [dy, split], { allowzero: int(1) });
    return b.reduceSum(copies, { axes: Array.from({ length: rank }, (_, i) => 2 * i), keepdims: false });
  },
  repeats: null,
});

/** Y [n, c / s², h s, w s] = X [n, c, h, w] with s × s channels laid out as a block. dX = dY's blocks as channels again. */
export const depthToSpace = rule<"DepthToSpace">({
  input: ({ b, node, x, y, dy, shapeOf }) => {
    const blocksize = intOf(node, "blocksize");
    const channels = b.op("SpaceToDepth", [dy], { blocksize: int(blocksize) }); // [n, s² c', h, w]
    if (stringOf(node, "mode", "DCR") === "DCR") return channels;
    const depth = shapeOf(y)[1]!;
    const depths: Size = typeof depth === "number" ? depth : sizesOf(b, y, 1, 2);
    const split = b.reshape(channels, sizeList(b, [0, blocksize * blocksize, depths, -1])); // [n, s², c', h w]
    return reshapeLike(b, b.transpose(split, [0, 2, 1, 3]), x.input);
  },
});

/** Y [n, c s², h / s, w / s] = X [n, c, h, w] with s × s blocks as channels. dX = dY's channels as blocks again. */
export const spaceToDepth = rule<"SpaceToDepth">({
  input: ({ b, node, dy }) =>
    b.op("DepthToSpace", [dy], { blocksize: int(intOf(node, "blocksize")), mode: string("DCR") }),
});

/** Y = the upper or lower triangle of X, 0 elsewhere. dX = the same triangle of dY. */
export const trilu = rule<"Trilu">({
  input: ({ b, node, x, dy }) => b.op("Trilu", x.k === "" ? [dy] : [dy, x.k], node.attributes),
  k: null,
});

/** Y = running sums of X along `axis`. dX = running sums of dY in the other direction, exclusive where Y's are. */
export const cumSum = rule<"CumSum">({
  x: ({ b, node, x, dy }) =>
    b.op("CumSum", [dy, x.axis], {
      exclusive: int(intOf(node, "exclusive", 0)),
      reverse: int(1 - intOf(node, "reverse", 0)),
    }),
  axis: null,
});

/** Whole-number results carry no gradient. */
export const shape = rule<"Shape">({ data: null });
export const size = rule<"Size">({ data: null });
