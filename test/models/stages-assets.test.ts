import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { loadGraph } from "../../src/graph/load.ts";
import { backboneGraph, FEATURES, findCut } from "../../src/models/backbone.ts";
import { type BatchNormPolicy, withBatchNorm } from "../../src/models/batch-norm.ts";
import { imageInput } from "../../src/models/image-input.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import { stagesOf } from "../../src/models/stages.ts";
import { START, trainableGraph } from "../../src/models/trainable-graph.ts";
import { unfreeze } from "../../src/models/unfreeze.ts";
import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { assets, withAssets } from "../assets.ts";
import { bytesOfGraph, runBytes } from "../graph/run-graph.ts";

interface Expected {
  readonly file: string;
  /** Start of every stage but the first, with its shape without the batch. */
  readonly starts: readonly (readonly [value: string, ...shape: number[]])[];
  /** How the last stage is described. */
  readonly last: string;
  /** Parameters and BatchNormalization nodes of the backbone. */
  readonly parameters: number;
  readonly norms: number;
}

const BACKBONES: readonly Expected[] = [
  {
    file: "keras-h5/pretrainedResnet.reference.onnx",
    starts: [
      ["activation_2/act_out", 16, 32, 32],
      ["activation_4/act_out", 32, 16, 16],
    ],
    last: "stage 3 of 3: 16x16x32 -> 8x8x64, 58 k parameters",
    parameters: 32,
    norms: 7,
  },
  {
    file: "keras-h5/vww_96.reference.onnx",
    starts: [
      ["activation_2/act_out", 16, 48, 48],
      ["activation_6/act_out", 32, 24, 24],
      ["activation_10/act_out", 64, 12, 12],
      ["activation_22/act_out", 128, 6, 6],
    ],
    last: "stage 5 of 5: 6x6x128 -> 3x3x256, 104 k parameters",
    parameters: 108,
    norms: 27,
  },
  {
    file: "mobilenetv2_0.35_224/mobilenetv2_0.35_bn_backbone.onnx",
    starts: [
      ["expanded_conv_project_BN_out", 8, 112, 112],
      ["block_2_add_out", 8, 56, 56],
      ["block_5_add_out", 16, 28, 28],
      ["block_12_add_out", 32, 14, 14],
    ],
    last: "stage 5 of 5: 14x14x32 -> 7x7x1280, 311 k parameters",
    parameters: 156,
    norms: 52,
  },
  {
    file: "mobilenetv2_1.0_224/mobilenetv2_1.0_224.onnx",
    starts: [
      ["features.conv02_out", 16, 112, 112],
      ["add0_out", 24, 56, 56],
      ["add2_out", 32, 28, 28],
      ["add7_out", 96, 14, 14],
    ],
    last: "stage 5 of 5: 14x14x96 -> 7x7x1280, 1.7 M parameters",
    parameters: 104,
    norms: 0,
  },
  {
    file: "mobilenetv2_1.0_bn/mobilenetv2_1.0_bn_backbone.onnx",
    starts: [
      ["blocks.0.project.bn_out", 16, 112, 112],
      ["blocks.2.add_out", 24, 56, 56],
      ["blocks.9.add_out", 64, 28, 28],
      ["blocks.12.add_out", 96, 14, 14],
    ],
    last: "stage 5 of 5: 14x14x96 -> 7x7x1280, 1.7 M parameters",
    parameters: 159,
    norms: 53,
  },
  {
    file: "resnet20_cifar10/resnet20_cifar10.onnx",
    starts: [
      ["/layer1/layer1.2/Relu_1_output_0", 16, 32, 32],
      ["/layer2/layer2.2/Relu_1_output_0", 32, 16, 16],
    ],
    last: "stage 3 of 3: 16x16x32 -> 8x8x64, 204 k parameters",
    parameters: 57,
    norms: 19,
  },
  {
    file: "resnet50v2_c4/resnet50v2_c4_fp16.onnx",
    starts: [
      ["maxpool_out", 64, 56, 56],
      ["layer1.2.add_out", 256, 56, 56],
      ["layer2.3.add_out", 512, 28, 28],
    ],
    last: "stage 4 of 4: 28x28x512 -> 14x14x1024, 7.1 M parameters",
    parameters: 127,
    norms: 42,
  },
  {
    file: "squeezenet1_1/squeezenet1_1.onnx",
    starts: [
      ["/features/features.2/MaxPool_output_0", 64, 55, 55],
      ["/features/features.5/MaxPool_output_0", 128, 27, 27],
      ["/features/features.8/MaxPool_output_0", 256, 13, 13],
    ],
    last: "stage 4 of 4: 13x13x256 -> 13x13x512, 602 k parameters",
    parameters: 50,
    norms: 0,
  },
];

const backboneOf = (file: string): Graph => {
  const { graph } = loadGraph(readFileSync(join(assets!, "models", file)), { name: file });
  return backboneGraph(graph, findCut(graph));
};

/** Input of models/reference.json: sin(0.001 i). */
function pixels(graph: Graph): Record<string, Tensor> {
  const { name, height, width } = imageInput(graph);
  const shape = [1, 3, height!, width!];
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.001 * i));
  return { [name]: float32(shape, data) };
}

async function run(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Tensor<"float32">> {
  const name = graph.outputs[0]!.name;
  const { data, dims } = (await runBytes(bytesOfGraph(graph), feeds, { graphOptimizationLevel: "disabled" }))[name]!;
  return float32(dims, (data as Float32Array).slice()); // maps and features are float32
}

function expectClose(got: Tensor<"float32">, wanted: Tensor<"float32">, tolerance: number): void {
  expect(got.shape).toEqual(wanted.shape);
  const largest = Math.max(...wanted.data.map(Math.abs));
  for (const [i, value] of got.data.entries())
    expect(Math.abs(value - wanted.data[i]!)).toBeLessThan(tolerance * largest);
}

withAssets("real backbones", () => {
  test.each(BACKBONES)("$file has its stages and parameters", ({ file, starts, last, parameters, norms }) => {
    const backbone = backboneOf(file);
    const stages = stagesOf(backbone);
    const input = imageInput(backbone);
    expect(stages.map(({ start, shape }) => [start, ...shape])).toEqual([
      [input.name, "batch", 3, input.height, input.width],
      ...starts.map(([value, ...shape]) => [value, "batch", ...shape]),
    ]);
    expect(stages.at(-1)!.description).toBe(last);
    expect(parametersOf(backbone)).toHaveLength(parameters);
    expect(stages.flatMap((stage) => stage.parameters)).toHaveLength(parameters);
    expect(backbone.nodes.filter(({ op }) => op === "BatchNormalization")).toHaveLength(norms);
  });

  test.each(BACKBONES)("$file computes the same in two parts, bit for bit", async ({ file, starts }) => {
    const backbone = backboneOf(file);
    const feeds = pixels(backbone);
    const wanted = await run(backbone, feeds);
    for (const spec of ["last", `last:${starts.length}`, "all"]) {
      const { prefix, suffix, parameters } = trainableGraph(backbone, unfreeze(backbone, spec));
      const start = prefix ? await run(prefix, feeds) : Object.values(feeds)[0]!;
      expect(await run(suffix, { [START]: start, ...Object.fromEntries(parameters) })).toEqual(wanted);
    }
  });

  test.each(BACKBONES.filter(({ norms }) => norms > 0))(
    "$file computes the same with its statistics frozen",
    async ({ file }) => {
      const backbone = backboneOf(file);
      const feeds = pixels(backbone);
      const wanted = await run(backbone, feeds);
      for (const policy of ["freeze", "affine"] as const satisfies BatchNormPolicy[]) {
        const { training, parameters } = withBatchNorm(trainableGraph(backbone, unfreeze(backbone, "all")), policy);
        expect(training.nodes.some(({ op }) => op === "BatchNormalization")).toBe(false);
        const got = await run(training, { [START]: Object.values(feeds)[0]!, ...Object.fromEntries(parameters) });
        expectClose(got, wanted, 1e-5);
      }
    },
  );

  test.each(BACKBONES.filter(({ norms }) => norms > 0))(
    "$file gives out the statistics of a batch",
    async ({ file, norms }) => {
      const backbone = backboneOf(file);
      const [start] = Object.values(pixels(backbone)) as [Tensor];
      const parts = withBatchNorm(trainableGraph(backbone, unfreeze(backbone, "all")), "train");
      expect(parts.statistics).toHaveLength(norms);
      expectClose(
        await run(parts.evaluation, { [START]: start, ...Object.fromEntries([...parts.parameters, ...parts.running]) }),
        await run(backbone, { [imageInput(backbone).name]: start }),
        1e-6,
      );
      const out = await runBytes(bytesOfGraph(parts.training), {
        [START]: start,
        ...Object.fromEntries(parts.parameters),
      });
      expect(Object.keys(out)).toEqual([FEATURES, ...parts.statistics.flatMap((s) => [s.batchMean, s.batchVariance])]);
      for (const { batchVariance } of parts.statistics)
        expect((out[batchVariance]!.data as Float32Array).every((value) => value >= 0)).toBe(true); // float32, as declared
    },
  );
});
