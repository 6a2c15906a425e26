/** Cases of the gradient rules of matrix products. */
import { float, int } from "../../../src/graph/attributes.ts";
import { type Case, x } from "./case.ts";

export const LINEAR: readonly Case[] = [
  { op: "MatMul", inputs: [x(3, 4), x(4, 2)] },
  { op: "MatMul", inputs: [x(2, 3, 4), x(2, 4, 5)] },
  { op: "MatMul", inputs: [x(2, 3, 4), x(4, 5)] },
  { op: "MatMul", inputs: [x(3, 4), x(2, 2, 4, 5)] },
  { op: "MatMul", inputs: [x(2, 1, 3, 4), x(5, 4, 2)] },
  { op: "MatMul", inputs: [x(1, 3, 4), x(2, 4, 1)] },
  { op: "MatMul", inputs: [x(2, 3, 2, 4), x(4, 1)] },
  { op: "MatMul", inputs: [x(4), x(4)] },
  { op: "MatMul", inputs: [x(4), x(4, 3)] },
  { op: "MatMul", inputs: [x(4), x(2, 4, 3)] },
  { op: "MatMul", inputs: [x(3, 4), x(4)] },
  { op: "MatMul", inputs: [x(2, 3, 4), x(4)] },
  { op: "MatMul", inputs: [x(0, 3, 4), x(4, 2)] },
  { op: "MatMul", inputs: [x(2, 0), x(0, 3)] },
  { op: "MatMul", inputs: [x(2, 3, 0), x(0, 3)] },
  ...[0, 1].flatMap((transA) =>
    [0, 1].flatMap((transB) =>
      [undefined, x(5), x(3, 5), x(3, 1), x(1), x()].map(
        (c): Case => ({
          op: "Gemm",
          inputs: [transA ? x(4, 3) : x(3, 4), transB ? x(5, 4) : x(4, 5), ...(c ? [c] : [])],
          attributes: { transA: int(transA), transB: int(transB), alpha: float(1.5), beta: float(0.5) },
        }),
      ),
    ),
  ),
  { op: "Gemm", inputs: [x(3, 4), x(4, 5), x(5)] },
];
