/** The real weights files: every tensor against the reference, and against the ONNX files of the same networks. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadGraph } from "../../src/graph/load.ts";
import { sizeOf, type Tensor, toNumbers } from "../../src/tensor/tensor.ts";
import { openWeights } from "../../src/weights/open-weights.ts";
import { assets, withAssets } from "../assets.ts";

interface Reference {
  readonly torch: Record<string, { readonly tensors: Record<string, ReferenceTensor> }>;
}
interface ReferenceTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly sum: number;
  readonly first4: readonly number[];
}

const models = join(assets ?? "", "models");
const reference: Reference = assets ? JSON.parse(readFileSync(join(models, "reference.json"), "utf8")) : { torch: {} };

withAssets("PyTorch checkpoints", () => {
  test.each([
    "resnet20_cifar10/resnet20-12fca82f.th",
    "detectors/fastestdet/shufflenetv2_backbone.pth",
    "detectors/fastestdet/fastestdet_coco.pth",
  ])("%s holds what PyTorch read", async (name) => {
    const source = await openWeights(join(models, name));
    const { tensors } = reference.torch[name]!;
    expect(source.names).toEqual(Object.keys(tensors));
    for (const [key, { shape, dtype, sum, first4 }] of Object.entries(tensors)) {
      const tensor = source.read(key);
      const values = toNumbers(tensor);
      expect({ key, shape: tensor.shape, dtype: tensor.dtype }).toEqual({ key, shape, dtype });
      const total = values.reduce((a, b) => a + b, 0);
      const scale = values.reduce((a, b) => a + Math.abs(b), 1);
      expect(Math.abs(total - sum), key).toBeLessThan(1e-5 * Math.abs(sum) + 2e-6 * scale); // six digits were kept
      for (const [i, value] of first4.entries())
        expect(Math.abs(values[i]! - value), key).toBeLessThanOrEqual(1e-5 * Math.abs(value) + 1e-9);
    }
    source.close();
  });
});

/** The initializers of an ONNX file. */
function initializers(name: string): Tensor[] {
  return [...loadGraph(readFileSync(join(models, name)), { name }).graph.initializers.values()];
}

function same(a: Tensor, b: Tensor): boolean {
  return sizeOf(a.shape) === sizeOf(b.shape) && a.data.every((value, i) => value === b.data[i]);
}

withAssets("safetensors", () => {
  test("squeezenet1_1 holds the initializers of its ONNX file, under torchvision's names", async () => {
    const source = await openWeights(join(models, "squeezenet1_1/squeezenet1_1.safetensors"));
    const onnx = initializers("squeezenet1_1/squeezenet1_1.onnx");
    expect(source.names).toContain("features.3.squeeze.weight");
    expect(source.names.length).toBe(52);
    for (const name of source.names)
      expect(
        onnx.some((t) => same(t, source.read(name))),
        name,
      ).toBe(true);
    source.close();
  });
});

/** [h, w, in, out] or [in, out] → [out, in, h, w] or [out, in]. */
function outputsFirst({ shape, data }: Tensor): Float32Array {
  const outputs = shape.at(-1)!;
  const inputs = shape.at(-2)!;
  const area = sizeOf(shape) / (inputs * outputs);
  const out = new Float32Array(data.length);
  for (let p = 0; p < area; p++)
    for (let i = 0; i < inputs; i++)
      for (let o = 0; o < outputs; o++) out[(o * inputs + i) * area + p] = Number(data[(p * inputs + i) * outputs + o]);
  return out;
}

withAssets("Keras HDF5", () => {
  test.each([
    ["pretrainedResnet", 48, ["conv2d/kernel", "conv2d/bias", "batch_normalization/gamma"]],
    ["vww_96", 164, ["conv2d/kernel", "conv2d/bias", "batch_normalization/gamma"]],
  ])("%s holds the kernels of its ONNX twin, in Keras' layout", async (name, count, first) => {
    const source = await openWeights(join(models, `keras-h5/${name}.h5`));
    expect(source.names.length).toBe(count);
    expect(source.names.slice(0, 3)).toEqual(first);
    const onnx = initializers(`keras-h5/${name}.reference.onnx`);
    const kernels = source.names.filter((key) => /\/kernel$/.test(key));
    expect(kernels.length).toBeGreaterThan(8);
    for (const key of kernels) {
      const kernel = source.read(key);
      const turned: Tensor = { ...kernel, data: outputsFirst(kernel) };
      expect(
        onnx.some((t) => same(t, turned) || same(t, kernel)),
        key,
      ).toBe(true);
    }
    source.close();
  });

  test("keeps the model's layers in order", async () => {
    const source = await openWeights(join(models, "keras-h5/pretrainedResnet.h5"));
    expect(source.layers?.at(-1)).toEqual({ name: "dense", tensors: ["dense/kernel", "dense/bias"] });
    source.close();
  });
});
