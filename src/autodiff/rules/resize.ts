/** Gradient rule of Resize. */
import { floatOf, int, intOf, ints, intsOf, stringOf } from "../../graph/attributes.ts";
import type { Node, Shape, Value } from "../../graph/graph.ts";
import { sizeOf, zeros } from "../../tensor/tensor.ts";
import { type ConstantOf, rule, type VjpContext, type VjpRule } from "../rule.ts";
import { type AxisResize, type ResizeOptions, resizeTaps } from "./interpolation.ts";
import { frontAxis, numbersOf, type Size, sizeList, sizesOf } from "./sizes.ts";

type ResizeContext = VjpContext<"X" | "roi" | "scales" | "sizes">;

/**
 * Y = X along some axes at other positions (https://onnx.ai/onnx/operators/onnx__Resize.html), which is a matrix M
 * [to, from] for each axis. dX = Mᵀ dY along each of them. Where every element is repeated equally often, as in nearest
 * upsampling by whole numbers, that is the sum of the copies.
 */
export const resize: VjpRule<"Resize"> = {
  ...rule<"Resize">({
    X: (c) => {
      const { node, x, y, dy, shapeOf, constantOf } = c;
      const shapes = { from: shapeOf(x.X), to: shapeOf(y) };
      const axes = resizedAxes(node, shapes, constantOf);
      const taps = axes.map((axis) => resizeTaps(axis, optionsOf(node)));
      const repeats = axes.flatMap(({ axis, from }, i) => {
        const count = repeatsOf(taps[i]!, from);
        return count === undefined ? [] : [[axis, count] as const];
      });
      if (repeats.length === axes.length) return sumCopies(c, new Map(repeats));
      return axes.reduceRight((value, axis, i) => applyTransposed(c, value, axis, taps[i]!), dy);
    },
    roi: null,
    scales: null,
    sizes: null,
  }),
  unsupported: (node, shapeOf, constantOf) => {
    const coordinates = stringOf(node, "coordinate_transformation_mode", "half_pixel");
    if (!COORDINATES.includes(coordinates)) return `coordinate_transformation_mode=${coordinates}`;
    const [x = "", , scales = "", sizes = ""] = node.inputs;
    const shapes = { from: shapeOf(x), to: shapeOf(node.outputs[0]!) };
    if (!shapes.from || !shapes.to) return undefined;
    if (sizes === "" && !constantOf(scales)) return "scales that are computed";
    const policy = stringOf(node, "keep_aspect_ratio_policy", "stretch");
    if (sizes !== "" && policy !== "stretch" && !constantOf(sizes))
      return `keep_aspect_ratio_policy=${policy} with sizes that are computed`;
    const unknown = resizedAxes(node, { from: shapes.from, to: shapes.to }, constantOf).some(
      ({ from, to }) => Number.isNaN(from) || Number.isNaN(to),
    );
    return unknown ? "sizes that are not known numbers" : undefined;
  },
};

const COORDINATES: readonly string[] =
  "half_pixel asymmetric align_corners pytorch_half_pixel half_pixel_symmetric".split(" ");

function optionsOf(node: Node): ResizeOptions {
  return {
    mode: stringOf(node, "mode", "nearest") as ResizeOptions["mode"], // ONNX has these three
    coordinates: stringOf(node, "coordinate_transformation_mode", "half_pixel"),
    nearest: stringOf(node, "nearest_mode", "round_prefer_floor"),
    cubic: floatOf(node, "cubic_coeff_a", -0.75),
    excludeOutside: intOf(node, "exclude_outside", 0) === 1,
    antialias: intOf(node, "antialias", 0) === 1,
  };
}

/** The axes along which something changes; sizes that are not known are NaN. */
function resizedAxes(
  node: Node,
  { from, to }: { readonly from: Shape; readonly to: Shape },
  constantOf: ConstantOf,
): ResizedAxis[] {
  const axes = intsOf(node, "axes", undefined)?.map((axis) => frontAxis(axis, from.length)) ?? [...from.keys()];
  const [scales, sizes] = [2, 3].map((input) => numbersOf(constantOf(node.inputs[input] ?? "")));
  if (from.every((dim, axis) => dim === to[axis])) return []; // ONNX Runtime copies X then, whatever the scales are
  const common = commonScale(node, axes, from, sizes);
  return axes
    .map((axis, i) => {
      const [own, result] = [Number(from[axis]), Number(to[axis])];
      return { axis, from: own, to: result, scale: common ?? scales?.[i] ?? Math.fround(result / own) };
    })
    .filter(({ axis, scale }) => from[axis] !== to[axis] || (scale !== 1 && !Number.isNaN(scale)));
}

interface ResizedAxis extends AxisResize {
  readonly axis: number;
}

/** Policies that keep the aspect ratio take one scale for all axes: the smallest or largest that the sizes ask for. */
function commonScale(
  node: Node,
  axes: readonly number[],
  from: Shape,
  sizes: readonly number[] | undefined,
): number | undefined {
  const policy = stringOf(node, "keep_aspect_ratio_policy", "stretch");
  if (policy === "stretch" || !sizes) return undefined;
  const ratios = axes.map((axis, i) => Math.fround(sizes[i]! / Number(from[axis])));
  return policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
}

type Taps = ReturnType<typeof resizeTaps>;

/** How often each of `from` positions of X is copied, in order, if that is equally often. */
function repeatsOf(taps: Taps, from: number): number | undefined {
  const count = taps.length / from;
  const isEven = Number.isInteger(count) && count > 0;
  return isEven && taps.every((tap, i) => tap.length === 1 && tap[0]!.at === Math.floor(i / count)) ? count : undefined;
}

/** The sum of the copies of each element: for images a mean over windows that do not overlap, times their size. */
function sumCopies(c: ResizeContext, repeats: ReadonlyMap<number, number>): Value {
  const { b, x, dy, shapeOf, dtypeOf } = c;
  const shape = shapeOf(x.X);
  if (repeats.size === 0) return dy;
  const isImage = dtypeOf(x.X) === "float32" && shape.length <= 5 && [...repeats.keys()].every((axis) => axis >= 2);
  if (!isImage) return sumGroups(c, repeats);
  const counts = shape.slice(2).map((_, i) => repeats.get(i + 2) ?? 1);
  const means = b.op("AveragePool", [dy], { kernel_shape: ints(counts), strides: ints(counts) });
  return b.mul(means, b.scalar(sizeOf(counts)));
}

/** [.., from · count, ..] → [.., from, count, ..] for each axis, and the sum over the counts. */
function sumGroups({ b, x, dy, shapeOf }: ResizeContext, repeats: ReadonlyMap<number, number>): Value {
  const sizes: Size[] = [];
  const axes: number[] = [];
  for (const [axis, dim] of shapeOf(x.X).entries()) {
    sizes.push(typeof dim === "number" ? dim : sizesOf(b, x.X, axis, axis + 1));
    const count = repeats.get(axis);
    if (count === undefined) continue;
    axes.push(sizes.length);
    sizes.push(count);
  }
  const groups = b.op("Reshape", [dy, sizeList(b, sizes)], { allowzero: int(1) });
  return b.reduceSum(groups, { axes, keepdims: false });
}

/** Mᵀ dY along an axis. The two last axes are those of matrices; others are moved there. */
function applyTransposed(c: ResizeContext, dy: Value, { axis, from, to }: ResizedAxis, taps: Taps): Value {
  const { b, x, shapeOf, dtypeOf } = c;
  const rank = shapeOf(x.X).length;
  const matrix = zeros("float32", axis === rank - 1 ? [to, from] : [from, to]);
  for (const [i, row] of taps.entries()) {
    for (const { at, weight } of row) matrix.data[axis === rank - 1 ? i * from + at : at * to + i]! += weight;
  }
  const dtype = dtypeOf(x.X);
  const m = dtype === "float32" ? b.constant(matrix) : b.cast(b.constant(matrix), dtype);
  if (axis === rank - 1) return b.matmul(dy, m);
  if (axis === rank - 2) return b.matmul(m, dy);
  const perm = Array.from({ length: rank }, (_, i) => (i === axis ? rank - 2 : i === rank - 2 ? axis : i));
  return b.transpose(b.matmul(m, b.transpose(dy, perm)), perm);
}
