/** Evaluates single nodes on known tensors: the table of kernels, and those that make or move elements. */
import { ARRAYS } from "../tensor/dtype.ts";
import { sizeOf, type Tensor, tensor, toNumbers } from "../tensor/tensor.ts";
import { intOf, intsOf, stringOf, tensorOf } from "./attributes.ts";
import { ARITHMETIC_KERNELS, broadcastShape, broadcastTo, type FoldKernel } from "./fold-arithmetic.ts";
import { isSize, MAX_FOLDED_RANK } from "./fold-budget.ts";
import type { Node } from "./graph.ts";
import { clampedInt64 } from "./int64.ts";
import { strided, stridesOf } from "./strided.ts";

/** The value of a Constant node, whichever attribute holds it. */
const constant: FoldKernel = ({ attributes }) => {
  for (const attribute of Object.values(attributes)) {
    if (attribute.kind === "tensor") return attribute.value;
    if (attribute.kind === "int") return clampedInt64([attribute.value], []);
    if (attribute.kind === "ints") return clampedInt64(attribute.value);
    if (attribute.kind === "float") return tensor("float32", [], Float32Array.of(attribute.value));
    if (attribute.kind === "floats") {
      return tensor("float32", [attribute.value.length], Float32Array.from(attribute.value));
    }
  }
  return undefined;
};

/** The elements of an input that lists axes or sizes; undefined if it is longer than any shape. */
const listOf = (list: Tensor | undefined): number[] | undefined =>
  list && list.data.length <= MAX_FOLDED_RANK ? toNumbers(list) : undefined;

const constantOfShape: FoldKernel = (node, [shape], budget) => {
  const sizes = listOf(shape);
  const value = tensorOf(node, "value", undefined) ?? tensor("float32", [1], new Float32Array(1));
  if (!sizes || value.data.length !== 1 || !budget(sizes)) return undefined;
  return strided(
    value,
    sizes,
    sizes.map(() => 0),
  );
};

/** Range of whole numbers; floats are left to the runtime, whose rounding depends on how it counts. */
const range: FoldKernel = (_, [start, limit, delta], budget) => {
  if (!start || !limit || !delta || (start.dtype !== "int64" && start.dtype !== "int32")) return undefined;
  if (limit.dtype !== start.dtype || delta.dtype !== start.dtype) return undefined;
  const [from, to, step] = [start, limit, delta].map((t) => Number(t.data[0]));
  if (from === undefined || to === undefined || !step) return undefined;
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!budget([length])) return undefined;
  const values = Array.from({ length }, (__, i) => from + i * step);
  return start.dtype === "int64" ? clampedInt64(values) : tensor("int32", [length], Int32Array.from(values));
};

const shape: FoldKernel = (node, [x]) =>
  x && clampedInt64(x.shape.slice(intOf(node, "start", 0), intOf(node, "end", x.shape.length)));

const size: FoldKernel = (_, [x]) => x && clampedInt64([sizeOf(x.shape)], []);

// Movement. Nodes whose axes or sizes make no sense are declined, so that the runtime reports them.

/** An axis counted from the front, if `rank` has it. */
function frontAxis(axis: number, rank: number): number | undefined {
  const positive = axis < 0 ? axis + rank : axis;
  return Number.isInteger(positive) && positive >= 0 && positive < rank ? positive : undefined;
}

/** Distinct axes of a node, an attribute or an input, counted from the front; undefined if one is wrong. */
function frontAxes(axes: readonly number[], rank: number): readonly number[] | undefined {
  if (rank > MAX_FOLDED_RANK) return undefined;
  const front = axes.map((axis) => frontAxis(axis, rank));
  return front.every((axis) => axis !== undefined) && new Set(front).size === axes.length ? front : undefined;
}

/** The same elements under another shape, without a copy. */
const reshaped = (x: Tensor, sizes: readonly number[]): Tensor | undefined =>
  sizes.length <= MAX_FOLDED_RANK && sizes.every(isSize) && sizeOf(sizes) === x.data.length
    ? { ...x, shape: sizes }
    : undefined;

const reshape: FoldKernel = (node, [x, target]) => {
  const wanted = listOf(target);
  if (!x || !wanted) return undefined;
  const copyZero = intOf(node, "allowzero", 0) === 0;
  const sizes = wanted.map((dim, axis) => (dim === 0 && copyZero ? (x.shape[axis] ?? -2) : dim));
  const rest = x.data.length / sizeOf(sizes.filter((dim) => dim !== -1));
  return reshaped(
    x,
    sizes.map((dim) => (dim === -1 ? rest : dim)),
  );
};

const axesOf = (node: Node, axes: Tensor | undefined): readonly number[] | undefined =>
  intsOf(node, "axes", undefined) ?? listOf(axes);

const squeeze: FoldKernel = (node, [x, axes]) => {
  if (!x) return undefined;
  const given = axesOf(node, axes);
  const gone = given && frontAxes(given, x.shape.length);
  if (given && !gone) return undefined;
  return reshaped(
    x,
    x.shape.filter((dim, axis) => (gone ? !gone.includes(axis) : dim !== 1)),
  );
};

const unsqueeze: FoldKernel = (node, [x, axes]) => {
  const given = axesOf(node, axes);
  if (!x || !given) return undefined;
  const rank = x.shape.length + given.length;
  const places = frontAxes(given, rank);
  const rest = [...x.shape];
  return (
    places &&
    reshaped(
      x,
      Array.from({ length: rank }, (_, i) => (places.includes(i) ? 1 : rest.shift()!)),
    )
  );
};

const flatten: FoldKernel = (node, [x]) => {
  if (!x) return undefined;
  const axis = intOf(node, "axis", 1);
  const at = axis === x.shape.length ? axis : frontAxis(axis, x.shape.length);
  return at === undefined ? undefined : reshaped(x, [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))]);
};

const transpose: FoldKernel = (node, [x], budget) => {
  if (!x) return undefined;
  const perm = intsOf(node, "perm", undefined) ?? x.shape.map((_, axis) => x.shape.length - 1 - axis);
  const strides = stridesOf(x.shape);
  if (
    perm.length !== x.shape.length ||
    !perm.every((axis) => axis >= 0) ||
    !frontAxes(perm, perm.length) ||
    !budget(x.shape)
  )
    return undefined;
  const [shape, steps] = [x.shape, strides].map((list) => perm.map((axis) => list[axis]!));
  return strided(x, shape!, steps!);
};

const expand: FoldKernel = (_, [x, target], budget) => {
  const wanted = listOf(target);
  const sizes = x && wanted && broadcastShape([x.shape, wanted]);
  return sizes && budget(sizes) ? broadcastTo(x, sizes) : undefined;
};

/** Each axis is split into (repeat, own), with stride 0 for the repeats. */
const tile: FoldKernel = (_, [x, repeats], budget) => {
  if (!x || repeats?.data.length !== x.shape.length) return undefined;
  const times = toNumbers(repeats);
  const split = x.shape.flatMap((dim, axis) => [times[axis]!, dim]);
  if (!budget(split)) return undefined;
  const strides = stridesOf(x.shape).flatMap((stride) => [0, stride]);
  return { ...strided(x, split, strides), shape: x.shape.map((dim, axis) => dim * times[axis]!) };
};

const slice: FoldKernel = (_, [x, starts, ends, axes, steps], budget) => {
  const [from, to] = [listOf(starts), listOf(ends)];
  if (!x || !from || !to) return undefined;
  const named = axes ? listOf(axes) : from.map((__, i) => i);
  const which = named && frontAxes(named, x.shape.length);
  const by = steps ? listOf(steps) : from.map(() => 1);
  if (!by || [to, which, by].some((list) => list?.length !== from.length) || by.includes(0)) return undefined;
  if (![...from, ...to, ...by].every(Number.isInteger)) return undefined;
  const strides = stridesOf(x.shape);
  const sizes = [...x.shape];
  let offset = 0;
  for (const [i, axis] of which!.entries()) {
    const dim = x.shape[axis]!;
    const step = by[i]!;
    const clamp = (value: number, low: number, high: number): number =>
      Math.min(Math.max(value < 0 ? value + dim : value, low), high);
    const start = clamp(from[i]!, 0, step > 0 ? dim : dim - 1);
    const end = clamp(to[i]!, step > 0 ? 0 : -1, dim);
    sizes[axis] = Math.max(0, Math.ceil((end - start) / step));
    offset += start * strides[axis]!;
    strides[axis]! *= step;
  }
  return budget(sizes) ? strided(x, sizes, strides, offset) : undefined;
};

const gather: FoldKernel = (node, [x, indices], budget) => {
  const axis = x && frontAxis(intOf(node, "axis", 0), x.shape.length);
  if (!x || !indices || axis === undefined) return undefined;
  const count = x.shape[axis]!;
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const sizes = [...before, ...indices.shape, ...after];
  if (!budget(sizes)) return undefined;
  const rows = toNumbers(indices).map((i) => frontAxis(i, count));
  if (!rows.every((row) => row !== undefined)) return undefined;
  const inner = sizeOf(after);
  const data = new ARRAYS[x.dtype](sizeOf(sizes));
  let to = 0;
  for (let block = 0; block < sizeOf(before); block++) {
    for (const row of rows) {
      const from = (block * count + row) * inner;
      data.set(x.data.subarray(from, from + inner) as never, to); // both arrays are of x's element type
      to += inner;
    }
  }
  return { dtype: x.dtype, shape: sizes, data };
};

const concat: FoldKernel = (node, inputs, budget) => {
  const parts = inputs.filter((part) => part !== undefined);
  const [first] = parts;
  const axis = first && frontAxis(intOf(node, "axis", 0), first.shape.length);
  if (!first || axis === undefined || parts.length !== inputs.length) return undefined;
  const agrees = ({ dtype, shape }: Tensor): boolean =>
    dtype === first.dtype &&
    shape.length === first.shape.length &&
    shape.every((dim, i) => i === axis || dim === first.shape[i]);
  if (!parts.every(agrees)) return undefined;
  const sizes = first.shape.map((dim, i) =>
    i === axis ? parts.reduce((sum, part) => sum + part.shape[axis]!, 0) : dim,
  );
  if (!budget(sizes)) return undefined;
  const data = new ARRAYS[first.dtype](sizeOf(sizes));
  const blocks = sizeOf(sizes.slice(0, axis));
  const filled = parts.filter(({ data: elements }) => elements.length > 0);
  let to = 0;
  for (let block = 0; block < blocks; block++) {
    for (const part of filled) {
      const inner = part.data.length / blocks;
      data.set(part.data.subarray(block * inner, (block + 1) * inner) as never, to); // one element type
      to += inner;
    }
  }
  return { dtype: first.dtype, shape: sizes, data };
};

/** Copies blocks of the updates to where the rows of the indices point, as exporters write assignments to slices. */
const scatterNd: FoldKernel = (node, [x, indices, updates], budget) => {
  if (!x || !indices || updates?.dtype !== x.dtype || stringOf(node, "reduction", "none") !== "none") return undefined;
  const depth = indices.shape.at(-1);
  if (depth === undefined || depth > x.shape.length || !budget(x.shape) || !budget(indices.shape)) return undefined;
  const blocks = indices.shape.slice(0, -1);
  const block = x.shape.slice(depth);
  if (updates.shape.join() !== [...blocks, ...block].join()) return undefined;
  const length = sizeOf(block);
  const strides = stridesOf(x.shape);
  const data = x.data.slice();
  for (let row = 0; row < sizeOf(blocks); row++) {
    let to = 0;
    for (let axis = 0; axis < depth; axis++) {
      const at = frontAxis(Number(indices.data[row * depth + axis]), x.shape[axis]!);
      if (at === undefined) return undefined;
      to += at * strides[axis]!;
    }
    data.set(updates.data.subarray(row * length, (row + 1) * length) as never, to); // one element type
  }
  return { dtype: x.dtype, shape: x.shape, data };
};

/** Kernels by operator of the default domain. */
const FOLD_KERNELS: Readonly<Record<string, FoldKernel>> = {
  ...ARITHMETIC_KERNELS,
  Concat: concat,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Expand: expand,
  Flatten: flatten,
  Gather: gather,
  Identity: (_, [x]) => x,
  Range: range,
  Reshape: reshape,
  ScatterND: scatterNd,
  Shape: shape,
  Size: size,
  Slice: slice,
  Squeeze: squeeze,
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};

/** The kernel of an operator of the default domain, if it has one. */
export function foldKernel(op: string): FoldKernel | undefined {
  return Object.hasOwn(FOLD_KERNELS, op) ? FOLD_KERNELS[op] : undefined;
}
