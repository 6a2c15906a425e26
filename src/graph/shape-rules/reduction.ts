/** Reductions, positions of extremes, and running sums. */
import { intOf } from "../attributes.ts";
import type { Dim, Shape } from "../graph.ts";
import { withContents } from "./elementwise.ts";
import {
  axisAttribute,
  axisOf,
  type Inferred,
  like,
  listOf,
  numbersOf,
  type RuleContext,
  type ShapeRule,
  shapeOf,
  shapeOfRank,
  typed,
  unknownDim,
  unknownShape,
} from "./rule.ts";

/** ReduceSum and its family: axes are an attribute or input 1; without axes everything is reduced, unless told not to. */
export const reduce = (c: RuleContext): Inferred[] => {
  const x = shapeOf(c, 0);
  const axes = listOf(c, 1, "axes");
  const keep = intOf(c.node, "keepdims", 1) === 1;
  if (axes === undefined || !x) return like(c, x && reducedByUnknown(c, x, keep));
  const none = axes === "absent" || axes.length === 0;
  if (none && intOf(c.node, "noop_with_empty_axes", 0) === 1) return like(c, x);
  const gone = new Set(none ? x.keys() : axes.map((axis) => axisOf(c, axis, x.length)));
  return like(c, reduced(x, gone, keep));
};

/** ReduceProd is how exporters count elements: the product of a shape is followed. */
export const reduceProd: ShapeRule = (c) => {
  const contents = c.inputs[0]?.contents;
  const known = contents?.every((element) => element !== undefined) ? contents : undefined;
  return withContents(reduce(c), known && [c.dims.product(known)]);
};

/** ArgMax, ArgMin: positions along one axis. */
export const argReduce: ShapeRule = (c) => {
  const x = shapeOfRank(c, 0, 1);
  if (!x) return typed("int64", undefined);
  return typed("int64", reduced(x, new Set([axisAttribute(c, x.length, 0)]), intOf(c.node, "keepdims", 1) === 1));
};

/** TopK: values and positions, `k` of them along the axis. */
export const topK: ShapeRule = (c) => {
  const x = shapeOfRank(c, 0, 1);
  if (!x) return [...like(c, undefined), { dtype: "int64" }];
  const axis = axisAttribute(c, x.length, -1);
  const k: Dim = intOf(c.node, "k", undefined) ?? c.inputs[1]?.contents?.[0] ?? unknownDim(c, axis);
  const shape = x.map((dim, i) => (i === axis ? k : dim));
  return [...like(c, shape), { dtype: "int64", shape }];
};

/** CumSum: the axis is a constant scalar. */
export const cumSum: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  const [axis] = numbersOf(c.inputs[1]?.contents) ?? [];
  if (x && axis !== undefined) axisOf(c, axis, x.length);
  return like(c, x);
};

function reduced(x: Shape, gone: ReadonlySet<number>, keep: boolean): Shape {
  return keep ? x.map((dim, i) => (gone.has(i) ? 1 : dim)) : x.filter((_, i) => !gone.has(i));
}

/** The rank is known where the reduced dimensions stay, or where only the number of axes is known. */
function reducedByUnknown(c: RuleContext, x: Shape, keep: boolean): Shape | undefined {
  if (keep) return unknownShape(c, x.length);
  const [count] = shapeOf(c, 1) ?? [];
  return typeof count === "number" && count > 0 ? unknownShape(c, x.length - count) : undefined;
}
