/** Operators that change spatial sizes: resizing, padding, and moving blocks between depth and space. */
import { intOf, intsOf, stringOf } from "../attributes.ts";
import { type Dim, formatShape } from "../graph.ts";
import {
  axisOf,
  type Contents,
  floatsOf,
  like,
  listOf,
  mismatch,
  type RuleContext,
  type ShapeRule,
  shapeOf,
  shapeOfRank,
  unknownDim,
  unknownShape,
} from "./rule.ts";

/** Resize: scales (input 2, or 1 at opset 10) or sizes (input 3), for all axes or for `axes`. */
export const resize: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  if (!x) return like(c, undefined);
  const axes = (intsOf(c.node, "axes", undefined) ?? x.map((_, i) => i)).map((axis) => axisOf(c, axis, x.length));
  const sizes = c.inputs[3]?.contents;
  const scales = floatsOf(c, c.node.op === "Upsample" || c.opset < 11 ? 1 : 2, "scales");
  const shape: Dim[] = [...x];
  const policy = stringOf(c.node, "keep_aspect_ratio_policy", "stretch");
  for (const [i, axis] of axes.entries())
    shape[axis] = resizedAxis(c, { x: x[axis]!, axis, scale: scales?.[i], size: sizes?.[i] });
  if (!sizes || policy === "stretch") return like(c, shape);
  return like(c, keptRatio(c, x, axes, sizes, policy));
};

function resizedAxis(
  c: RuleContext,
  { x, axis, scale, size }: { x: Dim; axis: number; scale: number | undefined; size: Dim | undefined },
): Dim {
  if (size !== undefined) return size;
  if (scale === undefined) return unknownDim(c, axis);
  if (typeof x === "number") return Math.floor(Math.fround(x * scale));
  if (Number.isInteger(scale)) return c.dims.mul(x, scale);
  const inverse = 1 / scale;
  return (Number.isInteger(inverse) ? c.dims.floorDivide(x, inverse) : undefined) ?? unknownDim(c, axis);
}

/** One scale for all axes: the smallest ("not_larger") or largest ("not_smaller") of those that the sizes ask for. */
function keptRatio(c: RuleContext, x: readonly Dim[], axes: readonly number[], sizes: Contents, policy: string): Dim[] {
  const known = axes.map((axis, i) => [x[axis], sizes[i]] as const);
  const scales = known.map(([from, to]) =>
    typeof from === "number" && typeof to === "number" ? to / from : Number.NaN,
  );
  const scale = policy === "not_larger" ? Math.min(...scales) : Math.max(...scales);
  return x.map((dim, axis) => {
    if (!axes.includes(axis)) return dim;
    return Number.isNaN(scale) || typeof dim === "string" ? unknownDim(c, axis) : Math.round(dim * scale);
  });
}

/** GridSample: X [n, c, ...in], grid [n, ...out, rank]. Y [n, c, ...out]. */
export const gridSample: ShapeRule = (c) => {
  const x = shapeOfRank(c, 0, 3);
  const grid = shapeOfRank(c, 1, 3);
  return like(c, x && grid && [x[0]!, x[1]!, ...grid.slice(1, -1)]);
};

/** RoiAlign: X [n, c, h, w], regions [r, 4]. Y [r, c, output_height, output_width]. */
export const roiAlign: ShapeRule = (c) => {
  const x = shapeOfRank(c, 0, 4);
  const regions = shapeOf(c, 1);
  const sizes = [intOf(c.node, "output_height", 1), intOf(c.node, "output_width", 1)];
  return like(c, [regions?.[0] ?? unknownDim(c, 0), x?.[1] ?? unknownDim(c, 1), ...sizes]);
};

/** Pad: begins then ends, for all axes or for those in input 3; negative pads crop. */
export const pad: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  if (!x) return like(c, undefined);
  const pads: Contents | undefined = intsOf(c.node, "pads", undefined) ?? c.inputs[1]?.contents;
  const given = listOf(c, 3, "axes");
  if (!pads || given === undefined) return like(c, unknownShape(c, x.length));
  const axes = given === "absent" ? x.map((_, i) => i) : given.map((axis) => axisOf(c, axis, x.length));
  if (pads.length !== 2 * axes.length)
    throw mismatch(c.node, `${2 * axes.length} pads for an input ${formatShape(x)}`, `[${pads}]`);
  const shape: Dim[] = [...x];
  for (const [i, axis] of axes.entries()) {
    const [begin, end] = [pads[i], pads[i + axes.length]];
    shape[axis] =
      begin === undefined || end === undefined ? unknownDim(c, axis) : c.dims.add(x[axis]!, c.dims.add(begin, end));
    if (typeof shape[axis] === "number" && shape[axis] < 0)
      throw mismatch(c.node, `pads that leave a size of at least 0 of ${formatShape(x)}`, `[${pads}]`);
  }
  return like(c, shape);
};

/** DepthToSpace: [n, c, h, w] to [n, c / b^2, h b, w b]. */
export const depthToSpace: ShapeRule = (c) =>
  blocks(c, ([n, depth, h, w], b) => {
    const channels = c.dims.divideExact(depth, b * b);
    if (channels === undefined && typeof depth === "number")
      throw mismatch(c.node, `channels divisible by ${b * b}`, String(depth));
    return [n, channels ?? unknownDim(c, 1), c.dims.mul(h, b), c.dims.mul(w, b)];
  });

/** SpaceToDepth: [n, c, h, w] to [n, c b^2, h / b, w / b]. */
export const spaceToDepth: ShapeRule = (c) =>
  blocks(c, ([n, depth, h, w], b) => {
    const divided = [h, w].map((size, i) => {
      const part = c.dims.divideExact(size, b);
      if (part === undefined && typeof size === "number")
        throw mismatch(c.node, `spatial sizes divisible by ${b}`, String(size));
      return part ?? unknownDim(c, i + 2);
    });
    return [n, c.dims.mul(depth, b * b), ...divided];
  });

function blocks(
  c: RuleContext,
  rearrange: (x: readonly [Dim, Dim, Dim, Dim], block: number) => Dim[],
): ReturnType<ShapeRule> {
  const x = shapeOf(c, 0);
  if (!x) return like(c, undefined);
  const [n, depth, h, w] = x;
  if (n === undefined || depth === undefined || h === undefined || w === undefined || x.length !== 4) {
    throw mismatch(c.node, "an input of 4 dimensions", formatShape(x));
  }
  return like(c, rearrange([n, depth, h, w], intOf(c.node, "blocksize", 1)));
}
