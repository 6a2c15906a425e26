import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadGraph } from "../../src/graph/load.ts";
import { backboneGraph, FEATURES, findCut } from "../../src/models/backbone.ts";
import { imageInput } from "../../src/models/image-input.ts";
import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { assets, withAssets } from "../assets.ts";
import { bytesOfGraph, runBytes } from "../graph/run-graph.ts";

const read = (file: string): ReturnType<typeof loadGraph>["graph"] =>
  loadGraph(readFileSync(join(assets!, "models", file)), { name: file }).graph;

interface Expected {
  readonly file: string;
  readonly value: string;
  /** Without the batch. */
  readonly shape: readonly number[];
  readonly classifier?: string;
  readonly classes?: number;
}

const CUTS: readonly Expected[] = [
  {
    file: "keras-h5/pretrainedResnet.reference.onnx",
    value: "flatten_out",
    shape: [64],
    classifier: "dense",
    classes: 10,
  },
  { file: "keras-h5/vww_96.reference.onnx", value: "flatten_out", shape: [256], classifier: "dense", classes: 2 },
  { file: "mobilenetv2_0.35_224/mobilenetv2_0.35_bn_backbone.onnx", value: "embedding", shape: [1280] },
  {
    file: "mobilenetv2_1.0_224/mobilenetv2_1.0_224.onnx",
    value: "flatten_out",
    shape: [1280],
    classifier: "classifier",
    classes: 1000,
  },
  { file: "mobilenetv2_1.0_bn/mobilenetv2_1.0_bn_backbone.onnx", value: "embedding", shape: [1280] },
  {
    file: "resnet20_cifar10/resnet20_cifar10.onnx",
    value: "/Flatten_output_0",
    shape: [64],
    classifier: "/linear/Gemm",
    classes: 10,
  },
  { file: "resnet50v2_c4/resnet50v2_c4_fp16.onnx", value: "embedding", shape: [1024] },
  {
    file: "squeezenet1_1/squeezenet1_1.onnx",
    value: "/features/features.12/Concat_output_0",
    shape: [512, 13, 13],
    classifier: "/classifier/classifier.1/Conv",
    classes: 1000,
  },
];

/** Input of models/reference.json: sin(0.001 i). */
function reference(shape: readonly number[]): Tensor {
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.001 * i)),
  );
}

withAssets("real models", () => {
  test.each(CUTS)("$file is cut at $value", ({ file, value, shape, classifier, classes }) => {
    const cut = findCut(read(file));
    expect(cut).toMatchObject({ value, shape: ["batch", ...shape], width: shape[0], numClasses: classes });
    expect(cut.pooling).toBe(shape.length === 3 ? "spatial" : "none");
    expect(cut.classifier?.name).toBe(classifier);
  });

  test.each(CUTS)("$file has the features that the whole model computes", async ({ file, value }) => {
    const graph = read(file);
    const { name, height, width } = imageInput(graph);
    const feeds = { [name]: reference([1, 3, height!, width!]) };
    const cut = findCut(graph);
    const whole = await runBytes(bytesOfGraph({ ...graph, outputs: [{ name: value, dtype: "float32" }] }), feeds);
    const inner = whole[value]!.data as Float32Array; // a float32 value
    const positions = inner.length / cut.width;
    const out = await runBytes(bytesOfGraph(backboneGraph(graph, cut)), feeds);
    const features = out[FEATURES]!.data as Float32Array; // a float32 value
    expect(features.length).toBe(cut.width);
    const largest = Math.max(...inner.map(Math.abs));
    for (const [i, feature] of features.entries()) {
      const mean = inner.subarray(i * positions, (i + 1) * positions).reduce((sum, v) => sum + v, 0) / positions;
      expect(Math.abs(feature - mean) / largest).toBeLessThan(1e-6);
    }
  });

  test("backbones compute the embeddings that were recorded for them", async () => {
    const { onnx } = JSON.parse(readFileSync(join(assets!, "models/reference.json"), "utf8")) as {
      onnx: Record<string, { outputs: Record<string, { first8: number[] }> }>;
    }; // the file is described in the assets' README
    for (const { file, value } of CUTS.filter((cut) => cut.value === "embedding")) {
      const graph = read(file);
      const out = await runBytes(bytesOfGraph(backboneGraph(graph, findCut(graph))), {
        [imageInput(graph).name]: reference([1, 3, 224, 224]),
      });
      const recorded = onnx[file]!.outputs[value]!.first8;
      for (const [i, wanted] of recorded.entries()) {
        expect(Math.abs(Number(out[FEATURES]!.data[i]) - wanted)).toBeLessThan(2e-5 * Math.max(1, Math.abs(wanted)));
      }
    }
  });

  test.each(["detectors/fastestdet/FastestDet.onnx", "detectors/yolox_nano/yolox_nano.onnx"])(
    "%s is refused with values to cut at, and one of them works",
    (file) => {
      const graph = read(file);
      let message = "";
      try {
        findCut(graph);
      } catch (error) {
        expect(error).toMatchObject({ code: "BAD_MODEL" });
        message = (error as Error).message;
      }
      expect(message).toMatch(/^the output ".*" joins several branches, as a detector's does/);
      const suggested = [...message.matchAll(/"([^"]+)" \[1, (\d+), (\d+), (\d+)\]/g)];
      expect(suggested).toHaveLength(5);
      const [, value, channels] = suggested[0]!;
      expect(findCut(graph, value)).toMatchObject({ value, width: Number(channels), pooling: "spatial" });
    },
  );
});
