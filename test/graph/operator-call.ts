/** Calls of single operators, as tests write them. */
import type { Attributes } from "../../src/graph/attributes.ts";
import { clampedInt64 } from "../../src/graph/int64.ts";
import { float32, int64, type Tensor, tensor } from "../../src/tensor/tensor.ts";

/** One call. Inputs marked `fed` are given when the graph runs; the others are constants. */
export interface OperatorCase {
  /** "domain.Op" outside ONNX's own domain. */
  readonly op: string;
  readonly inputs: readonly (Fed | Tensor | undefined)[];
  readonly attributes: Attributes;
  readonly outputs: number;
  /** Opset in which the operator exists. */
  readonly opset: number;
}

export interface Fed {
  readonly fed: Tensor;
}

/** Numbers between about -1 and 1 without pattern. */
const wave = (size: number): Float32Array => Float32Array.from({ length: size }, (_, i) => Math.sin(1 + 12.9898 * i));

/** A fed float32 input. */
export const x = (...shape: number[]): Fed => ({ fed: float32(shape, wave(shape.reduce((a, b) => a * b, 1))) });
/** A constant float32 input. */
export const w = (...shape: number[]): Tensor => x(...shape).fed;
/** A fed input of any type. */
export const fed = (value: Tensor): Fed => ({ fed: value });
/** A fed list of booleans. */
export const bools = (...values: number[]): Fed => fed(tensor("bool", [values.length], Uint8Array.from(values)));
/** A constant list of whole numbers. */
export const list = (...values: number[]): Tensor => clampedInt64(values);
/** A constant whole number. */
export const whole = (value: number): Tensor => int64([value], []);
/** A constant float. */
export const scalar = (value: number): Tensor => float32([], [value]);

interface More {
  readonly attributes?: Attributes;
  readonly outputs?: number;
  readonly opset?: number;
}

/** A call with one output in opset 18, unless told otherwise. */
export function call(
  op: string,
  inputs: OperatorCase["inputs"],
  { attributes = {}, outputs = 1, opset = 18 }: More = {},
): OperatorCase {
  return { op, inputs, attributes, outputs, opset };
}
