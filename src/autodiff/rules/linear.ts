/** Gradient rules of matrix products. */
import { floatOf, intOf } from "../../graph/attributes.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Node, Shape, Value } from "../../graph/graph.ts";
import { rule, type VjpRule } from "../rule.ts";

/** Y = A B: A [..., m, k], B [..., k, n], Y [..., m, n]. dA = dY B', dB = A' dY. */
export const matMul: VjpRule<"MatMul"> = {
  product: "matrix",
  inputs: {
    A: ({ b, x, dy, shapeOf }) => b.matmul(dy, transposeLast2(b, x.B, shapeOf(x.B))),
    B: ({ b, x, dy, shapeOf }) => b.matmul(transposeLast2(b, x.A, shapeOf(x.A)), dy),
  },
  unsupported: (node, shapeOf) =>
    node.inputs.some((value) => shapeOf(value)?.length === 1) ? "one-dimensional operand" : undefined,
};

/**
 * Y = alpha A' B' + beta C, where ' transposes on request: A' [m, k], B' [k, n]; C broadcasts to [m, n].
 * dA' = alpha dY B'ᵀ, dB' = alpha A'ᵀ dY, dC = beta dY summed to C's shape.
 */
export const gemm = rule<"Gemm">({
  A: ({ b, node, x, dy }) => {
    const { alpha, transA, transB } = gemmAttributes(node);
    return transA
      ? b.gemm(x.B, dy, { alpha, transA: transB, transB: true })
      : b.gemm(dy, x.B, { alpha, transB: !transB });
  },
  B: ({ b, node, x, dy }) => {
    const { alpha, transA, transB } = gemmAttributes(node);
    return transB
      ? b.gemm(dy, x.A, { alpha, transA: true, transB: transA })
      : b.gemm(x.A, dy, { alpha, transA: !transA });
  },
  C: ({ b, node, x, y, dy, shapeOf, dtypeOf, sumTo }) => {
    const { beta } = gemmAttributes(node);
    const sum = sumTo(dy, shapeOf(y), shapeOf(x.C));
    return beta === 1 ? sum : b.mul(sum, b.scalar(beta, dtypeOf(x.C)));
  },
});

function gemmAttributes(node: Node): { alpha: number; beta: number; transA: boolean; transB: boolean } {
  return {
    alpha: floatOf(node, "alpha", 1),
    beta: floatOf(node, "beta", 1),
    transA: intOf(node, "transA", 0) === 1,
    transB: intOf(node, "transB", 0) === 1,
  };
}

function transposeLast2(b: GraphBuilder, x: Value, shape: Shape): Value {
  const axes = shape.map((_, i) => i);
  return b.transpose(x, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]);
}
