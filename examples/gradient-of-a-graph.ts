/**
 * Builds the graph of a loss, differentiates it, prints the result, and minimizes the loss by gradient descent.
 *
 *   node examples/gradient-of-a-graph.ts
 *
 * Node.js 22.18 or later runs it as it is; before that, compile it with tsc. It prints:
 *
 *   graph plane (onnx 18)
 *     input %x: float32[points, 2]
 *     input %t: float32[points, 1]
 *     input %w: float32[2, 1]
 *     scalar: float32[] = 1
 *     %matmul: float32[points, 1] = MatMul(%x, %w)
 *     %sub: float32[points, 1] = Sub(%matmul, %t)
 *     %mul: float32[points, 1] = Mul(%sub, %sub)
 *     %loss: float32[] = ReduceSum(%mul, keepdims=0)
 *     %shape: int64[2] = Shape(%mul)
 *     %expand: float32[points, 1] = Expand(scalar, %shape)
 *     %mul_1: float32[points, 1] = Mul(%expand, %sub)
 *     %add: float32[points, 1] = Add(%mul_1, %mul_1)
 *     %transpose: float32[2, points] = Transpose(%x, perm=[1, 0])
 *     %matmul_1: float32[2, 1] = MatMul(%transpose, %add)
 *     %w.gradient: float32[2, 1] = Identity(%matmul_1)
 *     output %loss: float32[]
 *     output %w.gradient: float32[2, 1]
 *   step 1: loss 39.0000 at w = 0.000, 0.000
 *   step 2: loss 6.2400 at w = 1.800, -1.200
 *   step 3: loss 0.9984 at w = 2.520, -1.680
 *   step 4: loss 0.1597 at w = 2.808, -1.872
 *   step 5: loss 0.0256 at w = 2.923, -1.949
 */
import { float32, GraphBuilder, gradient, gradientName, int, printGraph, Session, toNumbers } from "rootstock/autodiff";

// loss = sum (x w - t)^2: a plane through the origin, fitted to four points.
const b = new GraphBuilder("plane");
b.input({ name: "x", dtype: "float32", shape: ["points", 2] });
b.input({ name: "t", dtype: "float32", shape: ["points", 1] });
b.input({ name: "w", dtype: "float32", shape: [2, 1] });
const error = b.sub(b.matmul("x", "w"), "t");
b.named("ReduceSum", [b.mul(error, error)], "loss", { keepdims: int(0) });
const graph = b.build([{ name: "loss", dtype: "float32", shape: [] }]);

const training = gradient(graph, { of: "loss", with: ["w"] });
console.log(printGraph(training).trimEnd());

const session = await Session.create(training);
const x = float32([4, 2], [1, 0, 0, 1, 1, 1, 1, -1]);
const t = float32([4, 1], [3, -2, 1, 5]); // of the plane 3 x0 - 2 x1
let w: readonly number[] = [0, 0];
for (let step = 1; step <= 5; step++) {
  const out = await session.run({ x, t, w: float32([2, 1], w) });
  const slope = toNumbers(out[gradientName("w")]!);
  const loss = toNumbers(out["loss"]!)[0]!.toFixed(4);
  console.log(`step ${step}: loss ${loss} at w = ${w.map((value) => value.toFixed(3)).join(", ")}`);
  w = w.map((value, i) => value - 0.1 * slope[i]!);
}
await session.release();
