import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import sharp from "sharp";
import { expect, test } from "vitest";
import { exportMetadata, exportModel, type TrainedModel } from "../../src/export/export-model.ts";
import { backboneGraph, findCut } from "../../src/models/backbone.ts";
import { HEAD } from "../../src/models/head.ts";
import { loadModel } from "../../src/models/load-model.ts";
import { rng } from "../../src/random.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { temporaryFolder } from "../data/made.ts";
import { TINY_SIZE, TINY_WIDTH, writeColorImages, writeTinyModel } from "../models/tiny.ts";

async function trained(root: string): Promise<{ model: TrainedModel; file: string }> {
  const base = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  const random = rng(0);
  const parameters = new Map([
    [
      HEAD.weight,
      float32(
        [2, TINY_WIDTH],
        Array.from({ length: 2 * TINY_WIDTH }, () => random.normal()),
      ),
    ],
    [HEAD.bias, float32([2], [0.1, -0.2])],
  ]);
  await writeColorImages(join(root, "images"), 1, { classes: ["red"] });
  const model = {
    base,
    backbone: backboneGraph(base.graph, findCut(base.graph)),
    parameters,
    activation: "softmax" as const,
    task: "single-label" as const,
    classes: ["no", "yes"],
    run: "r1",
  };
  return { model, file: join(root, "images", "red", "0.png") };
}

/** Probabilities by plain ONNX Runtime and sharp, with nothing of this package but the graph that it wrote. */
async function probabilities(path: string, image: string): Promise<Float32Array> {
  const pixels = await sharp(image).resize(TINY_SIZE, TINY_SIZE, { fit: "fill", kernel: "linear" }).raw().toBuffer();
  const input = Float32Array.from(
    { length: 3 * TINY_SIZE ** 2 },
    (_, i) => pixels[(i % TINY_SIZE ** 2) * 3 + Math.floor(i / TINY_SIZE ** 2)]! / 127.5 - 1,
  );
  const session = await ort.InferenceSession.create(path);
  const out = await session.run({ input: new ort.Tensor("float32", input, [1, 3, TINY_SIZE, TINY_SIZE]) });
  await session.release();
  return out["probabilities"]!.data as Float32Array; // the graph's output is float32
}

test("the file takes its name only if it predicts what training predicted", async () => {
  const root = await temporaryFolder();
  const { model, file } = await trained(root);
  const path = join(root, "out", "model.onnx");
  await exportModel(path, model, { files: [], outputs: new Float32Array() });
  const right = await probabilities(path, file);
  await using exported = await loadModel(path);
  const [best] = await exported.predict(file);
  expect(Math.abs(best!.probability - Math.max(...right))).toBeLessThan(0.02); // sharp's resize is not Pillow's
  const exact = new Float32Array(2);
  for await (const prediction of exported.predictFiles([file]))
    if ("probabilities" in prediction) exact.set(prediction.probabilities);
  await exportModel(path, model, { files: [file], outputs: exact });

  await writeFile(path, "an older file");
  const wrong = exact.map((p) => 1 - p);
  await expect(exportModel(path, model, { files: [file], outputs: wrong })).rejects.toMatchObject({
    code: "PARITY",
    message: expect.stringContaining(file),
  });
  expect(await readdir(join(root, "out"))).toEqual(["model.onnx"]);
  await expect(loadModel(path)).rejects.toMatchObject({ code: "BAD_MODEL" }); // the older file stayed
});

test("an image that cannot be read stops the export", async () => {
  const root = await temporaryFolder();
  const { model } = await trained(root);
  const parity = { files: [join(root, "absent.png")], outputs: new Float32Array(2) };
  await expect(exportModel(join(root, "m.onnx"), model, parity)).rejects.toMatchObject({ code: "PARITY" });
});

test("values may differ by a part of their deviation, and by what float32 cannot tell apart", async () => {
  const root = await temporaryFolder();
  const { model, file } = await trained(root);
  const bias = float32([2], [0.1, 1e6]);
  const values: TrainedModel = {
    ...model,
    parameters: new Map([...model.parameters, [HEAD.bias, bias]]),
    activation: "identity",
    task: "regression",
    trainingMean: [0, 1e6],
  };
  const path = join(root, "values.onnx");
  await exportModel(path, values, { files: [], outputs: new Float32Array() });
  await using exported = await loadModel(path);
  expect(exported).toMatchObject({ task: "regression", activation: "identity", labels: ["no", "yes"] });
  expect(exported.metadata.get("training_mean")).toBe("[0,1000000]");
  expect(exported.graph.outputs.map(({ name }) => name)).toEqual(["values"]);
  const exact = Object.values(await exported.predictValues(file));
  const shifted = (first: number, second: number) => ({
    files: [file],
    outputs: Float32Array.of(exact[0]! + first, exact[1]! + second),
    units: [100, 1],
  });
  await exportModel(path, values, shifted(0.09, 0.5));
  await expect(exportModel(path, values, shifted(0.2, 0))).rejects.toThrow(/a value of .* for "no"/);
  await expect(exportModel(path, values, shifted(0, 3))).rejects.toMatchObject({ code: "PARITY" });
});

test("thresholds and temperature travel in the file", async () => {
  const root = await temporaryFolder();
  const { model } = await trained(root);
  const path = join(root, "several.onnx");
  const several = { activation: "sigmoid", task: "multi-label", thresholds: [0.25, 0.625], temperature: 1.5 } as const;
  await exportModel(path, { ...model, ...several }, { files: [], outputs: new Float32Array() });
  await using exported = await loadModel(path);
  expect(exported).toMatchObject({ task: "multi-label", thresholds: [0.25, 0.625], temperature: 1.5 });
  expect([...exportMetadata(model).keys()]).not.toContain("thresholds");
  expect([...exportMetadata(model).keys()]).not.toContain("temperature");
  await exportModel(
    path,
    { ...model, ...several, thresholds: [0.25, 2] },
    { files: [], outputs: new Float32Array() },
  ).then(
    () => expect.unreachable("was written"),
    (error) => expect(error).toMatchObject({ code: "BAD_MODEL", message: expect.stringContaining("thresholds") }),
  );
});
