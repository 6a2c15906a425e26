import { describe, expect, test } from "vitest";
import { int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { batchSizes, emitBatchSize, reserveNames } from "../../src/models/batch-sizes.ts";
import { zeros } from "../../src/tensor/tensor.ts";
import { bytesOfGraph, runBytes } from "../graph/run-graph.ts";

/** Sizes as exporters compute them from the input's shape. */
const b = new GraphBuilder("sizes");
b.input({ name: "x", dtype: "float32", shape: ["batch", 3, "h", 8] });
const shape = b.op("Shape", ["x"]);
const first = b.op(
  "Gather",
  [shape, b.constant({ dtype: "int64", shape: [], data: new BigInt64Array(1) })],
  {},
  "scalar",
);
const list = b.op("Unsqueeze", [first, b.ints([0])], {}, "list");
const windows = b.mul(list, b.ints([4]));
b.op("Concat", [windows, b.ints([49, -1])], { axis: int(0) }, "target");
b.cast(list, "int32");
const height = b.op("Slice", [shape, b.ints([2]), b.ints([3])], {}, "height");
b.op("Concat", [list, height], { axis: int(0) }, "open");
b.op("Relu", ["x"]);
const graph = b.build([{ name: "target", dtype: "int64" }]);

describe("batchSizes", () => {
  const sizes = batchSizes(graph, "batch");

  test("are the whole numbers that follow from the number of images alone", () => {
    expect([...sizes.keys()].sort()).toEqual(["cast", "list", "mul", "scalar", "target"]);
  });

  test("are computed again from the shape of another value", async () => {
    const again = new GraphBuilder("again");
    again.input({ name: "y", dtype: "float32", shape: ["batch", 2] });
    reserveNames(again, [], [...sizes.keys()]);
    for (const [name, size] of sizes) emitBatchSize(again, name, size, "y", "batch");
    const outputs = [...sizes].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
    const feeds = { x: zeros("float32", [5, 3, 6, 8]) };
    const wanted = await runBytes(bytesOfGraph({ ...graph, outputs }), feeds);
    const got = await runBytes(bytesOfGraph(again.build(outputs)), { y: zeros("float32", [5, 2]) });
    for (const { name } of outputs) {
      expect([got[name]!.type, got[name]!.dims, got[name]!.data]).toEqual([
        wanted[name]!.type,
        wanted[name]!.dims,
        wanted[name]!.data,
      ]);
    }
  });

  test("are plain numbers for a fixed number of images", () => {
    const fixed = { ...graph, inputs: [{ ...graph.inputs[0]!, shape: [2, 3, "h", 8] }] };
    expect(batchSizes(fixed, 2).get("target")!.contents).toEqual([8, 49, -1]);
  });
});
