import { expect, test } from "vitest";
import { int, ints } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph, Node, Value } from "../../src/graph/graph.ts";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { classTargets } from "../../src/losses/targets.ts";
import { HEAD, type Parameters } from "../../src/models/head.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { rng } from "../../src/random.ts";
import { blockedLayout } from "../../src/runtime/blocked-layout.ts";
import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { TrainStep } from "../../src/train/train-step.ts";
import { planForward, planTraining } from "../../src/train/training-plan.ts";

const random = rng(2);
const noise = (...shape: number[]): Tensor<"float32"> =>
  float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal() / 4),
  );

/** Convolutions with Relu, their average, and a linear layer with three classes. @param group of the convolutions. */
function network(depth = 12, channels = 16, group = 1): { forward: Graph; parameters: Parameters } {
  const b = new GraphBuilder("network");
  const parameters = new Map<Value, Tensor<"float32">>();
  const parameter = (name: string, value: Tensor<"float32">): Value => {
    parameters.set(name, value);
    return b.input({ name, dtype: "float32", shape: value.shape });
  };
  let x = b.input({ name: "x", dtype: "float32", shape: ["batch", channels, 8, 8] });
  for (let i = 0; i < depth; i++)
    x = b.op("Relu", [
      b.op("Conv", [x, parameter(`w${i}`, noise(channels, channels / group, 3, 3))], {
        pads: ints([1, 1, 1, 1]),
        group: int(group),
      }),
    ]);
  const features = b.op("Flatten", [b.op("GlobalAveragePool", [x])], { axis: int(1) });
  b.named("MatMul", [features, parameter("head", noise(channels, 3))], HEAD.logits);
  return { forward: b.build([{ name: HEAD.logits, dtype: "float32", shape: ["batch", 3] }]), parameters };
}

const { forward, parameters } = network();
const common = { forward, input: "x", parameters, loss: crossEntropy(), numClasses: 3 };
const optimizer = sgd({ momentum: 0 });
const samples = noise(5, 16, 8, 8).data;
const targets = classTargets([0, 1, 2, 2, 1]);

test("activations are estimated for the batch, and a limit makes the forward pass run in stretches", () => {
  const one = planTraining({ ...common, batchSize: 1 });
  const ten = planTraining({ ...common, batchSize: 10 });
  const activation = 16 * 64 * 4;
  expect(one.memory.recomputed).toBe(false);
  expect(one.memory.activations).toBeGreaterThan(12 * activation); // each Relu's output is needed again
  expect(ten.memory.activations / one.memory.activations).toBeGreaterThan(4); // weights' gradients do not grow
  const small = planTraining({ ...common, batchSize: 10, memoryLimit: 0 });
  expect(small.memory.recomputed).toBe(true);
  expect(small.memory.activations).toBeLessThan(0.8 * ten.memory.activations);
  expect(planTraining({ ...common, batchSize: 10, memoryLimit: ten.memory.activations }).memory).toEqual(ten.memory);
});

test("computing twice changes no bit of a step", async () => {
  const results = [];
  for (const memoryLimit of [undefined, 0]) {
    await using step = await TrainStep.create({ ...common, optimizer, memoryLimit });
    expect(step.memory.recomputed).toBe(memoryLimit === 0);
    results.push([await step.run(samples, targets, 0.1), await step.parameters()]);
  }
  expect(results[1]).toEqual(results[0]);
});

test("a batch that is not full counts as it should in a graph for full ones", async () => {
  await using any = await TrainStep.create({ ...common, optimizer });
  const wanted = [await any.run(samples, targets, 0.1), await any.parameters()] as const;
  for (const batchSize of [5, 7, 12]) {
    await using fixed = await TrainStep.create({ ...common, optimizer, batchSize });
    expect(await fixed.run(samples, targets, 0.1)).toBeCloseTo(wanted[0], 5);
    for (const [name, { data }] of await fixed.parameters()) {
      const other = wanted[1].get(name)!.data;
      expect(Math.max(...data.map((value, i) => Math.abs(value - other[i]!)))).toBeLessThan(5e-5);
    }
  }
});

test.each([
  ["whole blocks", 32, 0],
  ["blocks to fill up", 24, 3],
])("kernels are trained in the order of their gradients: %s", async (_, channels, swaps) => {
  const block = await blockedLayout();
  if (block === undefined) return; // a runtime without the layout has no such gradients
  const net = { ...common, ...network(3, channels), batchSize: 5 };
  const plan = planTraining({ ...net, block, choose: () => "volume" });
  expect([...plan.tapsOutside]).toEqual(["w0", "w1", "w2"]);
  const isSwap = ({ op, attributes: { perm } }: Node): boolean =>
    op === "Transpose" && ["0,2,1", "0,3,1,2"].includes(String(perm?.value));
  expect(plan.graph.nodes.filter(isSwap)).toHaveLength(2 * swaps);
  expect(planForward(net.forward, plan, block).nodes.filter(isSwap)).toHaveLength(2 * swaps);
  expect(planTraining(net).tapsOutside.size).toBe(0); // without the blocked layout

  const images = noise(5, channels, 8, 8).data;
  const results = [];
  for (const batchSize of [5, undefined]) {
    await using step = await TrainStep.create({ ...net, optimizer, batchSize });
    for (let i = 0; i < 3; i++) await step.run(images, targets, 0.1);
    const trained = await step.parameters();
    const logits = await step.logits(images);
    await step.restore(trained);
    expect(await step.logits(images)).toEqual(logits);
    results.push(trained);
  }
  for (const [name, { shape, data }] of results[0]!) {
    const other = results[1]!.get(name)!;
    expect(shape).toEqual(other.shape);
    data.forEach((value, i) => {
      expect(value).toBeCloseTo(other.data[i]!, 4);
    });
  }
});

test.each([16, 24, 32])(
  "depthwise kernels of %d channels keep their order, and their gradients are right",
  async (channels) => {
    const net = { ...common, ...network(2, channels, channels) };
    const block = await blockedLayout();
    expect(planTraining({ ...net, batchSize: 5, block }).tapsOutside).toEqual(new Set());
    const images = noise(5, channels, 8, 8).data;
    const results = [];
    for (const batchSize of [5, undefined]) {
      await using step = await TrainStep.create({ ...net, optimizer, batchSize });
      await step.run(images, targets, 1);
      results.push(await step.parameters());
    }
    for (const name of ["w0", "w1"]) {
      const [fast, portable] = results.map((trained) => trained.get(name)!.data);
      const start = net.parameters.get(name)!.data;
      const moved = Math.max(...portable!.map((value, i) => Math.abs(value - start[i]!)));
      const apart = Math.max(...portable!.map((value, i) => Math.abs(value - fast![i]!)));
      expect(moved).toBeGreaterThan(0);
      expect(apart / moved).toBeLessThan(1e-4);
    }
  },
);
