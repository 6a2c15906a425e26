/** Runs graphs and files in ONNX Runtime itself, for tests that compare with it. */
import * as ort from "onnxruntime-node";
import type { Graph } from "../../src/graph/graph.ts";
import { saveGraph } from "../../src/graph/save.ts";
import { joinChunks } from "../../src/onnx/encode.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

/** Outputs by name, in ONNX Runtime's own terms. */
export type Outputs = Readonly<Record<string, ort.Tensor>>;

/** The bytes of a graph as a file. */
export function bytesOfGraph(graph: Graph): Uint8Array {
  return joinChunks(saveGraph(graph));
}

/** Runs the bytes of an ONNX file once, on one thread, so that the order of sums does not vary. */
export async function runBytes(
  bytes: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
  options: ort.InferenceSession.SessionOptions = {},
): Promise<Outputs> {
  const session = await ort.InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    ...options,
  });
  try {
    const tensors = Object.entries(feeds).map(([name, { dtype, data, shape }]) => {
      // ONNX Runtime's constructor is overloaded by element type.
      return [name, new ort.Tensor(dtype as "float32", data as Float32Array, shape)] as const;
    });
    return await session.run(Object.fromEntries(tensors));
  } finally {
    await session.release();
  }
}

/** The bytes of an output, for bit-exact comparison. */
export function rawBytes({ data }: ort.Tensor): Uint8Array {
  const view = data as Float32Array; // every numeric tensor has a typed array
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
