/** Every operator that the differentiator knows. A missing entry, or a formal input without an answer, does not compile. */
import type { OpInputs, VjpRule } from "../rule.ts";
import { relu, sigmoid, softplus, tanh } from "./activation.ts";
import { abs, add, div, exp, log, mul, neg, sqrt, sub } from "./arithmetic.ts";
import { gemm, matMul } from "./linear.ts";
import {
  cast,
  flatten,
  gatherElements,
  identity,
  reshape,
  shape,
  size,
  squeeze,
  transpose,
  unsqueeze,
} from "./movement.ts";
import { reduceMean, reduceSum } from "./reduction.ts";
import { logSoftmax, softmax } from "./softmax.ts";

/** Gradient rules by operator of ONNX's own domain. */
export const VJP_RULES: { readonly [Op in keyof OpInputs]: VjpRule<Op> } = {
  Abs: abs,
  Add: add,
  Cast: cast,
  Div: div,
  Exp: exp,
  Flatten: flatten,
  GatherElements: gatherElements,
  Gemm: gemm,
  Identity: identity,
  Log: log,
  LogSoftmax: logSoftmax,
  MatMul: matMul,
  Mul: mul,
  Neg: neg,
  ReduceMean: reduceMean,
  ReduceSum: reduceSum,
  Relu: relu,
  Reshape: reshape,
  Shape: shape,
  Sigmoid: sigmoid,
  Size: size,
  Softmax: softmax,
  Softplus: softplus,
  Sqrt: sqrt,
  Squeeze: squeeze,
  Sub: sub,
  Tanh: tanh,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
