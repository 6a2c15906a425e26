import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { loadGraph } from "../../src/graph/load.ts";
import { saveGraph, saveGraphWithWeightsBeside } from "../../src/graph/save.ts";
import { joinChunks } from "../../src/onnx/encode.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { temporaryFolder } from "../data/made.ts";
import { TINY_SIZE, tinyGraph } from "../models/tiny.ts";

const graph = tinyGraph({ classes: 100 });
const pixels = float32(
  [1, 3, TINY_SIZE, TINY_SIZE],
  Float32Array.from({ length: 3 * TINY_SIZE ** 2 }, (_, i) => Math.sin(i)),
);

async function run(model: string | Uint8Array): Promise<unknown> {
  const session = await (typeof model === "string"
    ? ort.InferenceSession.create(model)
    : ort.InferenceSession.create(model));
  const out = await session.run({
    input: new ort.Tensor("float32", pixels.data as Float32Array<ArrayBuffer>, pixels.shape),
  });
  await session.release();
  return out["scores"]!.data;
}

test("weights beside the model: ONNX Runtime and our loader read them, small tensors stay inside", async () => {
  const folder = await temporaryFolder();
  const { model, weights } = saveGraphWithWeightsBeside(graph, "data/weights.bin", new Map([["license", "CC0-1.0"]]));
  await mkdir(join(folder, "data"));
  await writeFile(join(folder, "model.onnx"), model);
  await writeFile(join(folder, "data", "weights.bin"), weights);
  const wanted = await run(joinChunks(saveGraph(graph)));
  expect(await run(join(folder, "model.onnx"))).toEqual(wanted);

  const loaded = loadGraph(joinChunks(model), { readExternal: () => joinChunks(weights) });
  expect(loaded.metadata.get("license")).toBe("CC0-1.0");
  expect(loaded.graph.initializers).toEqual(graph.initializers);
  expect(joinChunks(model).length).toBeLessThan(4000);
  expect(joinChunks(weights).length % 4).toBe(0);
});

test("a location outside the model's folder is refused", () => {
  expect(() => saveGraphWithWeightsBeside(graph, "../weights.bin")).toThrow(
    expect.objectContaining({ code: "BAD_MODEL" }),
  );
});
