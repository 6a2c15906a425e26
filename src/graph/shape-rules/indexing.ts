/** Operators that select elements by position. */
import { intOf, intsOf } from "../attributes.ts";
import { type Dim, formatShape } from "../graph.ts";
import { withContents } from "./elementwise.ts";
import {
  axisAttribute,
  axisOf,
  like,
  listOf,
  mismatch,
  type RuleContext,
  type ShapeRule,
  shapeOf,
  shapeOfRank,
  typed,
  unknownDim,
  unknownShape,
} from "./rule.ts";

/** Gather: X's axis is replaced by the shape of the indices. */
export const gather: ShapeRule = (c) => {
  const x = shapeOfRank(c, 0, 1);
  const indices = shapeOf(c, 1);
  if (!x || !indices) return like(c, undefined);
  const axis = axisAttribute(c, x.length, 0);
  const shape = [...x.slice(0, axis), ...indices, ...x.slice(axis + 1)];
  const contents = c.inputs[0]?.contents;
  const picked =
    contents &&
    c.inputs[1]?.contents?.map((i) => (typeof i === "number" ? contents[i < 0 ? i + contents.length : i] : undefined));
  return withContents(like(c, shape), picked);
};

/** GatherElements: Y has the shape of the indices. */
export const gatherElements: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  const indices = shapeOf(c, 1);
  if (x && indices && x.length !== indices.length)
    throw mismatch(c.node, `indices of ${x.length} dimensions`, formatShape(indices));
  return like(c, indices);
};

/** GatherND: the last size of the indices says how many axes of X they address. */
export const gatherNd: ShapeRule = (c) => {
  const x = shapeOfRank(c, 0, 1);
  const indices = shapeOfRank(c, 1, 1);
  const depth = indices?.at(-1);
  if (!x || !indices || typeof depth !== "number") return like(c, undefined);
  const from = intOf(c.node, "batch_dims", 0) + depth;
  if (from > x.length) throw mismatch(c.node, `indices that address at most ${x.length} axes`, formatShape(indices));
  return like(c, [...indices.slice(0, -1), ...x.slice(from)]);
};

/** ScatterElements, ScatterND: Y has the shape of X. */
export const scatter: ShapeRule = (c) => like(c, shapeOf(c, 0));

/** OneHot: a new axis of size `depth`, with the element type of the values. */
export const oneHot: ShapeRule = (c) => {
  const indices = shapeOf(c, 0);
  if (!indices) return like(c, undefined, 2);
  const axis = axisOf(c, intOf(c.node, "axis", -1), indices.length + 1);
  const depth = c.inputs[1]?.contents?.[0] ?? unknownDim(c, axis);
  return like(c, [...indices.slice(0, axis), depth, ...indices.slice(axis)], 2);
};

/** NonZero: positions [rank, count]; the count depends on the data. */
export const nonZero: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  return typed("int64", [x ? x.length : unknownDim(c, 0), unknownDim(c, 1)]);
};

/** NonMaxSuppression: [selected, 3]; how many are selected depends on the data. */
export const nonMaxSuppression: ShapeRule = (c) => typed("int64", [unknownDim(c, 0), 3]);

/** Slice: starts, ends, axes and steps are inputs, or attributes before opset 10. */
export const slice: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  if (!x) return like(c, undefined);
  const fromAttributes = intsOf(c.node, "starts", undefined);
  const starts = fromAttributes ?? c.inputs[1]?.contents;
  const ends = intsOf(c.node, "ends", undefined) ?? c.inputs[2]?.contents;
  const axes = listOf(c, 3, "axes");
  const steps = listOf(c, 4, "steps");
  if (axes === undefined) return like(c, unknownShape(c, x.length));
  const count = starts?.length ?? ends?.length ?? shapeOf(c, 1)?.[0];
  if (typeof count !== "number") return like(c, unknownShape(c, x.length));
  const shape: Dim[] = [...x];
  const which = axes === "absent" ? Array.from({ length: count }, (_, i) => i) : axes;
  which.forEach((named, i) => {
    const axis = axisOf(c, named, x.length);
    const step = steps === "absent" ? 1 : steps?.[i];
    shape[axis] = sliced(c, x[axis]!, { start: starts?.[i], end: ends?.[i], step }) ?? unknownDim(c, axis);
  });
  return withContents(like(c, shape), slicedContents(c, starts, ends, steps));
};

interface Range {
  readonly start: Dim | undefined;
  readonly end: Dim | undefined;
  readonly step: number | undefined;
}

/** Number of elements that a slice keeps, or undefined if it cannot be known. */
function sliced(c: RuleContext, size: Dim, { start, end, step }: Range): Dim | undefined {
  if (step === undefined || step === 0 || start === undefined || end === undefined) return undefined;
  if (typeof size === "number" && typeof start === "number" && typeof end === "number") {
    return positions(size, start, end, step).count;
  }
  const isWhole = step === -1 && start === -1 && typeof end === "number" && end <= -BEYOND_ANY_AXIS;
  if (step < 0) return isWhole ? size : undefined;
  const length = slicedLength(c, size, start, end);
  return length === undefined || (typeof length === "number" && length < 0)
    ? undefined
    : c.dims.ceilDivide(length, step);
}

/**
 * The distance of two bounds of which at least one, or the size, is a name. Names are taken to lie inside the axis, and
 * an axis of symbolic size to be long enough for what is cut off its ends.
 */
function slicedLength(c: RuleContext, size: Dim, start: Dim, end: Dim): Dim | undefined {
  const toEnd = typeof end === "number" && end >= BEYOND_ANY_AXIS;
  if (typeof size === "string" && typeof start === "number") {
    // x[:1] and x[-1:] have one element; x[:5] and x[-5:] have five only if the axis is that long.
    if (typeof end === "number" && end >= 0 && !toEnd) return start === 0 && end <= 1 ? end : undefined;
    if (start < 0 && toEnd) return start === -1 ? 1 : undefined;
  }
  return c.dims.sub(toEnd ? size : fromFront(c, size, end), fromFront(c, size, start));
}

function fromFront(c: RuleContext, size: Dim, position: Dim): Dim {
  return typeof position === "number" && position < 0 ? c.dims.add(size, position) : position;
}

/** Exporters write "to the end" as various numbers from here up: no axis of symbolic size is that long. */
const BEYOND_ANY_AXIS = 10 ** 7;

/** The first position that a slice keeps and how many it keeps, with ONNX's clamping. */
function positions(size: number, start: number, end: number, step: number): { first: number; count: number } {
  const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);
  const first = clamp(start < 0 ? start + size : start, 0, step > 0 ? size : size - 1);
  const last = clamp(end < 0 ? end + size : end, step > 0 ? 0 : -1, size);
  return { first, count: Math.max(0, Math.ceil((last - first) / step)) };
}

function slicedContents(
  c: RuleContext,
  starts: readonly (Dim | undefined)[] | undefined,
  ends: readonly (Dim | undefined)[] | undefined,
  steps: readonly number[] | "absent" | undefined,
): readonly (Dim | undefined)[] | undefined {
  const contents = c.inputs[0]?.contents;
  const [start] = starts ?? [];
  const [end] = ends ?? [];
  const step = steps === "absent" ? 1 : steps?.[0];
  if (!contents || typeof start !== "number" || typeof end !== "number" || !step) return undefined;
  const { first, count } = positions(contents.length, start, end, step);
  return Array.from({ length: count }, (_, i) => contents[first + i * step]);
}
