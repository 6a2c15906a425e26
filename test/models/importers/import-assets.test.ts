/** Real Keras and TensorFlow.js models against the same networks as ONNX files, and against recorded scores. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { imageFolder } from "../../../src/data/image-folder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { loadGraph } from "../../../src/graph/load.ts";
import { backboneGraph, findCut } from "../../../src/models/backbone.ts";
import { importModel, isWholeModel } from "../../../src/models/importers/import-model.ts";
import { loadModel } from "../../../src/models/load-model.ts";
import { parametersOf } from "../../../src/models/parameters.ts";
import { stagesOf } from "../../../src/models/stages.ts";
import { float32, sizeOf } from "../../../src/tensor/tensor.ts";
import { fineTune } from "../../../src/train/fine-tune.ts";
import { assets, withAssets } from "../../assets.ts";
import { temporaryFolder } from "../../data/made.ts";
import { bytesOfGraph, runBytes } from "../../graph/run-graph.ts";
import { writeColorImages } from "../tiny.ts";

const models = join(assets ?? "", "models");
const teachable = join(models, "teachable-machine-export");

/** Runs a graph on the input of models/reference.json: sin(0.001 i). */
async function outputOf(graph: Graph, shape: readonly number[]): Promise<number[]> {
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.001 * i));
  const results = await runBytes(bytesOfGraph(graph), { [graph.inputs[0]!.name]: float32(shape, values) });
  return Array.from(results[graph.outputs[0]!.name]!.data as Float32Array); // scores are float32
}

withAssets("Keras models (skipped without ../shared/assets)", () => {
  test.each([
    { name: "pretrainedResnet", shape: [2, 3, 32, 32], cut: "flatten", parameters: 34, stages: 3 },
    { name: "vww_96", shape: [2, 3, 96, 96], cut: "flatten", parameters: 110, stages: 5 },
  ])("$name.h5 computes what its ONNX twin does", async ({ name, shape, cut: at, parameters, stages }) => {
    const file = join(models, "keras-h5", `${name}.h5`);
    expect(await isWholeModel(file)).toBe(true);
    const { graph, labels, preprocessing } = await importModel(file);
    expect({ labels, preprocessing }).toEqual({ labels: undefined, preprocessing: undefined });
    const { graph: twin } = loadGraph(readFileSync(join(models, "keras-h5", `${name}.reference.onnx`)));
    const [got, wanted] = [await outputOf(graph, shape), await outputOf(twin, shape)];
    for (const [i, value] of wanted.entries()) expect(Math.abs(got[i]! - value)).toBeLessThan(1e-6);
    // The same nodes but for their names: nothing is transposed, and weights are called as in Keras.
    expect(countOps(graph)).toEqual(countOps(twin));
    expect(parametersOf(graph).length).toBe(parameters);
    const cut = findCut(graph);
    expect(cut).toMatchObject({ value: at, pooling: "none", classifier: { name: "dense" } });
    expect(stagesOf(backboneGraph(graph, cut))).toHaveLength(stages);
  });

  test("a Keras model asks for its preprocessing", async () => {
    const model = await loadModel(join(models, "keras-h5", "vww_96.h5"));
    expect(() => model.requirePreprocessing()).toThrow(/--preprocessing tf/);
    const chosen = await loadModel(join(models, "keras-h5", "vww_96.h5"), { preprocessing: "tf" });
    expect(chosen.preprocessing).toMatchObject({ inputSize: [96, 96], layout: "NCHW", offset: -1 });
  });
});

function countOps(graph: Graph): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { op } of graph.nodes) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}

withAssets("a Teachable Machine export (skipped without ../shared/assets)", () => {
  test("gives its recorded scores, from its folder and from its model.json", async () => {
    const reference = JSON.parse(readFileSync(join(models, "reference.json"), "utf8"))["teachable-machine-export"];
    for (const path of [teachable, join(teachable, "model.json")]) {
      expect(await isWholeModel(path)).toBe(true);
      const { graph, labels, preprocessing } = await importModel(path);
      expect(labels).toEqual(reference.labels);
      expect(preprocessing).toMatchObject({ inputSize: [224, 224], resize: { kind: "center-square" }, scale: 1 / 127 });
      const scores = await outputOf(graph, [1, 3, 224, 224]);
      for (const [i, wanted] of (reference.scores as number[]).entries())
        expect(Math.abs(scores[i]! - wanted)).toBeLessThan(1e-4 * wanted + 1e-30);
    }
  });

  test("has the stages of MobileNetV2 and Keras' names", async () => {
    const { graph } = await importModel(teachable);
    const cut = findCut(graph);
    expect(cut).toMatchObject({ value: "dense_Dense7/relu", numClasses: 10, classifier: { name: "dense_Dense8" } });
    const stages = stagesOf(backboneGraph(graph, cut));
    expect(stages.map(({ start }) => start)).toEqual([
      "sequential_13_input",
      "expanded_conv_project_BN",
      "block_2_add",
      "block_5_add",
      "block_12_add",
    ]);
    expect(stages[4]!.parameters).toContain("Conv_1/kernel");
    expect(graph.nodes.some(({ op }) => op === "Transpose")).toBe(false);
  });

  test("can be fine-tuned further, the head alone and the last stage", async () => {
    const root = await temporaryFolder();
    const data = await imageFolder(await writeColorImages(join(root, "images"), 6));
    await using model = await loadModel(teachable);
    const head = await fineTune(model, data, { cache: false, epochs: 8, views: 0, seed: 1 });
    expect(head.metrics.accuracy).toBe(1);
    const out = join(root, "run");
    const last = await fineTune(model, data, {
      cache: false,
      epochs: 2,
      views: 0,
      seed: 1,
      unfreeze: "last",
      keepHead: false,
      out,
    });
    expect(last.metrics.accuracy).toBe(1);
    const after = (await loadModel(join(out, "model.onnx"))).graph.initializers;
    const changed = (name: string) =>
      String(after.get(name)?.data) !== String(model.graph.initializers.get(name)?.data);
    expect([changed("block_16_project/kernel"), changed("Conv1/kernel")]).toEqual([true, false]);
  });
});

describe("elsewhere", () => {
  test("nothing is a whole model that is none", async () => {
    const folder = await temporaryFolder();
    expect(await isWholeModel(folder)).toBe(false);
    expect(await isWholeModel(join(folder, "missing.h5"))).toBe(false);
  });
});
