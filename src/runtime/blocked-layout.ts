/** Whether this build of ONNX Runtime has the blocked layout of its CPU kernels, and how many channels make a block. */
import { GraphBuilder } from "../graph/builder.ts";
import { float32 } from "../tensor/tensor.ts";
import { Session } from "./session.ts";

/** Domain of the operators that work on blocked values. */
const BLOCKED_DOMAIN = "com.microsoft.nchwc";

let known: Promise<number | undefined> | undefined;

/**
 * Channels per block of the layout NCHWc, 8 or 16, or undefined where the runtime has no such operators (other
 * providers, onnxruntime-web). Found by reordering numbered elements, once per process.
 */
export function blockedLayout(): Promise<number | undefined> {
  known ??= probe().catch(() => undefined); // a runtime that refuses the operators does not have them
  return known;
}

/** [1, 32, 1, 2] in row-major order is channel 0 at both positions first; blocked, it is all channels of a block first. */
async function probe(): Promise<number | undefined> {
  const channels = 32;
  const b = new GraphBuilder("probe");
  const shape = [1, channels, 1, 2];
  const x = b.input({ name: "x", dtype: "float32", shape });
  const blocked = b.custom(BLOCKED_DOMAIN, "ReorderInput", [x]);
  const kernel = b.constant(float32([channels, channels, 1, 1], new Float32Array(channels ** 2)));
  const convolved = b.custom(BLOCKED_DOMAIN, "Conv", [blocked, kernel], {
    kernel_shape: { kind: "ints", value: [1, 1] },
  });
  b.named("Add", [blocked, convolved], "y");
  await using session = await Session.create(b.build([{ name: "y", dtype: "float32", shape }]), {
    threads: 1,
    optimization: "none",
  });
  const values = Float32Array.from({ length: 2 * channels }, (_, i) => i);
  const data = (await session.run({ x: float32(shape, values) }))["y"]!.data as Float32Array; // as declared
  const block = data.indexOf(1); // element 1 is channel 0 at the second position: a block after element 0
  return block === 8 || block === 16 ? block : undefined;
}
