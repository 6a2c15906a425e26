/**
 * Element-wise constant folding. Whole numbers are exact; floats use only operations that IEEE 754 rounds correctly, so
 * that a folded value has the bits that a runtime computes.
 */
import { dtypeOfCode } from "../onnx/tensor-proto.ts";
import { ARRAYS, type DType } from "../tensor/dtype.ts";
import { float16ToFloat32 } from "../tensor/float16.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import { intOf } from "./attributes.ts";
import type { FoldBudget } from "./fold-budget.ts";
import type { Node } from "./graph.ts";
import { strided, stridesOf } from "./strided.ts";

/**
 * Evaluates a node on its inputs (undefined where absent); undefined where this cannot be done exactly. A kernel asks
 * the budget before it computes elements, and declines where that says no.
 */
export type FoldKernel = (
  node: Node,
  inputs: readonly (Tensor | undefined)[],
  budget: FoldBudget,
) => Tensor | undefined;

type Exact = "float32" | "float64" | "int32" | "int64";
const isExact = (dtype: DType): dtype is Exact => ["float32", "float64", "int32", "int64"].includes(dtype);

/** Makes a kernel from a function of two numbers and one of two 64-bit whole numbers; undefined declines. */
function binary(
  ofNumbers: (x: number, y: number, dtype: Exact) => number | undefined,
  ofBigints: (x: bigint, y: bigint) => bigint | undefined,
): FoldKernel {
  return (_, [a, b], budget) => {
    if (!a || !b || a.dtype !== b.dtype || !isExact(a.dtype)) return undefined;
    const { dtype } = a;
    return map(budget, dtype, [a, b], ([x, y]) =>
      typeof x === "bigint" && typeof y === "bigint" ? ofBigints(x, y) : ofNumbers(Number(x), Number(y), dtype),
    );
  };
}

// A double holds the sum, product or quotient of two singles well enough that rounding it when stored is rounding once.
const add = binary(
  (x, y) => x + y,
  (x, y) => x + y,
);
const sub = binary(
  (x, y) => x - y,
  (x, y) => x - y,
);
const mul = binary(
  (x, y, dtype) => (dtype === "int32" ? Math.imul(x, y) : x * y),
  (x, y) => x * y,
);
const div = binary(
  (x, y, dtype) => {
    if (dtype !== "int32") return x / y;
    return y === 0 ? undefined : Math.trunc(x / y);
  },
  (x, y) => (y === 0n ? undefined : x / y),
);
/** Declines NaN and zeros of two signs, where runtimes differ in what they pick. */
const pick = (x: number, y: number, chosen: number): number | undefined =>
  Number.isNaN(x) || Number.isNaN(y) || (x === y && !Object.is(x, y)) ? undefined : chosen;
const max = binary(
  (x, y) => pick(x, y, Math.max(x, y)),
  // biome-ignore lint/complexity/useMathMinMax: Math.max takes no bigints.
  (x, y) => (x > y ? x : y),
);
const min = binary(
  (x, y) => pick(x, y, Math.min(x, y)),
  // biome-ignore lint/complexity/useMathMinMax: Math.min takes no bigints.
  (x, y) => (x < y ? x : y),
);

/** Max and Min take any number of inputs. */
function variadic(kernel: FoldKernel): FoldKernel {
  return (node, [first, ...rest], budget) => rest.reduce((x, y) => x && y && kernel(node, [x, y], budget), first);
}

/** Clip(x, min, max) is Min(Max(x, min), max), also where min is above max. Bounds of old opsets, attributes, are declined. */
const clip: FoldKernel = (node, [x, low, high], budget) => {
  if ("min" in node.attributes || "max" in node.attributes) return undefined;
  const raised = x && (node.inputs[1] ? low && max(node, [x, low], budget) : x);
  return raised && (node.inputs[2] ? high && min(node, [raised, high], budget) : raised);
};

/**
 * Mod of whole numbers has the sign of the divisor, or with fmod that of the dividend, as % has; of floats there is only
 * fmod, which is exact.
 */
const mod: FoldKernel = (node, inputs, budget) => {
  const fmod = intOf(node, "fmod", 0) !== 0;
  const kernel = binary(
    (x, y, dtype) => {
      const rest = x % y;
      if (Number.isNaN(rest) || (!fmod && dtype !== "int32")) return undefined;
      return !fmod && rest * y < 0 ? rest + y : rest;
    },
    (x, y) => {
      if (y === 0n) return undefined;
      const rest = x % y;
      return !fmod && rest * y < 0n ? rest + y : rest;
    },
  );
  return kernel(node, inputs, budget);
};

function unary(ofNumber: (x: number) => number, ofBigint?: (x: bigint) => bigint): FoldKernel {
  return (_, [x], budget) => {
    if (!x || !isExact(x.dtype)) return undefined;
    return map(budget, x.dtype, [x], ([value]) =>
      typeof value === "bigint" ? ofBigint?.(value) : ofNumber(Number(value)),
    );
  };
}

/** Elements that compare as numbers: not half precision, which is held as bits. */
const isComparable = (a: Tensor, b: Tensor): boolean => a.dtype === b.dtype && !a.dtype.endsWith("float16");

const equal: FoldKernel = (_, [a, b], budget) =>
  a && b && isComparable(a, b) ? map(budget, "bool", [a, b], ([x, y]) => Number(x === y)) : undefined;

const not: FoldKernel = (_, [x], budget) => x && map(budget, "bool", [x], ([value]) => 1 - Number(value));

const where: FoldKernel = (_, [condition, x, y], budget) =>
  condition && x && y && x.dtype === y.dtype
    ? map(budget, x.dtype, [condition, x, y], ([test, a, b]) => (test ? a : b))
    : undefined;

/** Cast between types whose conversion is exact or rounds once; float16 weights become float32 here. */
const cast: FoldKernel = (node, [x], budget) => {
  const dtype = dtypeOfCode(intOf(node, "to", 0));
  if (!x || !dtype) return undefined;
  if (dtype === x.dtype) return x;
  if (x.dtype === "float16" && dtype === "float32") {
    if (!budget(x.shape)) return undefined;
    return { dtype, shape: x.shape, data: float16ToFloat32(x.data as Uint16Array) }; // float16 is held in a Uint16Array
  }
  if ([x.dtype, dtype].some((type) => type.endsWith("float16"))) return undefined;
  return map(budget, dtype, [x], ([value]) => converted(value!, dtype));
};

function converted(value: number | bigint, dtype: DType): number | bigint | undefined {
  const number = Number(value);
  if (dtype === "bool") return number === 0 ? 0 : 1;
  if (typeof value === "bigint" && BigInt(number) !== value) return undefined; // would round twice, or not fit
  if (dtype === "float32" || dtype === "float64") return number;
  const whole = Math.trunc(number); // towards zero, as in C
  if (!Number.isSafeInteger(whole)) return undefined;
  if (dtype === "int64") return BigInt(whole);
  if (dtype === "uint64") return whole < 0 ? undefined : BigInt(whole);
  return ARRAYS[dtype].of(whole)[0] === whole ? whole : undefined; // what does not fit is left to the runtime
}

/** Applies `f` to the elements of inputs broadcast together; undefined from `f` declines the whole. */
function map(
  budget: FoldBudget,
  dtype: DType,
  inputs: readonly Tensor[],
  f: (values: readonly (number | bigint)[]) => number | bigint | undefined,
): Tensor | undefined {
  const shape = broadcastShape(inputs.map((input) => input.shape));
  if (!shape || !budget(shape)) return undefined;
  const data = new ARRAYS[dtype](sizeOf(shape));
  const operands = inputs.map((input) => broadcastTo(input, shape).data);
  for (let i = 0; i < data.length; i++) {
    const value = f(operands.map((operand) => operand[i]!));
    if (value === undefined) return undefined;
    data[i] = value;
  }
  return { dtype, shape, data };
}

/** The shape that all broadcast to, or undefined. */
export function broadcastShape(shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const out = Array.from({ length: rank }, (_, axis) => {
    const sizes = new Set(shapes.map((shape) => shape[axis - rank + shape.length] ?? 1));
    sizes.delete(1);
    return sizes.size > 1 ? undefined : ([...sizes][0] ?? 1);
  });
  return out.every((size) => size !== undefined) ? out : undefined;
}

/** Repeats a tensor along axes of size 1 and new leading axes. */
export function broadcastTo(t: Tensor, shape: readonly number[]): Tensor {
  const own = stridesOf(t.shape);
  const shift = shape.length - t.shape.length;
  const strides = shape.map((_, axis) => ((t.shape[axis - shift] ?? 1) === 1 ? 0 : own[axis - shift]!));
  return sizeOf(shape) === sizeOf(t.shape) ? { ...t, shape } : strided(t, shape, strides);
}

/** Element-wise kernels by operator. */
export const ARITHMETIC_KERNELS = {
  Abs: unary(Math.abs, (x) => (x < 0n ? -x : x)),
  Add: add,
  Cast: cast,
  Ceil: unary(Math.ceil),
  Clip: clip,
  Div: div,
  Equal: equal,
  Floor: unary(Math.floor),
  Max: variadic(max),
  Min: variadic(min),
  Mod: mod,
  Mul: mul,
  Neg: unary(
    (x) => -x,
    (x) => -x,
  ),
  Not: not,
  Sqrt: unary(Math.sqrt),
  Sub: sub,
  Where: where,
} as const satisfies Readonly<Record<string, FoldKernel>>;
