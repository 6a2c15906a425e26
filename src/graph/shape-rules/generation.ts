/** Operators that make values from attributes, shapes or bounds. */
import { dtypeOfCode } from "../../onnx/tensor-proto.ts";
import type { DType } from "../../tensor/dtype.ts";
import { toNumbers } from "../../tensor/tensor.ts";
import { intOf, intsOf, tensorOf } from "../attributes.ts";
import type { Dim, Shape } from "../graph.ts";
import { withContents } from "./elementwise.ts";
import {
  type Contents,
  contentsOfTensor,
  like,
  MAX_CONTENTS,
  type RuleContext,
  type ShapeRule,
  shapeOf,
  typed,
  unknownDim,
  unknownShape,
} from "./rule.ts";

/** Constant: the value is one of several attributes. */
export const constant: ShapeRule = ({ node }) => {
  const [attribute] = Object.values(node.attributes);
  switch (attribute?.kind) {
    case "tensor":
      return withContents(typed(attribute.value.dtype, attribute.value.shape), contentsOfTensor(attribute.value));
    case "int":
      return withContents(typed("int64", []), [attribute.value]);
    case "ints":
      return withContents(typed("int64", [attribute.value.length]), attribute.value);
    case "float":
      return typed("float32", []);
    case "floats":
      return typed("float32", [attribute.value.length]);
    default:
      return [];
  }
};

/** ConstantOfShape: zeros of float32, or the one element of `value`. */
export const constantOfShape: ShapeRule = (c) => {
  const value = tensorOf(c.node, "value", undefined);
  const shape = shapeFrom(c, 0);
  const [element] = value ? (contentsOfTensor(value) ?? []) : [0];
  const outputs = typed(value?.dtype ?? "float32", shape);
  const [length] = shape ?? [];
  if (shape?.length !== 1 || typeof length !== "number" || length > MAX_CONTENTS) return outputs;
  return withContents(
    outputs,
    Array.from({ length }, () => element),
  );
};

/** Shape: the sizes from `start` to `end`, as contents. */
export const shape: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  const dims = x?.slice(intOf(c.node, "start", 0), intOf(c.node, "end", x.length));
  return withContents(typed("int64", [dims?.length ?? unknownDim(c, 0)]), dims);
};

/** Size: the number of elements. */
export const size: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  return withContents(typed("int64", []), x && [c.dims.product(x)]);
};

/** Range: start, limit and delta are scalars. */
export const range: ShapeRule = (c) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => scalarOf(c, i));
  return like(c, [lengthOfRange(c, start, limit, delta) ?? unknownDim(c, 0)]);
};

function lengthOfRange(c: RuleContext, start?: Dim, limit?: Dim, delta?: Dim): Dim | undefined {
  if (start === undefined || limit === undefined || typeof delta !== "number" || delta === 0) return undefined;
  if (typeof start === "number" && typeof limit === "number") return Math.max(0, Math.ceil((limit - start) / delta));
  return start === 0 && delta > 0 ? c.dims.ceilDivide(limit, delta) : undefined;
}

function scalarOf(c: RuleContext, index: number): Dim | undefined {
  const constant = c.constant(index);
  return constant && constant.data.length === 1 ? toNumbers(constant)[0] : c.inputs[index]?.contents?.[0];
}

/** RandomNormal, RandomUniform: shape and element type are attributes. */
export const random: ShapeRule = ({ node }) => typed(dtypeOf(node, "float32"), intsOf(node, "shape", []));

/** RandomNormalLike, RandomUniformLike, EyeLike, Bernoulli: the shape of X, with its element type unless one is given. */
export const generatedLike: ShapeRule = (c) => {
  const x = c.inputs[0];
  return x ? typed(dtypeOf(c.node, x.dtype), x.shape) : [];
};

function dtypeOf(node: RuleContext["node"], fallback: DType): DType {
  const code = intOf(node, "dtype", undefined);
  return (code === undefined ? undefined : dtypeOfCode(code)) ?? fallback;
}

/** A shape that is the contents of an input. */
function shapeFrom(c: RuleContext, index: number): Shape | undefined {
  const contents: Contents | undefined = c.inputs[index]?.contents;
  if (contents) return contents.map((element, axis) => element ?? unknownDim(c, axis));
  const [rank] = shapeOf(c, index) ?? [];
  return typeof rank === "number" ? unknownShape(c, rank) : undefined;
}
