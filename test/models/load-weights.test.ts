import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { initialize } from "../../src/models/architectures/initializers.ts";
import { ARCHITECTURES } from "../../src/models/architectures/table.ts";
import { findArchitecture, identifyArchitecture } from "../../src/models/identify-architecture.ts";
import { loadWeights } from "../../src/models/load-weights.ts";
import { readOnnx } from "../../src/models/read-onnx.ts";
import { Session } from "../../src/runtime/session.ts";
import { float32, sizeOf, type Tensor, tensor, toNumbers } from "../../src/tensor/tensor.ts";
import { openWeights } from "../../src/weights/open-weights.ts";
import { type TensorSource, tensorSource } from "../../src/weights/tensor-source.ts";
import { assets, withAssets } from "../assets.ts";

const resnet = ARCHITECTURES.resnet20_cifar10;

/** A source of tensors in memory. */
function sourceOf(tensors: ReadonlyMap<string, Tensor>, format: TensorSource["format"] = "torch"): TensorSource {
  const entries = [...tensors].map(([name, t]) => [
    name,
    { dtype: t.dtype, shape: t.shape, bytes: t.data.byteLength, read: () => t },
  ]);
  return tensorSource({
    format,
    origin: "made.pth",
    entries: new Map(entries as [string, { dtype: "float32"; shape: number[]; bytes: number; read: () => Tensor }][]),
    close() {},
  });
}

const made = (): Map<string, Tensor> => new Map<string, Tensor>(initialize(resnet.build().parameters, 1));

async function run(graph: Graph, side: number): Promise<number[]> {
  await using session = await Session.create(graph, { threads: 1 });
  const pixels = Float32Array.from({ length: 3 * side * side }, (_, i) => Math.sin(i * 0.001));
  const outputs = await session.run({ [graph.inputs[0]!.name]: float32([1, 3, side, side], pixels) });
  return toNumbers(outputs[graph.outputs[0]!.name]!);
}

const largestDifference = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) / Math.max(...b.map(Math.abs));

describe("a file that fits", () => {
  test("gives the network its tensors, without the wrapper's prefix and in float32", () => {
    const tensors = made();
    const wrapped = new Map([...tensors].map(([name, t]) => [`module.${name}`, t]));
    const first = tensors.get("conv1.weight")!;
    wrapped.set("module.conv1.weight", tensor("float64", first.shape, Float64Array.from(toNumbers(first))));
    wrapped.set("module.bn1.num_batches_tracked", tensor("int64", [], BigInt64Array.of(7n)));
    const { graph, network, notes } = loadWeights(resnet, sourceOf(wrapped));
    expect(notes).toEqual(['the prefix "module." before the names was taken away']);
    for (const { name } of network.parameters.slice(1))
      expect(graph.initializers.get(name)!.data, name).toBe(tensors.get(name)!.data);
    expect(graph.initializers.get("conv1.weight")).toEqual(first);
  });

  test("keeps a head of another size, and replaces it where another size is asked for", () => {
    const tensors = made();
    tensors.set("linear.weight", float32([3, 64], new Float32Array(3 * 64).fill(0.5)));
    tensors.set("linear.bias", float32([3], [1, 2, 3]));
    const kept = loadWeights(resnet, sourceOf(tensors));
    expect(kept.network.numClasses).toBe(3);
    expect(kept.notes).toEqual([]);
    const replaced = loadWeights(resnet, sourceOf(tensors), { numClasses: 5, seed: 2 });
    expect(replaced.notes).toEqual([
      'the classifier "linear.weight" with 5 classes is new and untrained: the file\'s has 3 classes',
    ]);
    expect(replaced.graph.initializers.get("linear.bias")!.shape).toEqual([5]);
    const again = loadWeights(resnet, sourceOf(tensors), { numClasses: 5, seed: 2 });
    expect(again.graph.initializers.get("linear.weight")).toEqual(replaced.graph.initializers.get("linear.weight"));
  });

  test("may lack a head and hold more than the network", () => {
    const tensors = made();
    tensors.delete("linear.weight");
    tensors.delete("linear.bias");
    tensors.set("ema.decay", float32([], [0.9]));
    const { graph, notes, network } = loadWeights(resnet, sourceOf(tensors));
    expect(notes).toEqual([
      "the file has no classifier: the network ends with its features",
      '1 tensors of the file are not used: "ema.decay" []',
    ]);
    expect(graph.outputs).toMatchObject([{ name: network.features, shape: ["batch", 64] }]);
    const asked = loadWeights(resnet, sourceOf(tensors), { numClasses: 2 });
    expect(asked.notes[0]).toBe(
      'the classifier "linear.weight" with 2 classes is new and untrained: the file has none',
    );
  });
});

describe("a checkpoint of a training program", () => {
  const under = (prefix: string, tensors: ReadonlyMap<string, Tensor>) =>
    [...tensors].map(([name, t]) => [prefix + name, t] as const);

  test("may hold tensors beside the network, and the network twice", () => {
    const raw = made();
    const average = new Map<string, Tensor>(initialize(resnet.build().parameters, 2));
    const source = sourceOf(
      new Map([
        ...under("model.", raw),
        ...under("ema_model.", average),
        ["criterion.weight", float32([10], new Float32Array(10))],
      ]),
    );
    expect(identifyArchitecture(source).name).toBe("resnet20_cifar10");
    const { graph, notes } = loadWeights(resnet, source);
    expect(graph.initializers.get("bn1.bias")!.data).toBe(raw.get("bn1.bias")!.data);
    expect(notes[0]).toBe('the prefix "model." before the names was taken away');
    expect(notes[1]).toContain('98 tensors of the file are not used: "ema_model.conv1.weight"');
  });

  test("may keep the classifier outside of the backbone, in a sequence, and without a bias", () => {
    const tensors = made();
    const bias = tensors.get("linear.bias")!;
    for (const name of ["linear.weight", "linear.bias"]) tensors.delete(name);
    const head = float32([3, 64], new Float32Array(192).fill(0.25));
    const inSequence = new Map([
      ...under("net.backbone.", tensors),
      ["net.backbone.fc.1.weight", head],
      ["net.backbone.fc.1.bias", float32([3], [1, 2, 3])],
    ]);
    const { graph, notes } = loadWeights(resnet, sourceOf(inSequence));
    expect(notes).toEqual(['the prefix "net.backbone." before the names was taken away']);
    expect(graph.initializers.get("linear.weight")!.data).toBe(head.data);
    expect([...graph.initializers.get("linear.bias")!.data]).toEqual([1, 2, 3]);
    const outside = new Map([...under("backbone.", tensors), ["linear.weight", head] as const]);
    const unbiased = loadWeights(resnet, sourceOf(outside));
    expect(unbiased.graph.initializers.get("linear.weight")!.data).toBe(head.data);
    expect([...unbiased.graph.initializers.get("linear.bias")!.data]).toEqual([0, 0, 0]);
    expect(bias.shape).toEqual([10]);
  });
});

test("a network with more weights, or the name of one that computes otherwise, is not taken for a known one", () => {
  const tensors = made();
  tensors.set("layer1.0.se.conv_reduce.weight", float32([4, 16, 1, 1], new Float32Array(64)));
  expect(() => identifyArchitecture(sourceOf(tensors))).toThrow(
    "made.pth has all parameters of resnet20_cifar10 and 1 weights more (layer1.0.se.conv_reduce.weight): it is of another network.",
  );
  expect(loadWeights(resnet, sourceOf(tensors)).notes[0]).toContain("are not used"); // named on purpose
  const alike = { ...sourceOf(made()), origin: "/models/resnetblur20.pth" };
  expect(() => identifyArchitecture(alike)).toThrow("differs from it by pooling against aliasing");
});

test("every missing and misshapen tensor is named, and what the file has instead", () => {
  const tensors = made();
  tensors.delete("bn1.weight");
  tensors.set("conv1.weight", float32([16, 1, 3, 3], new Float32Array(144)));
  tensors.set("bn1.gamma", float32([16], new Float32Array(16)));
  expect(() => loadWeights(resnet, sourceOf(tensors))).toThrow(
    'made.pth does not fit resnet20_cifar10: of 97 parameters 2 do not: "conv1.weight" is [16, 1, 3, 3] instead of [16, 3, 3, 3], "bn1.weight" [16] is missing. 1 tensors of the file are not used: "bn1.gamma" [16].',
  );
});

describe("the architecture of a file", () => {
  test("is found by names and shapes, whatever its head", () => {
    const tensors = made();
    tensors.set("linear.weight", float32([3, 64], new Float32Array(3 * 64)));
    expect(identifyArchitecture(sourceOf(tensors)).name).toBe("resnet20_cifar10");
  });

  test("is said to be unknown, with the nearest", () => {
    const tensors = made();
    tensors.delete("layer3.2.conv2.weight");
    expect(() => identifyArchitecture(sourceOf(tensors))).toThrow(
      /made\.pth holds the weights of no architecture that is known here\. The most alike are resnet20_cifar10 \(98 % of its parameters\)/,
    );
    expect(() => identifyArchitecture(sourceOf(new Map([["a", float32([1], [0])]])))).toThrow(
      "made.pth holds the weights of no architecture that is known here. Export",
    );
  });

  test("may be named, and misspelled", () => {
    expect(findArchitecture("vgg16").name).toBe("vgg16");
    expect(() => findArchitecture("resnet5O")).toThrow('there is no architecture "resnet5O". Did you mean resnet');
  });
});

withAssets("real files (skipped without ../shared/assets)", () => {
  test("SqueezeNet 1.1 from safetensors computes what its ONNX file computes", async () => {
    const folder = join(assets!, "models/squeezenet1_1");
    const source = await openWeights(join(folder, "squeezenet1_1.safetensors"));
    const { graph } = loadWeights(identifyArchitecture(source), source);
    source.close();
    const { graph: twin } = await readOnnx(join(folder, "squeezenet1_1.onnx"));
    expect(largestDifference(await run(graph, 224), await run(twin, 224))).toBeLessThan(1e-5);
  });

  test("ResNet-20 from a legacy checkpoint computes what its ONNX twin computes", async () => {
    const folder = join(assets!, "models/resnet20_cifar10");
    const source = await openWeights(join(folder, "resnet20-12fca82f.th"));
    const { graph } = loadWeights(identifyArchitecture(source), source);
    source.close();
    const { graph: twin } = await readOnnx(join(folder, "resnet20_cifar10.onnx"));
    expect(largestDifference(await run(graph, 32), await run(twin, 32))).toBeLessThan(1e-5);
  });
});

test("a Keras file whose classifier has no bias gets one of zeros", () => {
  const architecture = ARCHITECTURES.mobilenet_v2_035_keras;
  const leaves = {
    scale: "gamma",
    shift: "beta",
    "running-mean": "moving_mean",
    "running-variance": "moving_variance",
  };
  const tensors = new Map<string, Tensor>();
  for (const { name, kind, shape } of architecture.build().parameters) {
    const layer = name.slice(0, name.lastIndexOf("."));
    const depthwise = layer.endsWith("_depthwise");
    const leaf = kind in leaves ? leaves[kind as keyof typeof leaves] : depthwise ? "depthwise_kernel" : "kernel";
    const [out, into, ...window] = shape as [number, number, ...number[]];
    const inKeras = kind !== "weight" ? shape : [...window, ...(depthwise ? [out, into] : [into, out])];
    if (kind !== "bias") tensors.set(`${layer}/${leaf}`, float32(inKeras, new Float32Array(sizeOf(shape)).fill(0.5)));
  }
  const { graph, notes } = loadWeights(architecture, sourceOf(tensors, "keras"));
  expect(notes).toEqual([]);
  expect(graph.initializers.get("predictions.weight")!.data[0]).toBe(0.5);
  expect(graph.initializers.get("predictions.bias")!.data.every((value) => value === 0)).toBe(true);
});
