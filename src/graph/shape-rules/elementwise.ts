/** Operators that work element by element: the shape is that of the input, or of all inputs broadcast together. */
import { dtypeOfCode } from "../../onnx/tensor-proto.ts";
import type { DType } from "../../tensor/dtype.ts";
import { intOf } from "../attributes.ts";
import type { Dim } from "../graph.ts";
import {
  broadcast,
  type Contents,
  type Inferred,
  isGiven,
  like,
  MAX_CONTENTS,
  type RuleContext,
  type ShapeRule,
  shapeOf,
  typed,
} from "./rule.ts";

/** Y has the type and shape of the first input. */
export const unary: ShapeRule = (c) => like(c, shapeOf(c, 0));

/** Y = X, with contents: Identity. */
export const identity: ShapeRule = (c) => [c.inputs[0]];

/** Floor, Ceil, Round: whole numbers stay what they are. */
export const identityOfWhole: ShapeRule = (c) => withContents(like(c, shapeOf(c, 0)), c.inputs[0]?.contents);

/** Y = -X, with contents. */
export const neg: ShapeRule = (c) => {
  const contents = c.inputs[0]?.contents?.map((x) => (x === undefined ? undefined : c.dims.sub(0, x)));
  return withContents(like(c, shapeOf(c, 0)), contents);
};

/** Y is the broadcast of all inputs, with the element type of the first. */
export const broadcastAll: ShapeRule = (c) =>
  like(
    c,
    broadcast(
      c,
      c.node.inputs.map((_, i) => shapeOf(c, i)),
    ),
    firstKnown(c),
  );

/** Y is the broadcast of two inputs, as booleans. */
export const comparison = (c: RuleContext): Inferred[] => typed("bool", broadcast(c, [shapeOf(c, 0), shapeOf(c, 1)]));

/** Y is boolean with the shape of the input: Not, IsNaN, IsInf. */
export const test: ShapeRule = (c) => typed("bool", shapeOf(c, 0));

/** PRelu: the slope broadcasts to X, not the other way round. */
export const prelu: ShapeRule = (c) => {
  broadcast(c, [shapeOf(c, 0), shapeOf(c, 1)]);
  return like(c, shapeOf(c, 0));
};

/** Element-wise arithmetic that is followed through shape computations. */
export function arithmetic(compute: (c: RuleContext, x: Dim, y: Dim) => Dim | undefined): ShapeRule {
  return (c) => {
    const shape = broadcast(
      c,
      c.node.inputs.map((_, i) => shapeOf(c, i)),
    );
    const [x, y] = c.inputs;
    const contents =
      c.inputs.length === 2 ? zip(x?.contents, y?.contents, (a, b) => combine(c, compute, a, b)) : undefined;
    return withContents(like(c, shape, firstKnown(c)), contents);
  };
}

const combine = (
  c: RuleContext,
  compute: (c: RuleContext, x: Dim, y: Dim) => Dim | undefined,
  x?: Dim,
  y?: Dim,
): Dim | undefined => (x === undefined || y === undefined ? undefined : safe(compute(c, x, y)));

/** Whole numbers beyond 2^53 are not followed. */
function safe(dim: Dim | undefined): Dim | undefined {
  return typeof dim === "number" && !Number.isSafeInteger(dim) ? undefined : dim;
}

export const add = arithmetic(({ dims }, x, y) => dims.add(x, y));
export const sub = arithmetic(({ dims }, x, y) => dims.sub(x, y));
export const mul = arithmetic(({ dims }, x, y) => dims.mul(x, y));
/** Whole numbers divide towards zero, which is rounding down for the sizes that occur here; floats divide exactly. */
export const div = arithmetic(({ dims, inputs }, x, y) => {
  if (inputs[0]?.dtype.startsWith("float")) return dims.divideExact(x, y);
  if (typeof x === "number" && typeof y === "number") return y === 0 ? undefined : Math.trunc(x / y) + 0;
  return dims.floorDivide(x, y);
});
export const max = arithmetic((_, x, y) =>
  typeof x === "number" && typeof y === "number" ? Math.max(x, y) : same(x, y),
);
export const min = arithmetic((_, x, y) =>
  typeof x === "number" && typeof y === "number" ? Math.min(x, y) : same(x, y),
);

/** Mod, followed where the divisor is known: with fmod the sign is that of x, which only a number tells. */
export const mod = arithmetic(({ dims, node }, x, y) => {
  if (typeof y !== "number" || y === 0) return undefined;
  const fmod = intOf(node, "fmod", 0) !== 0;
  if (typeof x === "number") return (!fmod && (x % y) * y < 0 ? (x % y) + y : x % y) + 0;
  const whole = fmod ? undefined : dims.floorDivide(x, y);
  return whole === undefined ? undefined : dims.sub(x, dims.mul(whole, y));
});

/** Clip, followed where the numbers are known; not with the bounds of old opsets, which are attributes. */
export const clip: ShapeRule = (c) => {
  const outputs = like(c, shapeOf(c, 0));
  if ("min" in c.node.attributes || "max" in c.node.attributes) return outputs;
  const [x, low, high] = c.inputs.map((input) => input?.contents);
  const bound = (index: number, list: Contents | undefined, open: number): Dim | undefined =>
    isGiven(c, index) ? list?.[0] : open;
  const [min, max] = [bound(1, low, Number.NEGATIVE_INFINITY), bound(2, high, Number.POSITIVE_INFINITY)];
  if (typeof min !== "number" || typeof max !== "number") return outputs;
  return withContents(
    outputs,
    x?.map((value) => (typeof value === "number" ? Math.min(Math.max(value, min), max) : undefined)),
  );
};

const same = (x: Dim, y: Dim): Dim | undefined => (x === y ? x : undefined);

/** Equal, followed through shape computations: sizes are never negative. */
export const equal: ShapeRule = (c) => {
  const compare = (x?: Dim, y?: Dim): Dim | undefined => {
    if (x === undefined || y === undefined) return undefined;
    if (x === y) return 1;
    if (typeof x === "number" && typeof y === "number") return 0;
    return [x, y].some((dim) => typeof dim === "number" && dim < 0) ? 0 : undefined;
  };
  const [x, y] = c.inputs;
  return withContents(comparison(c), zip(x?.contents, y?.contents, compare));
};

/** Where(condition, X, Y), followed through shape computations. */
export const where: ShapeRule = (c) => {
  const [condition, x, y] = c.inputs;
  const shape = broadcast(c, [shapeOf(c, 0), shapeOf(c, 1), shapeOf(c, 2)]);
  const pairs = zip(x?.contents, y?.contents, (a, b) => [a, b] as const);
  const contents = zip(condition?.contents, pairs, (test, pair) => {
    if (test !== undefined) return pair?.[test === 0 ? 1 : 0];
    return pair && pair[0] === pair[1] ? pair[0] : undefined;
  });
  return withContents(like(c, shape, x ? 1 : 2), contents);
};

/** Cast: the element type is an attribute; whole numbers stay what they are unless they become booleans. */
export const cast: ShapeRule = (c) => {
  const dtype = dtypeOfCode(intOf(c.node, "to", 0));
  if (!dtype) return [];
  const followed = ["int64", "int32", "float32", "float64"].includes(dtype);
  return withContents(typed(dtype, shapeOf(c, 0)), followed ? c.inputs[0]?.contents : undefined);
};

/** CastLike: the element type of the second input. */
export const castLike: ShapeRule = (c) => like(c, shapeOf(c, 0), 1);

/** Adds contents to a rule's only output where they have as many elements as its shape says. */
export function withContents(outputs: Inferred[], contents: Contents | undefined): Inferred[] {
  const [output] = outputs;
  if (!output?.shape || output.shape.length > 1 || contents?.length !== (output.shape[0] ?? 1)) return outputs;
  if (contents.length > MAX_CONTENTS) return outputs;
  const limit = EXACT_LIMITS[output.dtype] ?? 0;
  return [{ ...output, contents: contents.map((x) => (typeof x === "number" && Math.abs(x) > limit ? undefined : x)) }];
}

/** Up to which size each type holds every whole number; other types are not followed. */
const EXACT_LIMITS: Readonly<Partial<Record<DType, number>>> = {
  bool: 1,
  int32: 2 ** 31 - 1,
  int64: Number.POSITIVE_INFINITY,
  float32: 2 ** 24,
  float64: Number.MAX_SAFE_INTEGER,
};

/** Combines two lists element by element, where one may have a single element. */
function zip<X, Y, Z>(x: readonly X[] | undefined, y: readonly Y[] | undefined, f: (x: X, y: Y) => Z): Z[] | undefined {
  if (!x || !y || (x.length !== y.length && x.length !== 1 && y.length !== 1)) return undefined;
  const length = x.length === 1 ? y.length : x.length;
  // The index is in range: a list is as long as the result or has one element.
  return Array.from({ length }, (_, i) => f(x[x.length === 1 ? 0 : i] as X, y[y.length === 1 ? 0 : i] as Y));
}

/** The first input whose type is known: all inputs have the same element type. */
function firstKnown(c: RuleContext): number {
  return Math.max(
    0,
    c.inputs.findIndex((input) => input !== undefined),
  );
}
