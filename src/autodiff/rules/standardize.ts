/** Normalization of the last axes in the backward pass: what the rules of several operators have in common. */
import { float, int } from "../../graph/attributes.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Value } from "../../graph/graph.ts";
import type { DType } from "../../tensor/dtype.ts";
import { scalar } from "../../tensor/tensor.ts";

export interface Standardized {
  /** N = (X - mean) / √(var + epsilon). */
  readonly normalized: Value;
  /** 1 / √(var + epsilon), with the axes of size 1. */
  readonly inverse: Value;
}

export interface StandardizeOptions {
  /** The last axes, all of them from the first one on. */
  readonly axes: readonly number[];
  readonly epsilon: number;
  readonly dtype: DType;
}

/** Normalizes again what the forward pass normalized: for float32 one kernel gives both results in one pass. */
export function standardize(b: GraphBuilder, x: Value, { axes, epsilon, dtype }: StandardizeOptions): Standardized {
  if (dtype === "float32") {
    const one = b.constant({ ...scalar(dtype, 1), shape: [1] });
    const attributes = { axis: int(axes[0]!), epsilon: float(epsilon) };
    const [normalized, , inverse] = b.ops("LayerNormalization", [x, one], 3, attributes);
    return { normalized: normalized!, inverse: inverse! };
  }
  const difference = b.sub(x, b.reduceMean(x, { axes }));
  const variance = b.reduceMean(b.mul(difference, difference), { axes });
  const inverse = b.op("Reciprocal", [b.op("Sqrt", [b.add(variance, b.scalar(epsilon, dtype))])]);
  return { normalized: b.mul(difference, inverse), inverse };
}

/**
 * dX = (G - mean(G) - N mean(G N)) / √(var + epsilon) for the gradient G of N: G without its parts along the mean and
 * along N.
 */
export function standardizeVjp(
  b: GraphBuilder,
  g: Value,
  { normalized, inverse }: Standardized,
  axes: readonly number[],
): Value {
  const along = b.mul(normalized, b.reduceMean(b.mul(g, normalized), { axes }));
  return b.mul(b.sub(b.sub(g, b.reduceMean(g, { axes })), along), inverse);
}
