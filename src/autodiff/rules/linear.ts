/** Gradient rules of matrix products. */
import { floatOf, intOf } from "../../graph/attributes.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Node, Shape, Value } from "../../graph/graph.ts";
import { rule, type VjpContext } from "../rule.ts";
import { reshapeLike, sizeAt, sizeList } from "./sizes.ts";

/**
 * Y = A B: A [..., m, k], B [..., k, n], Y [..., m, n]; a vector is a row on the left and a column on the right.
 * dA = dY Bᵀ, dB = Aᵀ dY, summed over the axes along which A or B was repeated. For a stack A and one matrix B that is
 * one product of all rows.
 */
export const matMul = rule<"MatMul">({
  A: (c) => {
    const { b, x, shapeOf } = c;
    const [dy, a, w] = [columns(c, c.dy), shapeOf(x.A), shapeOf(x.B)];
    if (isStackByMatrix(a, w)) return reshapeLike(b, b.gemm(rows(c, dy, x.B, 1), x.B, { transB: true }), x.A);
    const right = w.length === 1 ? b.op("Unsqueeze", [x.B, b.ints([0])]) : transposeLast2(b, x.B, w); // [..., n, k]
    return fromMatrices(c, b.matmul(dy, right), x.A, 0);
  },
  B: (c) => {
    const { b, x, shapeOf } = c;
    const [dy, a, w] = [columns(c, c.dy), shapeOf(x.A), shapeOf(x.B)];
    if (isStackByMatrix(a, w)) return b.gemm(rows(c, x.A, x.B, 0), rows(c, dy, x.B, 1), { transA: true });
    const left = a.length === 1 ? b.op("Unsqueeze", [x.A, b.ints([1])]) : transposeLast2(b, x.A, a); // [..., k, m]
    return fromMatrices(c, b.matmul(left, dy), x.B, 1);
  },
});

/** Whether a stack is multiplied by one matrix, which has elements. */
function isStackByMatrix(a: Shape, w: Shape): boolean {
  return a.length > 2 && w.length === 2 && !w.includes(0);
}

type MatMulContext = VjpContext<"A" | "B">;

/** dY with the axes of size 1 that vectors stand for: [..., m, n]. */
function columns({ b, x, shapeOf }: MatMulContext, dy: Value): Value {
  const axes = [...(shapeOf(x.A).length === 1 ? [-2] : []), ...(shapeOf(x.B).length === 1 ? [-1] : [])];
  return axes.length === 0 ? dy : b.op("Unsqueeze", [dy, b.ints(axes)]);
}

/** A stack of matrices as one matrix of all their rows, as wide as an axis of B. */
function rows(c: MatMulContext, stack: Value, matrix: Value, axis: number): Value {
  return c.b.reshape(stack, sizeList(c.b, [-1, sizeAt(c, matrix, axis)]));
}

/** Sums products over the leading axes that an operand was repeated along, and takes the axis of a vector out. */
function fromMatrices({ b, x, y, shapeOf, sumTo }: MatMulContext, products: Value, operand: Value, axis: 0 | 1): Value {
  const vectors = [x.A, x.B].filter((value) => shapeOf(value).length === 1).length;
  const shape = shapeOf(operand);
  const lead = (stack: Shape, count: number): Shape => [...stack.slice(0, stack.length - count), 1, 1]; // of a matrix, any
  const sum = sumTo(products, lead(shapeOf(y), 2 - vectors), lead(shape, Math.min(shape.length, 2)));
  return shape.length === 1 ? b.op("Squeeze", [sum, b.ints([axis])]) : sum;
}

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
