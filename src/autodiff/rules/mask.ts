/** Masks of ones and zeros for piecewise rules, in as few passes over the elements as the runtime allows. */
import { float } from "../../graph/attributes.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Value } from "../../graph/graph.ts";
import type { DType } from "../../tensor/dtype.ts";

/** A slope so steep that HardSigmoid is a step: a power of two, so that no number is rounded. */
const STEEP = 2 ** 100;
/** Beyond this bound the step would overflow; the default bounds of Clip are there. */
const LARGEST = 2 ** 24;

/** Elements to compare, and their type. */
export interface Elements {
  readonly b: GraphBuilder;
  readonly value: Value;
  readonly dtype: DType;
}

/** 1 where the value is greater than the bound, else 0. */
export function isGreater(elements: Elements, bound: number): Value {
  return step(elements, 1, -bound) ?? compare(elements, "Greater", bound);
}

/** 1 where the value is less than the bound, else 0. */
export function isLess(elements: Elements, bound: number): Value {
  return step(elements, -1, bound) ?? compare(elements, "Less", bound);
}

/** alpha x + beta limited to [0, 1]. */
export function ramp({ b, value, dtype }: Elements, alpha: number, beta: number): Value {
  if (dtype === "float32") return b.op("HardSigmoid", [value], { alpha: float(alpha), beta: float(beta) });
  const scalar = (number: number): Value => b.scalar(number, dtype);
  return b.op("Clip", [b.add(b.mul(value, scalar(alpha)), scalar(beta)), scalar(0), scalar(1)]);
}

/** 1 where `x` is greater than `y`, ½ where they are equal, else 0: how two equal operands share a gradient. */
export function shareOfGreater({ b, value: x, dtype }: Elements, y: Value): Value {
  if (dtype === "float32") return ramp({ b, value: b.sub(x, y), dtype }, STEEP, 0.5);
  const [greater, less] = [b.op("Greater", [x, y]), b.op("Less", [x, y])];
  const sign = b.sub(b.cast(greater, dtype), b.cast(less, dtype));
  return b.mul(b.add(sign, b.scalar(1, dtype)), b.scalar(0.5, dtype));
}

/** 1 where sign · value + shift is positive, else 0, in one pass: a float32 kernel that every opset has. */
function step(elements: Elements, sign: number, shift: number): Value | undefined {
  const exact = Math.fround(shift);
  if (elements.dtype !== "float32" || Math.abs(exact) > LARGEST) return undefined;
  return ramp(elements, sign * STEEP, exact * STEEP);
}

function compare({ b, value, dtype }: Elements, op: "Greater" | "Less", bound: number): Value {
  return b.cast(b.op(op, [value, b.scalar(bound, dtype)]), dtype);
}
