/** The shape rule of every operator that has one: of ONNX's own domain, and of ONNX Runtime's as "domain.Op". */

import { conv, convTranspose } from "./convolution.ts";
import * as elementwise from "./elementwise.ts";
import * as generation from "./generation.ts";
import * as indexing from "./indexing.ts";
import { einsum, gemm, matMul } from "./linear.ts";
import { labelLoss } from "./loss.ts";
import * as movement from "./movement.ts";
import * as normalization from "./normalization.ts";
import { globalPool, maxPool, pool } from "./pooling.ts";
import { recurrent } from "./recurrent.ts";
import * as reduction from "./reduction.ts";
import * as resizing from "./resize.ts";
import type { ShapeRule } from "./rule.ts";

const { unary, comparison, broadcastAll } = elementwise;

/** Rules by operator name. An operator that is missing here gives outputs of unknown type. */
export const SHAPE_RULES = {
  // One input, same shape.
  Abs: unary,
  Acos: unary,
  Acosh: unary,
  Asin: unary,
  Asinh: unary,
  Atan: unary,
  Atanh: unary,
  BitwiseNot: unary,
  Ceil: elementwise.identityOfWhole,
  Celu: unary,
  Clip: elementwise.clip,
  Cos: unary,
  Cosh: unary,
  Elu: unary,
  Erf: unary,
  Exp: unary,
  Floor: elementwise.identityOfWhole,
  Gelu: unary,
  HardSigmoid: unary,
  HardSwish: unary,
  LeakyRelu: unary,
  Log: unary,
  Mish: unary,
  Neg: elementwise.neg,
  Reciprocal: unary,
  Relu: unary,
  Round: elementwise.identityOfWhole,
  Selu: unary,
  Shrink: unary,
  Sigmoid: unary,
  Sign: unary,
  Sin: unary,
  Sinh: unary,
  Softplus: unary,
  Softsign: unary,
  Sqrt: unary,
  Swish: unary,
  Tan: unary,
  Tanh: unary,
  ThresholdedRelu: unary,
  Trilu: unary,
  Identity: elementwise.identity,
  Cast: elementwise.cast,
  CastLike: elementwise.castLike,
  // Several inputs, broadcast.
  Add: elementwise.add,
  Sub: elementwise.sub,
  Mul: elementwise.mul,
  Div: elementwise.div,
  Max: elementwise.max,
  Min: elementwise.min,
  Mean: broadcastAll,
  Mod: elementwise.mod,
  Pow: broadcastAll,
  Sum: broadcastAll,
  PRelu: elementwise.prelu,
  Where: elementwise.where,
  BitwiseAnd: broadcastAll,
  BitwiseOr: broadcastAll,
  BitwiseXor: broadcastAll,
  And: comparison,
  Or: comparison,
  Xor: comparison,
  Equal: elementwise.equal,
  Greater: comparison,
  GreaterOrEqual: comparison,
  Less: comparison,
  LessOrEqual: comparison,
  Not: elementwise.test,
  IsNaN: elementwise.test,
  IsInf: elementwise.test,
  // Windows.
  Conv: conv,
  ConvTranspose: convTranspose,
  AveragePool: pool,
  LpPool: pool,
  MaxPool: maxPool,
  GlobalAveragePool: globalPool,
  GlobalLpPool: globalPool,
  GlobalMaxPool: globalPool,
  // Normalization.
  BatchNormalization: normalization.batchNormalization,
  Dropout: normalization.dropout,
  GroupNormalization: normalization.groupNormalization,
  Hardmax: normalization.alongAxis,
  InstanceNormalization: normalization.instanceNormalization,
  LayerNormalization: normalization.layerNormalization,
  LogSoftmax: normalization.alongAxis,
  LpNormalization: normalization.alongAxis,
  LRN: unary,
  MeanVarianceNormalization: unary,
  RMSNormalization: unary,
  Softmax: normalization.alongAxis,
  // Products.
  Einsum: einsum,
  Gemm: gemm,
  MatMul: matMul,
  // Reductions.
  ArgMax: reduction.argReduce,
  ArgMin: reduction.argReduce,
  CumSum: reduction.cumSum,
  ReduceL1: reduction.reduce,
  ReduceL2: reduction.reduce,
  ReduceLogSum: reduction.reduce,
  ReduceLogSumExp: reduction.reduce,
  ReduceMax: reduction.reduce,
  ReduceMean: reduction.reduce,
  ReduceMin: reduction.reduce,
  ReduceProd: reduction.reduceProd,
  ReduceSum: reduction.reduce,
  ReduceSumSquare: reduction.reduce,
  TopK: reduction.topK,
  // Recurrent layers.
  GRU: recurrent,
  LSTM: recurrent,
  RNN: recurrent,
  // Movement.
  Concat: movement.concat,
  Expand: movement.expand,
  Flatten: movement.flatten,
  Reshape: movement.reshape,
  Split: movement.split,
  Squeeze: movement.squeeze,
  Tile: movement.tile,
  Transpose: movement.transpose,
  Unsqueeze: movement.unsqueeze,
  // Selection.
  Gather: indexing.gather,
  GatherElements: indexing.gatherElements,
  GatherND: indexing.gatherNd,
  NonMaxSuppression: indexing.nonMaxSuppression,
  NonZero: indexing.nonZero,
  OneHot: indexing.oneHot,
  Scatter: indexing.scatter,
  ScatterElements: indexing.scatter,
  ScatterND: indexing.scatter,
  Slice: indexing.slice,
  // Spatial sizes.
  DepthToSpace: resizing.depthToSpace,
  GridSample: resizing.gridSample,
  Pad: resizing.pad,
  Resize: resizing.resize,
  RoiAlign: resizing.roiAlign,
  SpaceToDepth: resizing.spaceToDepth,
  Upsample: resizing.resize,
  // Values from attributes, shapes and bounds.
  Bernoulli: generation.generatedLike,
  Constant: generation.constant,
  ConstantOfShape: generation.constantOfShape,
  EyeLike: generation.generatedLike,
  RandomNormal: generation.random,
  RandomNormalLike: generation.generatedLike,
  RandomUniform: generation.random,
  RandomUniformLike: generation.generatedLike,
  Range: generation.range,
  Shape: generation.shape,
  Size: generation.size,
  // ONNX Runtime's own. A bias broadcasts to the data, not the other way round.
  "com.microsoft.BiasGelu": unary,
  "com.microsoft.FastGelu": unary,
  "com.microsoft.Gelu": unary,
  "com.microsoft.QuickGelu": unary,
  // Losses.
  NegativeLogLikelihoodLoss: labelLoss,
  SoftmaxCrossEntropyLoss: labelLoss,
} as const satisfies Readonly<Record<string, ShapeRule>>;

/** The rule of an operator by its `operatorKey`, if it has one. */
export function shapeRule(op: string): ShapeRule | undefined {
  return Object.hasOwn(SHAPE_RULES, op) ? SHAPE_RULES[op as keyof typeof SHAPE_RULES] : undefined; // the key was tested
}
