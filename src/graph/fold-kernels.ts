/** Evaluates single nodes on known tensors: the table of kernels, and those that make or move elements. */
import { ARRAYS } from "../tensor/dtype.ts";
import { sizeOf, type Tensor, tensor, toNumbers } from "../tensor/tensor.ts";
import { intOf, intsOf, tensorOf } from "./attributes.ts";
import {
  ARITHMETIC_KERNELS,
  broadcastShape,
  broadcastTo,
  type FoldKernel,
  MAX_FOLDED_ELEMENTS,
} from "./fold-arithmetic.ts";
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

const constantOfShape: FoldKernel = (node, [shape]) => {
  const sizes = shape && toNumbers(shape);
  if (!sizes || sizeOf(sizes) > MAX_FOLDED_ELEMENTS) return undefined;
  const value = tensorOf(node, "value", undefined) ?? tensor("float32", [1], new Float32Array(1));
  return strided(
    value,
    sizes,
    sizes.map(() => 0),
  );
};

/** Range of whole numbers; floats are left to the runtime, whose rounding depends on how it counts. */
const range: FoldKernel = (_, [start, limit, delta]) => {
  if (!start || !limit || !delta || (start.dtype !== "int64" && start.dtype !== "int32")) return undefined;
  const [from, to, step] = [start, limit, delta].map((t) => Number(t.data[0]));
  if (from === undefined || to === undefined || !step) return undefined;
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length <= MAX_FOLDED_ELEMENTS)) return undefined;
  const values = Array.from({ length }, (_, i) => from + i * step);
  return start.dtype === "int64" ? clampedInt64(values) : tensor("int32", [length], Int32Array.from(values));
};

const shape: FoldKernel = (node, [x]) =>
  x && clampedInt64(x.shape.slice(intOf(node, "start", 0), intOf(node, "end", x.shape.length)));

const size: FoldKernel = (_, [x]) => x && clampedInt64([sizeOf(x.shape)], []);

/** The same elements under another shape, without a copy. */
const reshaped = (x: Tensor, sizes: readonly number[]): Tensor | undefined =>
  sizeOf(sizes) === x.data.length ? { ...x, shape: sizes } : undefined;

const reshape: FoldKernel = (node, [x, target]) => {
  if (!x || !target) return undefined;
  const copyZero = intOf(node, "allowzero", 0) === 0;
  const sizes = toNumbers(target).map((dim, axis) => (dim === 0 && copyZero ? (x.shape[axis] ?? 0) : dim));
  const rest = x.data.length / sizeOf(sizes.filter((dim) => dim !== -1));
  return reshaped(
    x,
    sizes.map((dim) => (dim === -1 ? rest : dim)),
  );
};

/** Axes of a node, an attribute or input 1, counted from the front of `rank`. */
function axesOf(node: Parameters<FoldKernel>[0], axes: Tensor | undefined, rank: number): number[] | undefined {
  const given = intsOf(node, "axes", undefined) ?? (axes && toNumbers(axes));
  return given?.map((axis) => (axis < 0 ? axis + rank : axis));
}

const squeeze: FoldKernel = (node, [x, axes]) => {
  if (!x) return undefined;
  const gone = axesOf(node, axes, x.shape.length);
  return reshaped(
    x,
    x.shape.filter((dim, axis) => (gone ? !gone.includes(axis) : dim !== 1)),
  );
};

const unsqueeze: FoldKernel = (node, [x, axes]) => {
  const count = intsOf(node, "axes", undefined)?.length ?? axes?.data.length;
  if (!x || count === undefined) return undefined;
  const places = axesOf(node, axes, x.shape.length + count) ?? [];
  const rest = [...x.shape];
  return reshaped(
    x,
    Array.from({ length: x.shape.length + count }, (_, i) => (places.includes(i) ? 1 : (rest.shift() ?? 1))),
  );
};

const flatten: FoldKernel = (node, [x]) => {
  if (!x) return undefined;
  const axis = intOf(node, "axis", 1);
  const at = axis < 0 ? axis + x.shape.length : axis;
  return reshaped(x, [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))]);
};

const transpose: FoldKernel = (node, [x]) => {
  if (!x) return undefined;
  const perm = intsOf(node, "perm", undefined) ?? x.shape.map((_, axis) => x.shape.length - 1 - axis);
  const strides = stridesOf(x.shape);
  return strided(
    x,
    perm.map((axis) => x.shape[axis]!),
    perm.map((axis) => strides[axis]!),
  );
};

const expand: FoldKernel = (_, [x, target]) => {
  const sizes = x && target && broadcastShape([x.shape, toNumbers(target)]);
  return sizes && sizeOf(sizes) <= MAX_FOLDED_ELEMENTS ? broadcastTo(x, sizes) : undefined;
};

/** Each axis is split into (repeat, own), with stride 0 for the repeats. */
const tile: FoldKernel = (_, [x, repeats]) => {
  if (!x || !repeats || repeats.data.length !== x.shape.length) return undefined;
  const times = toNumbers(repeats);
  const own = stridesOf(x.shape);
  const split = x.shape.flatMap((dim, axis) => [times[axis]!, dim]);
  if (sizeOf(split) > MAX_FOLDED_ELEMENTS) return undefined;
  const copied = strided(
    x,
    split,
    own.flatMap((stride) => [0, stride]),
  );
  return { ...copied, shape: x.shape.map((dim, axis) => dim * times[axis]!) };
};

const slice: FoldKernel = (_, [x, starts, ends, axes, steps]) => {
  if (!x || !starts || !ends) return undefined;
  const strides = stridesOf(x.shape);
  const sizes = [...x.shape];
  let offset = 0;
  const [from, to, by] = [starts, ends, steps].map((t) => t && toNumbers(t));
  const which = axes ? toNumbers(axes) : from!.map((_, i) => i);
  for (const [i, named] of which.entries()) {
    const axis = named < 0 ? named + x.shape.length : named;
    const dim = x.shape[axis]!;
    const step = by?.[i] ?? 1;
    const clamp = (value: number, low: number, high: number): number =>
      Math.min(Math.max(value < 0 ? value + dim : value, low), high);
    const start = clamp(from![i]!, 0, step > 0 ? dim : dim - 1);
    const end = clamp(to![i]!, step > 0 ? 0 : -1, dim);
    sizes[axis] = Math.max(0, Math.ceil((end - start) / step));
    offset += start * strides[axis]!;
    strides[axis] = strides[axis]! * step;
  }
  return strided(x, sizes, strides, offset);
};

const gather: FoldKernel = (node, [x, indices]) => {
  if (!x || !indices || x.shape.length === 0) return undefined;
  const named = intOf(node, "axis", 0);
  const axis = named < 0 ? named + x.shape.length : named;
  const count = x.shape[axis]!;
  const rows = toNumbers(indices).map((i) => (i < 0 ? i + count : i));
  if (rows.some((i) => !(i >= 0 && i < count))) return undefined;
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const inner = sizeOf(after);
  const data = new ARRAYS[x.dtype](sizeOf(before) * rows.length * inner);
  if (data.length > MAX_FOLDED_ELEMENTS) return undefined;
  let to = 0;
  for (let block = 0; block < sizeOf(before); block++) {
    for (const row of rows) {
      const from = (block * count + row) * inner;
      data.set(x.data.subarray(from, from + inner) as never, to); // both arrays are of x's element type
      to += inner;
    }
  }
  return { dtype: x.dtype, shape: [...before, ...indices.shape, ...after], data };
};

const concat: FoldKernel = (node, inputs) => {
  const parts = inputs.filter((part) => part !== undefined);
  const [first] = parts;
  if (!first || parts.length !== inputs.length || parts.some((part) => part.dtype !== first.dtype)) return undefined;
  const named = intOf(node, "axis", 0);
  const axis = named < 0 ? named + first.shape.length : named;
  const sizes = first.shape.map((dim, i) =>
    i === axis ? parts.reduce((sum, part) => sum + part.shape[axis]!, 0) : dim,
  );
  const data = new ARRAYS[first.dtype](sizeOf(sizes));
  const blocks = sizeOf(sizes.slice(0, axis));
  let to = 0;
  for (let block = 0; block < blocks; block++) {
    for (const part of parts) {
      const inner = part.data.length / blocks;
      data.set(part.data.subarray(block * inner, (block + 1) * inner) as never, to); // one element type
      to += inner;
    }
  }
  return { dtype: first.dtype, shape: sizes, data };
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
