/** The convolution itself, on ONNX Runtime. */
import { windowAttributes } from "../../../src/autodiff/gradient-operators.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { Session } from "../../../src/runtime/session.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import type { Row } from "./windows.ts";

export async function convolve(x: Tensor, w: Tensor, window: Row["window"]): Promise<Tensor> {
  const b = new GraphBuilder("conv");
  for (const [name, { dtype, shape }] of Object.entries({ x, w })) b.input({ name, dtype, shape });
  const { size: _, ...attributes } = windowAttributes(window);
  b.named("Conv", ["x", "w"], "y", attributes);
  const graph = b.build([{ name: "y", dtype: x.dtype }]);
  await using session = await Session.create(graph, { threads: 2, optimization: "none" });
  return (await session.run({ x, w }))["y"]!;
}
