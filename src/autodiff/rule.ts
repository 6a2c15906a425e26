/** What a gradient rule looks like: one small function per formal input of an operator. */

import type { GraphBuilder } from "../graph/builder.ts";
import type { Node, Shape, Value } from "../graph/graph.ts";
import type { DType } from "../tensor/dtype.ts";

/** Formal input names of every operator with an entry in VJP_RULES, as its ONNX page names them, in order. */
export interface OpInputs {
  Abs: "X";
  Add: "A" | "B";
  Cast: "input";
  Div: "A" | "B";
  Exp: "input";
  Flatten: "input";
  GatherElements: "data" | "indices";
  Gemm: "A" | "B" | "C";
  Identity: "input";
  Log: "input";
  LogSoftmax: "input";
  MatMul: "A" | "B";
  Mul: "A" | "B";
  Neg: "X";
  ReduceMean: "data" | "axes";
  ReduceSum: "data" | "axes";
  Relu: "X";
  Reshape: "data" | "shape";
  Shape: "data";
  Sigmoid: "X";
  Size: "data";
  Softmax: "input";
  Softplus: "X";
  Sqrt: "X";
  Squeeze: "data" | "axes";
  Sub: "A" | "B";
  Tanh: "input";
  Transpose: "data";
  Unsqueeze: "data" | "axes";
}

/** What a rule may use. All shapes are those of the forward pass. */
export interface VjpContext<Input extends string> {
  readonly b: GraphBuilder;
  readonly node: Node;
  /** Inputs by formal name; "" where an optional input is absent. */
  readonly x: { readonly [K in Input]: Value };
  /** The position of the input that a product is asked for: rules whose last input repeats read it. */
  readonly index: number;
  /** The first output, and the gradient of the loss with respect to it. */
  readonly y: Value;
  readonly dy: Value;
  /** The gradient with respect to any output, by position; zeros where the loss does not depend on it. */
  readonly dyOf: (output: number) => Value;
  /** Shape of a forward value. @throws RootstockError SHAPE_MISMATCH if inference could not find its rank. */
  readonly shapeOf: (value: Value) => Shape;
  readonly dtypeOf: (value: Value) => DType;
  /** Sums a value of shape `from` over the axes along which `to` was broadcast. */
  readonly sumTo: (value: Value, from: Shape, to: Shape) => Value;
}

/** The vector-Jacobian product for one formal input. */
export type Vjp<Input extends string> = (c: VjpContext<Input>) => Value;

/** One product per formal input, in formal order; null where no gradient flows. */
export type Vjps<Input extends string> = { readonly [K in Input]: Vjp<Input> | null };

/**
 * The shape in which a rule hands over its products. The driver sums them over broadcast axes down to the input's shape:
 * - "input": the input's own shape, nothing to sum.
 * - "output": the output's shape, for operators whose inputs broadcast (ONNX multidirectional broadcasting).
 * - "matrix": the output's leading axes, then the input's last two, for stacks of matrices that broadcast.
 */
export type ProductShape = "input" | "output" | "matrix";

/** The rule of one operator. */
export interface VjpRule<Op extends keyof OpInputs = keyof OpInputs> {
  readonly inputs: Vjps<OpInputs[Op]>;
  readonly product: ProductShape;
  /** Whether the last formal input stands for any number of inputs, as in Concat. @default false */
  readonly variadic?: boolean | undefined;
  /** Whether the rule reads the gradients of all outputs, as in Split, or only that of the first. @default "first" */
  readonly outputs?: "first" | "all" | undefined;
  /** Says which form of the operator the rule does not cover, or undefined if it covers this node. */
  readonly unsupported?: ((node: Node, shapeOf: (value: Value) => Shape | undefined) => string | undefined) | undefined;
}

/** A rule whose products have their inputs' shapes. */
export function rule<Op extends keyof OpInputs>(inputs: Vjps<OpInputs[Op]>): VjpRule<Op> {
  return { inputs, product: "input" };
}

/** A rule of an operator whose inputs broadcast: products have the output's shape. */
export function broadcasting<Op extends keyof OpInputs>(inputs: Vjps<OpInputs[Op]>): VjpRule<Op> {
  return { inputs, product: "output" };
}

/** The entry of an operator whose results carry no gradient: whole numbers, truth values, shapes. */
export function noGradient<Op extends keyof OpInputs>(...inputs: OpInputs[Op][]): VjpRule<Op> {
  return rule(Object.fromEntries(inputs.map((name) => [name, null])) as Vjps<OpInputs[Op]>); // one entry per name
}
