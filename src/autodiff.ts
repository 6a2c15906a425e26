/**
 * The engine alone, as "rootstock/autodiff": graphs to build, load, differentiate, print, save and run, with no images
 * and no training. docs/autodiff.md explains how the backward pass is made.
 */
import { broadcasting as broadcastingRule, rule as plainRule, type VjpRule, type Vjps } from "./autodiff/rule.ts";

export { BUILT_IN_RULES, type RuleTable } from "./autodiff/check.ts";
export { type GradientOptions, gradient, gradientName } from "./autodiff/gradient.ts";
export type { Vjp, VjpContext, VjpRule, Vjps } from "./autodiff/rule.ts";
export { type ErrorCode, RootstockError } from "./errors.ts";
export { type Attribute, type Attributes, float, int, ints, string } from "./graph/attributes.ts";
export { type GemmOptions, GraphBuilder, type ReduceOptions } from "./graph/builder.ts";
export type { Dim, Graph, Node, Shape, Value, ValueInfo, ValueType } from "./graph/graph.ts";
export { inferTypes, type ShapeRules } from "./graph/infer-types.ts";
export { type GraphFile, type LoadGraphOptions, loadGraph } from "./graph/load.ts";
export { printGraph } from "./graph/print.ts";
export { saveGraph } from "./graph/save.ts";
export type { ShapeRule } from "./graph/shape-rules/rule.ts";
export { joinChunks } from "./onnx/encode.ts";
export { Session, type SessionOptions, type Tensors } from "./runtime/session.ts";
export type { DType, TypedArray } from "./tensor/dtype.ts";
export { float32, int64, scalar, type Tensor, tensor, toNumbers, zeros } from "./tensor/tensor.ts";

type RuleConstructor = <Input extends string>(inputs: Vjps<Input>) => VjpRule;

/**
 * A rule for an operator of any name: one product per formal input, in order and of the input's own shape; null where
 * no gradient flows. The driver calls a product with these names alone, which is why they are free.
 */
export const rule = plainRule as unknown as RuleConstructor; // the package's own calls are narrower: names from ONNX

/** A rule for an operator whose inputs broadcast: products have the output's shape, and the driver sums them. */
export const broadcasting = broadcastingRule as unknown as RuleConstructor; // as `rule`
