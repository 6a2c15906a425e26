/** Real files, differentiated end to end with every parameter: the slope in a random direction, and 20 steps downhill. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { gradient, gradientName } from "../../src/autodiff/gradient.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph, Value } from "../../src/graph/graph.ts";
import { inferTypes } from "../../src/graph/infer-types.ts";
import { loadGraph } from "../../src/graph/load.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import { type Rng, rng } from "../../src/random.ts";
import { Session } from "../../src/runtime/session.ts";
import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { assets, withAssets } from "../assets.ts";

/** Every ONNX file among the assets, with the batch that its input takes where it leaves that open. */
const MODELS: readonly (readonly [file: string, batch: number])[] = [
  ["squeezenet1_1/squeezenet1_1.onnx", 2],
  ["mobilenetv2_1.0_224/mobilenetv2_1.0_224.onnx", 2],
  ["mobilenetv2_1.0_bn/mobilenetv2_1.0_bn_backbone.onnx", 2],
  ["mobilenetv2_0.35_224/mobilenetv2_0.35_bn_backbone.onnx", 2],
  ["resnet50v2_c4/resnet50v2_c4_fp16.onnx", 2],
  ["resnet20_cifar10/resnet20_cifar10.onnx", 4],
  ["detectors/yolox_nano/yolox_nano.onnx", 1],
  ["detectors/fastestdet/FastestDet.onnx", 1],
  ["keras-h5/vww_96.reference.onnx", 4],
  ["keras-h5/pretrainedResnet.reference.onnx", 4],
];

interface Problem {
  /** Loss from the inputs and the parameters. */
  readonly graph: Graph;
  readonly parameters: ReadonlyMap<Value, Tensor<"float32">>;
  readonly feeds: Readonly<Record<Value, Tensor>>;
}

/**
 * A made-up objective: the mean squared distance of every float output from half of what it was at the start, in units of
 * its size. It starts at 0.25 for each output, whatever the network is for.
 */
async function regression(graph: Graph, batch: number, random: Rng): Promise<Problem> {
  const inputs = graph.inputs.map((info) => ({
    ...info,
    shape: info.shape!.map((dim, axis) => (typeof dim === "number" ? dim : axis === 0 ? batch : 224)),
  }));
  const parameters = new Map(
    parametersOf(graph).map(({ name }) => [name, graph.initializers.get(name) as Tensor<"float32">] as const), // parameters are float32
  );
  const initializers = new Map([...graph.initializers].filter(([name]) => !parameters.has(name)));
  const parameterInputs = [...parameters].map(([name, { shape }]) => ({ name, dtype: "float32" as const, shape }));
  const outputs = graph.outputs.filter(({ dtype }) => dtype === "float32");
  const open: Graph = { ...graph, inputs: [...inputs, ...parameterInputs], initializers, outputs };
  const types = inferTypes(open);
  const feeds = Object.fromEntries(
    inputs.map(({ name, shape }) => [
      name,
      float32(
        shape,
        Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
      ),
    ]),
  );
  await using session = await Session.create(open, { optimization: "none" });
  const start = await session.run({ ...feeds, ...Object.fromEntries(parameters) });
  const b = new GraphBuilder("regression", open);
  const parts = outputs.map(({ name }) => {
    const { data } = start[name] as Tensor<"float32">; // float32 outputs were chosen
    const size = norm(data) / Math.sqrt(data.length);
    const shape = types.get(name)!.shape!.map(Number);
    const distance = b.mul(
      b.sub(
        name,
        b.constant(
          float32(
            shape,
            data.map((value) => value / 2),
          ),
        ),
      ),
      b.scalar(1 / size),
    );
    return b.reduceMean(b.mul(distance, distance), { keepdims: false });
  });
  b.named("Identity", [parts.reduce(b.add)], "objective");
  return { graph: b.build([{ name: "objective", dtype: "float32", shape: [] }]), parameters, feeds };
}

const norm = (values: Float32Array): number => Math.hypot(...chunks(values).map((part) => Math.hypot(...part)));
function chunks(values: Float32Array): Float32Array[] {
  return Array.from({ length: Math.ceil(values.length / 1024) }, (_, i) => values.subarray(i * 1024, (i + 1) * 1024));
}

withAssets("real files, differentiated with every parameter (needs shared/assets)", () => {
  test.each(MODELS)(
    "%s",
    async (file, batch) => {
      const { graph } = loadGraph(new Uint8Array(await readFile(join(assets!, "models", file))));
      const random = rng(file);
      const { graph: objective, parameters, feeds } = await regression(graph, batch, random);
      const names = [...parameters.keys()];
      expect(names.length).toBeGreaterThan(10);
      await using session = await Session.create(gradient(objective, { of: "objective", with: names }), {
        optimization: "none",
      });
      const run = (values: ReadonlyMap<Value, Tensor>, fetches?: readonly Value[]) =>
        session.run({ ...feeds, ...Object.fromEntries(values) }, fetches);
      const lossAt = async (values: ReadonlyMap<Value, Tensor>) =>
        Number((await run(values, ["objective"]))["objective"]!.data[0]);

      // The slope in a random direction that leans uphill: across the hill, rounding would hide a small slope.
      const out = await run(parameters);
      const slopeOf = (results: Record<Value, Tensor>, name: Value) =>
        results[gradientName(name)]!.data as Float32Array;
      const direction = new Map(
        [...parameters].map(([name, { data }]) => {
          const slope = slopeOf(out, name);
          const scale = Math.max(norm(data), 1e-3) / Math.max(norm(slope), 1e-20);
          return [name, slope.map((value) => scale * value * Math.abs(random.normal()))] as const;
        }),
      );
      const analytic = names.reduce((sum, name) => {
        const slope = slopeOf(out, name);
        return sum + direction.get(name)!.reduce((dot, d, i) => dot + d * slope[i]!, 0);
      }, 0);
      const along = (name: Value, { shape, data }: Tensor<"float32">, shift: number) => {
        const d = direction.get(name)!;
        return [
          name,
          float32(
            shape,
            data.map((value, i) => value + shift * d[i]!),
          ),
        ] as const;
      };
      const moved = (shift: number) => new Map([...parameters].map(([name, value]) => along(name, value, shift)));
      const central = async (step: number) => ((await lossAt(moved(step))) - (await lossAt(moved(-step)))) / (2 * step);
      const step = (0.01 * (await lossAt(parameters))) / analytic; // the loss changes by about one percent
      const numeric = (4 * (await central(step / 2)) - (await central(step))) / 3; // Richardson's extrapolation
      expect(Math.abs(analytic - numeric) / Math.abs(numeric), `${analytic} against ${numeric}`).toBeLessThan(0.03);

      // Twenty steps of gradient descent, each as long as would take 3 percent off a straight slope, and half of that after each step that went up.
      const current = new Map(
        [...parameters].map(([name, { shape, data }]) => [name, float32(shape, data.slice())] as const),
      );
      const losses: number[] = [];
      let share = 0.03;
      for (let i = 0; i < 20; i++) {
        const results = await run(current);
        losses.push(Number(results["objective"]!.data[0]));
        if (losses.at(-1)! > (losses.at(-2) ?? Number.POSITIVE_INFINITY)) share /= 2;
        const squared = names.reduce((sum, name) => sum + norm(slopeOf(results, name)) ** 2, 0);
        const rate = (share * losses.at(-1)!) / squared;
        for (const [name, { data }] of current) {
          const slope = slopeOf(results, name);
          for (let j = 0; j < data.length; j++) data[j]! -= rate * slope[j]!;
        }
      }
      expect(await lossAt(current), `${losses}`).toBeLessThan(0.97 * losses[0]!);
    },
    180_000,
  );
});
