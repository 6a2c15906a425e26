import { expect, test } from "vitest";
import { ints } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { inferTypes } from "../../src/graph/infer-types.ts";
import { keepPaddingOfMaxPools } from "../../src/graph/padded-pooling.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { bytesOfGraph, runBytes } from "./run-graph.ts";

function pooled(before: (b: GraphBuilder, x: string) => string) {
  const b = new GraphBuilder("g");
  const x = before(b, b.input({ name: "x", dtype: "float32", shape: ["batch", 1, 5, 4] }));
  const padded = b.op("Pad", [x, b.ints([0, 0, 1, 1, 0, 0, 1, 1])]);
  const y = b.named("MaxPool", [padded], "y", { kernel_shape: ints([3, 3]), strides: ints([2, 2]) });
  return b.build([{ name: y, dtype: "float32" }]);
}

test("zeros at the border win over negative numbers, with and without ONNX Runtime's optimizer", async () => {
  const graph = keepPaddingOfMaxPools(pooled((_b, x) => x));
  const x = float32([1, 1, 5, 4], new Float32Array(20).fill(-1));
  for (const graphOptimizationLevel of ["all", "disabled"] as const) {
    const { y } = await runBytes(bytesOfGraph(graph), { x }, { graphOptimizationLevel });
    expect([...(y!.data as Float32Array)]).toEqual([0, 0, 0, -1, 0, 0]);
  }
  expect(inferTypes(graph).get("y")?.shape).toEqual(["batch", 1, 3, 2]);
});

test("nothing changes where no number is negative", () => {
  const relu = pooled((b, x) => b.op("Relu", [x]));
  const clip = pooled((b, x) => b.op("Clip", [x, b.scalar(0), b.scalar(6)]));
  for (const graph of [relu, clip]) expect(keepPaddingOfMaxPools(graph)).toBe(graph);
  const leaky = pooled((b, x) => b.op("Clip", [x, b.scalar(-1), b.scalar(6)]));
  expect(keepPaddingOfMaxPools(leaky)).not.toBe(leaky);
});
