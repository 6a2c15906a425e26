/** What a shape rule sees and returns, and the checks that rules share. */
import { RootstockError } from "../../errors.ts";
import type { DType } from "../../tensor/dtype.ts";
import { sizeOf, type Tensor, toNumbers } from "../../tensor/tensor.ts";
import { intOf, intsOf } from "../attributes.ts";
import { type Dim, describeNode, formatShape, type Node, type Shape, type ValueType } from "../graph.ts";
import type { DimAlgebra } from "./dims.ts";

/** Known elements of a scalar or 1-D tensor of whole numbers: a number, a dimension's name, or undefined (unknown). */
export type Contents = readonly (Dim | undefined)[];

/** A type, with the elements where the value is a small tensor of whole numbers such as a shape. */
export interface Inferred extends ValueType {
  readonly contents?: Contents | undefined;
}

/** One node as its rule sees it. */
export interface RuleContext {
  readonly node: Node;
  /** Version of the default domain. */
  readonly opset: number;
  /** What is known of each input; undefined where it is absent or nothing is known. */
  readonly inputs: readonly (Inferred | undefined)[];
  /** The tensor of an input that is an initializer. */
  constant(index: number): Tensor | undefined;
  readonly dims: DimAlgebra;
}

/** Types of a node's outputs, in order. Undefined means unknown. */
export type ShapeRule = (c: RuleContext) => readonly (Inferred | undefined)[];

/** The error for inputs that cannot go together. */
export function mismatch(node: Node, required: string, got: string): RootstockError {
  return new RootstockError("SHAPE_MISMATCH", `${describeNode(node)} requires ${required}, got ${got}.`);
}

/** Whether an input is given at all, known or not. */
export function isGiven({ node }: RuleContext, index: number): boolean {
  return (node.inputs[index] ?? "") !== "";
}

/** The shape of an input, if its rank is known. */
export function shapeOf(c: RuleContext, index: number): Shape | undefined {
  return c.inputs[index]?.shape;
}

/**
 * The shape of an input of at least `rank` dimensions.
 * @throws RootstockError SHAPE_MISMATCH if it is known and has fewer.
 */
export function shapeOfRank(c: RuleContext, index: number, rank: number): Shape | undefined {
  const shape = shapeOf(c, index);
  if (shape && shape.length < rank) {
    throw mismatch(c.node, `input ${index} of at least ${rank} dimensions`, formatShape(shape));
  }
  return shape;
}

/** A dimension that cannot be known, named after the output that has it. */
export function unknownDim(c: RuleContext, axis: number, output = 0): Dim {
  return c.dims.fresh(`${c.node.outputs[output] || c.node.name}.${axis}`);
}

/** A shape of `rank` unknown dimensions; undefined for a rank that no runtime has. */
export function unknownShape(c: RuleContext, rank: number, output = 0): Shape | undefined {
  if (!(rank >= 0 && rank <= MAX_RANK)) return undefined;
  return Array.from({ length: rank }, (_, axis) => unknownDim(c, axis, output));
}

/** One output of this shape with the element type of input `index`; nothing if that is unknown. */
export function like(c: RuleContext, shape: Shape | undefined, index = 0): Inferred[] {
  const input = c.inputs[index];
  return input ? [{ dtype: input.dtype, shape }] : [];
}

/** One output of this type. */
export function typed(dtype: DType, shape: Shape | undefined): Inferred[] {
  return [{ dtype, shape }];
}

/**
 * An axis counted from the front.
 * @throws RootstockError SHAPE_MISMATCH if the rank has no such axis.
 */
export function axisOf({ node }: RuleContext, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (positive < 0 || positive >= rank) throw mismatch(node, `an axis in [${-rank}, ${rank - 1}]`, String(axis));
  return positive;
}

/** The attribute "axis" counted from the front. */
export function axisAttribute(c: RuleContext, rank: number, fallback: number): number {
  return axisOf(c, intOf(c.node, "axis", fallback), rank);
}

/** Whole numbers that are an attribute in old opsets and an input in newer ones: "absent", or undefined if unknown. */
export function listOf(c: RuleContext, index: number, attribute: string): readonly number[] | "absent" | undefined {
  const values = intsOf(c.node, attribute, undefined);
  if (values) return values;
  if (!isGiven(c, index)) return "absent";
  return numbersOf(c.inputs[index]?.contents);
}

/** Floats that are an attribute in old opsets and a constant input in newer ones; undefined if absent or unknown. */
export function floatsOf(c: RuleContext, index: number, attribute: string): readonly number[] | undefined {
  const values = c.node.attributes[attribute];
  if (values?.kind === "floats") return values.value;
  const constant = c.constant(index);
  return constant && constant.data.length > 0 ? toNumbers(constant) : undefined;
}

/** Contents in which every element is a number. */
export function numbersOf(contents: Contents | undefined): readonly number[] | undefined {
  return contents?.every((element) => typeof element === "number") ? contents : undefined;
}

/** Contents of a small constant of whole numbers. */
export function contentsOfTensor(t: Tensor): Contents | undefined {
  if (t.shape.length > 1 || sizeOf(t.shape) > MAX_CONTENTS) return undefined;
  if (t.dtype === "float16" || t.dtype === "bfloat16") return undefined;
  const values = toNumbers(t);
  return values.every(Number.isInteger) ? values : undefined;
}

/** More axes than any tensor has. */
const MAX_RANK = 64;

/** Longer lists are data, not shapes. */
export const MAX_CONTENTS = 256;

/** Whether two dimensions are known to differ. */
export function differ(x: Dim | undefined, y: Dim | undefined): boolean {
  return typeof x === "number" && typeof y === "number" && x !== y;
}

/** Of two dimensions that must be equal, the one that says more. */
export function moreKnown(x: Dim, y: Dim | undefined): Dim {
  return typeof x === "string" && typeof y === "number" ? y : x;
}

/**
 * Shape of an element-wise result (numpy broadcasting).
 * @throws RootstockError SHAPE_MISMATCH if two dimensions are known, differ, and neither is 1.
 */
export function broadcast(c: RuleContext, shapes: readonly (Shape | undefined)[]): Shape | undefined {
  if (!shapes.every((shape) => shape !== undefined)) return undefined;
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const dims = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const [known, other] = [...new Set(dims.filter((dim) => typeof dim === "number" && dim !== 1))];
    if (other !== undefined) {
      throw mismatch(c.node, "shapes that broadcast", shapes.map(formatShape).join(" and "));
    }
    if (known !== undefined) return known;
    const names = [...new Set(dims.filter((dim) => typeof dim === "string"))];
    return names.length > 1 ? unknownDim(c, axis) : (names[0] ?? 1);
  });
}
