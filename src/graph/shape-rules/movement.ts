/** Operators that rearrange elements without selecting among them. */
import { intOf, intsOf } from "../attributes.ts";
import { type Dim, formatShape, type Shape } from "../graph.ts";
import { withContents } from "./elementwise.ts";
import {
  axisAttribute,
  axisOf,
  broadcast,
  type Contents,
  differ,
  type Inferred,
  like,
  listOf,
  mismatch,
  moreKnown,
  type RuleContext,
  type ShapeRule,
  shapeOf,
  unknownDim,
  unknownShape,
} from "./rule.ts";

/** Reshape: 0 copies the input's size (unless `allowzero`), -1 takes what is left. */
export const reshape: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  const target: Contents | undefined = intsOf(c.node, "shape", undefined) ?? c.inputs[1]?.contents;
  if (!target) {
    const [rank] = shapeOf(c, 1) ?? [];
    return like(c, typeof rank === "number" ? unknownShape(c, rank) : undefined);
  }
  const copyZero = intOf(c.node, "allowzero", 0) === 0;
  const dims = target.map((element, axis): Dim | undefined => {
    if (element !== 0 || !copyZero) return element === -1 ? undefined : element;
    if (x && axis >= x.length) throw mismatch(c.node, `an input with an axis ${axis} to copy`, formatShape(x));
    return x ? x[axis] : undefined;
  });
  const shape = completed(c, x, dims, target);
  return withContents(like(c, shape), c.inputs[0]?.contents);
};

/** Fills in at most one size from the number of elements, and checks that number where it is known. */
function completed(c: RuleContext, x: Shape | undefined, dims: readonly (Dim | undefined)[], target: Contents): Shape {
  const open = dims.filter((dim) => dim === undefined).length;
  const known = c.dims.product(dims.filter((dim) => dim !== undefined));
  const total = x && c.dims.product(x);
  const error = (): Error =>
    mismatch(c.node, `an input that fits the shape [${target.map((d) => d ?? "?").join(", ")}]`, formatShape(x));
  if (total !== undefined && open === 0 && differ(total, known)) throw error();
  const rest = total === undefined || open !== 1 || known === 0 ? undefined : c.dims.divideExact(total, known);
  if (rest === undefined && open === 1 && typeof total === "number" && typeof known === "number" && known !== 0)
    throw error();
  return dims.map((dim, axis) => dim ?? rest ?? unknownDim(c, axis));
}

/** Transpose: axes reversed unless `perm` says otherwise. */
export const transpose: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  if (!x) return like(c, undefined);
  const perm = intsOf(c.node, "perm", undefined) ?? x.map((_, i) => x.length - 1 - i);
  if (perm.length !== x.length || new Set(perm).size !== x.length)
    throw mismatch(c.node, `a permutation of ${x.length} axes`, `[${perm}]`);
  return withContents(
    like(
      c,
      perm.map((axis) => x[axisOf(c, axis, x.length)]!),
    ),
    c.inputs[0]?.contents,
  );
};

/** Flatten to two dimensions at `axis`. */
export const flatten: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  if (!x) return like(c, unknownShape(c, 2));
  const axis = intOf(c.node, "axis", 1);
  const at = axis === x.length ? axis : axisOf(c, axis, x.length || 1);
  return like(c, [c.dims.product(x.slice(0, at)), c.dims.product(x.slice(at))]);
};

/** Squeeze: removes axes of size 1, all of them unless axes are given (an attribute, or input 1). */
export const squeeze: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  const axes = listOf(c, 1, "axes");
  if (!x || axes === undefined) return like(c, undefined);
  // Without axes a size that is not known may or may not be removed.
  if (axes === "absent" && x.some((dim) => typeof dim === "string")) return like(c, undefined);
  const gone =
    axes === "absent" ? x.flatMap((dim, i) => (dim === 1 ? [i] : [])) : axes.map((axis) => axisOf(c, axis, x.length));
  const wrong = gone.find((axis) => differ(x[axis], 1));
  if (wrong !== undefined) throw mismatch(c.node, `size 1 along axis ${wrong}`, formatShape(x));
  return withContents(
    like(
      c,
      x.filter((_, i) => !gone.includes(i)),
    ),
    c.inputs[0]?.contents,
  );
};

/** Unsqueeze: inserts axes of size 1, counted in the result (an attribute, or input 1). */
export const unsqueeze: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  const axes = listOf(c, 1, "axes");
  if (!x || !axes || axes === "absent") return like(c, undefined);
  const rank = x.length + axes.length;
  const places = new Set(axes.map((axis) => axisOf(c, axis, rank)));
  if (places.size !== axes.length) throw mismatch(c.node, "distinct axes", `[${axes}]`);
  const rest = [...x];
  const shape = Array.from({ length: rank }, (_, i) => (places.has(i) ? 1 : rest.shift()!));
  return withContents(like(c, shape), c.inputs[0]?.contents);
};

/** Concat along `axis`; all other sizes are equal. */
export const concat: ShapeRule = (c) => {
  const known = c.inputs.map((input) => input?.shape).filter((shape) => shape !== undefined);
  const first = Math.max(
    0,
    c.inputs.findIndex((input) => input !== undefined),
  );
  const [head] = known;
  if (!head) return like(c, undefined, first);
  const wrong = known.find((shape) => shape.length !== head.length);
  const axis = axisAttribute(c, head.length, 0);
  const clash =
    wrong ?? known.find((shape) => shape.some((dim, i) => i !== axis && known.some((other) => differ(other[i], dim))));
  if (clash) throw mismatch(c.node, `inputs that agree except along axis ${axis}`, known.map(formatShape).join(", "));
  const complete = known.length === c.inputs.length;
  const shape = head.map((_, i) => {
    const dims = known.map((other) => other[i]!);
    if (i === axis) return complete ? dims.reduce(c.dims.add, 0) : unknownDim(c, i);
    return dims.reduce((x, y) => moreKnown(x, y));
  });
  // An input of unknown contents but known length leaves its own elements unknown.
  const parts = c.inputs.map((input) => input?.contents ?? unknownContents(input?.shape));
  const contents =
    parts.every((part) => part !== undefined) && c.inputs.some((input) => input?.contents) ? parts.flat() : undefined;
  return withContents(like(c, shape, first), contents);
};

function unknownContents(shape: Shape | undefined): Contents | undefined {
  const [length] = shape ?? [];
  return typeof length === "number" && length <= 16 ? Array.from({ length }, () => undefined) : undefined;
}

/** Split along `axis` into the given sizes (an attribute, or input 1), or into equal parts with a smaller last one. */
export const split: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  const count = c.node.outputs.length;
  if (!x) return Array.from({ length: count }, () => like(c, undefined)[0]);
  const axis = axisAttribute(c, x.length, 0);
  const total = x[axis]!;
  const sizes = listOf(c, 1, "split");
  const part = (i: number): Dim => {
    if (Array.isArray(sizes)) return sizes[i] ?? unknownDim(c, axis, i);
    if (sizes === undefined) return c.inputs[1]?.contents?.[i] ?? unknownDim(c, axis, i);
    const each = c.dims.divideExact(total, count);
    if (each !== undefined) return each;
    if (typeof total === "string") return unknownDim(c, axis, i);
    const chunk = Math.ceil(total / count);
    return Math.max(0, Math.min(chunk, total - i * chunk));
  };
  const parts = Array.from({ length: count }, (_, i) => part(i));
  if (differ(parts.reduce(c.dims.add, 0), total))
    throw mismatch(c.node, `parts that add up to ${total} along axis ${axis}`, `[${parts}]`);
  const contents = c.inputs[0]?.contents;
  let start = 0;
  return parts.map((size, i): Inferred | undefined => {
    const outputs = like(
      c,
      x.map((dim, k) => (k === axis ? parts[i]! : dim)),
    );
    if (!contents || typeof size !== "number") return outputs[0];
    start += size;
    return withContents(outputs, contents.slice(start - size, start))[0];
  });
};

/** Expand: broadcast of X with a shape. */
export const expand: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  const target = c.inputs[1]?.contents;
  const [rank] = shapeOf(c, 1) ?? [];
  if (!target || !x)
    return like(c, x && typeof rank === "number" ? unknownShape(c, Math.max(rank, x.length)) : undefined);
  const shape = broadcast(c, [x, target.map((element, axis) => element ?? unknownDim(c, axis))]);
  return withContents(like(c, shape), repeated(c.inputs[0]?.contents, shape));
};

/** Tile: each size is multiplied. */
export const tile: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  const repeats = c.inputs[1]?.contents;
  if (!x) return like(c, undefined);
  if (repeats && repeats.length !== x.length) throw mismatch(c.node, `${x.length} repeats`, `[${repeats}]`);
  return like(
    c,
    x.map((dim, axis) => {
      const times = repeats?.[axis];
      return times === undefined ? unknownDim(c, axis) : c.dims.mul(dim, times);
    }),
  );
};

function repeated(contents: Contents | undefined, shape: Shape | undefined): Contents | undefined {
  const [length = 1] = shape ?? [];
  return contents?.length === 1 && typeof length === "number" && length <= 16
    ? Array.from({ length }, () => contents[0])
    : contents;
}
