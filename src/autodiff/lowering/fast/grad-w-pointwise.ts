/** The gradient of the weights of a 1x1 convolution: products of matrices, in the layouts that cost the fewest moves. */
import type { Value } from "../../../graph/graph.ts";
import type { WindowAttributes } from "../../gradient-operators.ts";
import type { Variant } from "./choice.ts";
import type { Forms } from "./forms.ts";
import type { Sizes } from "./known.ts";

interface Operands {
  readonly x: Value;
  readonly dy: Value;
  readonly xs: Sizes;
  readonly dys: Sizes;
  readonly window: WindowAttributes;
}

/** dW [m, c, 1, 1] = sum over n, p of dY[n, m, p] X[n, c, p], X without the positions that the strides leave out. */
export function pointwiseGradW(f: Forms, operands: Operands, variant: Variant): Value {
  if (variant === "blocked") return blockedProducts(f, operands);
  const { x, dy, xs, dys, window } = operands;
  const { b } = f;
  const [channels] = xs.slice(1);
  const [n, m, ...out] = dys;
  const positions = out[0]! * out[1]!;
  const columns = channelsLast(f, x, channels!, window.strides); // [n, p, c]
  if (variant === "batched") {
    const perImage = b.matmul(
      f.reshape(f.as(dy, "plain"), [n, m, positions]),
      f.reshape(columns, [n, positions, channels!]),
    );
    return b.reduceSum(f.reshape(perImage, [n, m, channels!, 1, 1]), { axes: [0], keepdims: false });
  }
  const rows = f.reshape(f.as(dy, "channels-first"), [m, n * positions]);
  return f.reshape(b.gemm(rows, f.reshape(columns, [n * positions, channels!])), [m, channels!, 1, 1]);
}

function channelsLast(f: Forms, x: Value, channels: number, strides: readonly number[]): Value {
  if (strides.every((stride) => stride === 1)) return f.as(x, "channels-last");
  const thinned = f.thinned(x, strides);
  return f.once(`channels-last ${strides}`, x, () => f.toChannelsLast(thinned, channels));
}

/**
 * Per image and block of the side with more channels, [few, p] by [p, block]: that side stays as it is, the other, being
 * smaller, is moved to the plain layout.
 */
function blockedProducts(f: Forms, { x, dy, xs: [n, channels], dys }: Operands): Value {
  const { b, block } = f;
  const [, m, h, w] = dys;
  const wideX = m <= channels;
  const [few, fewCount, many, manyCount] = wideX ? [dy, m, x, channels] : [x, channels, dy, m];
  const filled = f.padded(manyCount);
  const perImage = b.matmul(
    f.reshape(f.as(few, "plain"), [n, 1, fewCount, h * w]),
    f.reshape(f.as(many, "blocked"), [n, filled / block, h * w, block]),
  );
  const sum = b.reduceSum(perImage, { axes: [0], keepdims: false }); // [many / block, few, block]
  const [perm, shape, axis] = wideX
    ? ([[1, 0, 2], [m, filled, 1, 1], 1] as const)
    : ([[0, 2, 1], [filled, channels, 1, 1], 0] as const);
  const dw = f.reshape(b.transpose(sum, perm), shape);
  return filled === manyCount ? dw : f.cut(dw, [axis], [manyCount]);
}
