/** What a case of a gradient rule is, and the words that the tables of cases are written in. */
import type { VJP_RULES } from "../../../src/autodiff/rules/table.ts";
import type { Attributes } from "../../../src/graph/attributes.ts";
import { int64, type Tensor } from "../../../src/tensor/tensor.ts";

/** "wide" has three times the spread; "distinct" shuffles 0, 1, 2, … around 0: no two elements are equal, nor become so in a small step. */
export type Domain = "any" | "positive" | "away-from-zero" | "distinct" | "wide" | "inside-one" | "above-one";
export interface Input {
  readonly shape: readonly number[];
  readonly domain?: Domain;
  /** Where the operator is not smooth: values keep a distance of 0.1, which no step covers. */
  readonly kinks?: readonly number[];
  /** A constant, not differentiated by. */
  readonly constant?: Tensor;
  /** An optional input that is not given. */
  readonly absent?: boolean;
}
export interface Case {
  readonly op: keyof typeof VJP_RULES;
  readonly inputs: readonly Input[];
  readonly attributes?: Attributes;
  /** Version of the default domain. @default INTERNAL_OPSET */
  readonly opset?: number;
  /** Number of outputs of the node; every output counts in the loss. @default 1 */
  readonly outputs?: number;
  /** How many outputs, from the first, count in the loss; the others are whole numbers. @default all of them */
  readonly counted?: number;
  /** ONNX Runtime has no float64 kernel for the operator, or for one that the rule emits. */
  readonly float32?: boolean;
  /** Step of the differences. What is linear takes a large one. @default 1e-6, or 1e-2 in float32 */
  readonly step?: number;
  /** Largest relative error. @default 1e-7, or 2e-3 in float32 */
  readonly tolerance?: number;
}

export const x = (...shape: number[]): Input => ({ shape });
export const positive = (...shape: number[]): Input => ({ shape, domain: "positive" });
export const awayFromZero = (...shape: number[]): Input => ({ shape, domain: "away-from-zero" });
export const insideOne = (...shape: number[]): Input => ({ shape, domain: "inside-one" });
export const aboveOne = (...shape: number[]): Input => ({ shape, domain: "above-one" });
/** Values from about -6 to 6, none of them near a kink. */
export const kinked = (kinks: readonly number[], ...shape: number[]): Input => ({ shape, domain: "wide", kinks });
export const distinct = (...shape: number[]): Input => ({ shape, domain: "distinct" });
export const absent: Input = { shape: [], absent: true };
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
