/**
 * 1x1 convolutions of maps [n, c, 1, 1], such as the gates of squeeze and excitation: products of [n, c] by matrices,
 * which need no packed weights.
 */
import type { Node, Value } from "../../../graph/graph.ts";
import type { WindowAttributes } from "../../gradient-operators.ts";
import type { Forms } from "./forms.ts";

/** Whether X, W and Y all have one position, and no padding takes that of X. */
export function isSinglePosition({ kernel, size, pads, group }: WindowAttributes, out: readonly number[]): boolean {
  return group === 1 && [...kernel, ...size, ...out].every((length) => length === 1) && pads[0] === 0 && pads[1] === 0;
}

/** Y [n, m] = X [n, c] Wᵀ + bias. */
export function productForward(f: Forms, { inputs, outputs }: Node): Value {
  const [x, w, bias = ""] = inputs as readonly [Value, Value, Value?];
  const c = bias === "" ? "" : f.as(bias, "plain");
  return f.reshape(f.b.gemm(matrix(f, x), matrix(f, w), { transB: true, c }), f.known.shape(outputs[0]!)!);
}

/** dX [n, c] = dY [n, m] W [m, c]. */
export function productGradX(f: Forms, { inputs, outputs }: Node): Value {
  const [dy, w] = inputs as readonly [Value, Value];
  return f.reshape(f.b.gemm(matrix(f, dy), matrix(f, w)), f.known.shape(outputs[0]!)!);
}

/** dW [m, c] = dYᵀ X. */
export function productGradW(f: Forms, x: Value, dy: Value): Value {
  const [m, c] = [f.known.shape(dy)![1]!, f.known.shape(x)![1]!];
  return f.reshape(f.b.gemm(matrix(f, dy), matrix(f, x), { transA: true }), [m, c, 1, 1]);
}

/** [a, b, 1, 1] as [a, b]. */
function matrix(f: Forms, value: Value): Value {
  return f.once("matrix", value, () => f.reshape(f.as(value, "plain"), f.known.shape(value)!.slice(0, 2)));
}
