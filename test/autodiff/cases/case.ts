/** What a case of a gradient rule is, and the words that the tables of cases are written in. */
import type { VJP_RULES } from "../../../src/autodiff/rules/table.ts";
import type { Attributes } from "../../../src/graph/attributes.ts";
import { int64, type Tensor } from "../../../src/tensor/tensor.ts";

export type Domain = "any" | "positive" | "away-from-zero";
export interface Input {
  readonly shape: readonly number[];
  readonly domain?: Domain;
  /** A constant, not differentiated by. */
  readonly constant?: Tensor;
}
export interface Case {
  readonly op: keyof typeof VJP_RULES;
  readonly inputs: readonly Input[];
  readonly attributes?: Attributes;
  /** Number of outputs of the node; every output counts in the loss. @default 1 */
  readonly outputs?: number;
  /** ONNX Runtime has no float64 kernel for the operator, or for one that the rule emits. */
  readonly float32?: boolean;
}

export const x = (...shape: number[]): Input => ({ shape });
export const positive = (...shape: number[]): Input => ({ shape, domain: "positive" });
export const awayFromZero = (...shape: number[]): Input => ({ shape, domain: "away-from-zero" });
export const axes = (...values: number[]): Input => ({ shape: [values.length], constant: int64(values) });

export const BROADCASTS = [
  [x(2, 3), x(2, 3)],
  [x(2, 3), x(3)],
  [x(3), x(4, 2, 3)],
  [x(2, 1, 4), x(3, 1)],
  [x(), x(2, 2)],
  [x(1, 3), x(2, 1)],
];
export const UNARY = [x(5), x(2, 3, 4), x()];
