/** What a gradient rule looks like: one small function per formal input of an operator. */

import type { GraphBuilder } from "../graph/builder.ts";
import type { Node, Shape, Value } from "../graph/graph.ts";
import type { DType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * Formal input names of every operator with an entry in VJP_RULES, as its page names them, in order. An operator outside
 * ONNX's own domain is written "domain.Op".
 */
export interface OpInputs {
  Abs: "X";
  Acos: "input";
  Acosh: "input";
  Add: "A" | "B";
  And: "A" | "B";
  ArgMax: "data";
  ArgMin: "data";
  Asin: "input";
  Asinh: "input";
  Atan: "input";
  Atanh: "input";
  AveragePool: "X";
  BatchNormalization: "X" | "scale" | "B" | "input_mean" | "input_var";
  Bernoulli: "input";
  BitShift: "X" | "Y";
  BitwiseAnd: "A" | "B";
  BitwiseNot: "X";
  BitwiseOr: "A" | "B";
  BitwiseXor: "A" | "B";
  Cast: "input";
  CastLike: "input" | "target_type";
  Ceil: "X";
  Celu: "X";
  Clip: "input" | "min" | "max";
  Concat: "inputs";
  ConstantOfShape: "input";
  Conv: "X" | "W" | "B";
  ConvTranspose: "X" | "W" | "B";
  Cos: "input";
  Cosh: "input";
  CumSum: "x" | "axis";
  DepthToSpace: "input";
  Div: "A" | "B";
  Dropout: "data" | "ratio" | "training_mode";
  Einsum: "Inputs";
  Elu: "X";
  Equal: "A" | "B";
  Erf: "input";
  Exp: "input";
  Expand: "input" | "shape";
  EyeLike: "input";
  Flatten: "input";
  Floor: "X";
  Gather: "data" | "indices";
  GatherElements: "data" | "indices";
  GatherND: "data" | "indices";
  Gelu: "X";
  Gemm: "A" | "B" | "C";
  GlobalAveragePool: "X";
  GlobalMaxPool: "X";
  Greater: "A" | "B";
  GreaterOrEqual: "A" | "B";
  GridSample: "X" | "grid";
  GroupNormalization: "X" | "scale" | "bias";
  Hardmax: "input";
  HardSigmoid: "X";
  HardSwish: "X";
  Identity: "input";
  InstanceNormalization: "input" | "scale" | "B";
  IsInf: "X";
  IsNaN: "X";
  LayerNormalization: "X" | "Scale" | "B";
  LeakyRelu: "X";
  Less: "A" | "B";
  LessOrEqual: "A" | "B";
  Log: "input";
  LogSoftmax: "input";
  LpNormalization: "input";
  LRN: "X";
  MatMul: "A" | "B";
  Max: "data_0";
  MaxPool: "X";
  Mean: "data_0";
  MeanVarianceNormalization: "X";
  Min: "data_0";
  Mish: "X";
  Mod: "A" | "B";
  Mul: "A" | "B";
  Neg: "X";
  NegativeLogLikelihoodLoss: "input" | "target" | "weight";
  NonMaxSuppression: "boxes" | "scores" | "max_output_boxes_per_class" | "iou_threshold" | "score_threshold";
  NonZero: "X";
  Not: "X";
  OneHot: "indices" | "depth" | "values";
  Or: "A" | "B";
  Pad: "data" | "pads" | "constant_value" | "axes";
  Pow: "X" | "Y";
  PRelu: "X" | "slope";
  RandomNormalLike: "input";
  RandomUniformLike: "input";
  Range: "start" | "limit" | "delta";
  Reciprocal: "X";
  ReduceL1: "data" | "axes";
  ReduceL2: "data" | "axes";
  ReduceLogSum: "data" | "axes";
  ReduceLogSumExp: "data" | "axes";
  ReduceMax: "data" | "axes";
  ReduceMean: "data" | "axes";
  ReduceMin: "data" | "axes";
  ReduceProd: "data" | "axes";
  ReduceSum: "data" | "axes";
  ReduceSumSquare: "data" | "axes";
  Relu: "X";
  Reshape: "data" | "shape";
  Resize: "X" | "roi" | "scales" | "sizes";
  RMSNormalization: "X" | "scale";
  RoiAlign: "X" | "rois" | "batch_indices";
  Round: "X";
  ScatterElements: "data" | "indices" | "updates";
  ScatterND: "data" | "indices" | "updates";
  Selu: "X";
  Shape: "data";
  Shrink: "input";
  Sigmoid: "X";
  Sign: "input";
  Sin: "input";
  Sinh: "input";
  Size: "data";
  Slice: "data" | "starts" | "ends" | "axes" | "steps";
  Softmax: "input";
  SoftmaxCrossEntropyLoss: "scores" | "labels" | "weights";
  Softplus: "X";
  Softsign: "input";
  SpaceToDepth: "input";
  Split: "input" | "split";
  Sqrt: "X";
  Squeeze: "data" | "axes";
  Sub: "A" | "B";
  Sum: "data_0";
  Swish: "X";
  Tan: "input";
  Tanh: "input";
  ThresholdedRelu: "X";
  Tile: "input" | "repeats";
  TopK: "X" | "K";
  Transpose: "data";
  Trilu: "input" | "k";
  Unsqueeze: "data" | "axes";
  Where: "condition" | "X" | "Y";
  Xor: "A" | "B";
  "com.microsoft.BiasGelu": "A" | "B";
  "com.microsoft.FastGelu": "X" | "bias";
  "com.microsoft.Gelu": "X";
  "com.microsoft.QuickGelu": "X";
}

/** The tensor of an initializer or of a Constant node. Only values that carry no gradient are asked for: weights change. */
export type ConstantOf = (value: Value) => Tensor | undefined;

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
  /** The tensor of a value that is known before the graph runs, such as axes or pads; undefined if it is computed. */
  readonly constantOf: ConstantOf;
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
 */
export type ProductShape = "input" | "output";

/** The rule of one operator. */
export interface VjpRule<Op extends keyof OpInputs = keyof OpInputs> {
  readonly inputs: Vjps<OpInputs[Op]>;
  readonly product: ProductShape;
  /** Whether the last formal input stands for any number of inputs, as in Concat. Not unless it says so. */
  readonly variadic?: boolean | undefined;
  /** Whether the rule reads the gradients of all outputs, as in Split, or, by default, only that of the first. */
  readonly outputs?: "first" | "all" | undefined;
  /** Says which form of the operator the rule does not cover, or undefined if it covers this node. */
  readonly unsupported?:
    | ((node: Node, shapeOf: (value: Value) => Shape | undefined, constantOf: ConstantOf) => string | undefined)
    | undefined;
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
