import { describe, expect, test } from "vitest";
import { binaryCrossEntropy } from "../../src/losses/binary-cross-entropy.ts";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { classTargets } from "../../src/losses/targets.ts";
import { HEAD, linearHead, type Parameters } from "../../src/models/head.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { OPTIMIZERS, type OptimizerName } from "../../src/optim/table.ts";
import { blockedLayout } from "../../src/runtime/blocked-layout.ts";
import { TrainStep, type TrainStepOptions } from "../../src/train/train-step.ts";
import { planTraining } from "../../src/train/training-plan.ts";
import { CLASSES, clusters, headStep, noise, normalizedNetwork, WIDTH } from "./made.ts";

test("the first loss of a zero head is that of a guess: log 3, or log 2 for independent classes", async () => {
  const { features, targets } = clusters(12);
  await using softmax = await headStep({ loss: crossEntropy() });
  expect(await softmax.run(features, targets, 0.1)).toBeCloseTo(Math.log(3), 6);
  await using sigmoid = await headStep({ loss: binaryCrossEntropy() });
  expect(await sigmoid.run(features, targets, 0.1)).toBeCloseTo(Math.log(2), 6);
});

test("one step of plain gradient descent changes the bias by the learning rate times (label frequency - 1/3)", async () => {
  await using step = await headStep({ optimizer: sgd({ momentum: 0 }) });
  const { features } = clusters(4);
  await step.run(features, classTargets(Int32Array.of(0, 0, 1, 0)), 0.5);
  const bias = (await step.parameters()).get(HEAD.bias)!.data;
  [0.75, 0.25, 0].forEach((frequency, i) => {
    expect(bias[i]).toBeCloseTo(0.5 * (frequency - 1 / 3), 6);
  });
});

test("weight decay applies to weights, not to biases", async () => {
  const start = linearHead({ width: WIDTH, numClasses: CLASSES.length });
  start.get(HEAD.bias)!.data.fill(3); // equal biases have no gradient at balanced labels
  start.get(HEAD.weight)!.data.fill(1);
  await using step = await headStep({ parameters: start, optimizer: sgd({ momentum: 0, weightDecay: 1 }) });
  await step.run(new Float32Array(3 * 4), classTargets(Int32Array.of(0, 1, 2)), 0.1); // zero features: weights have no gradient
  const parameters = await step.parameters();
  expect([...parameters.get(HEAD.weight)!.data]).toEqual(new Array(12).fill(Math.fround(0.9)));
  for (const value of parameters.get(HEAD.bias)!.data) expect(value).toBeCloseTo(3, 6);
});

test("batches of any size go through one session, and steps are counted", async () => {
  await using step = await headStep();
  for (const count of [5, 1, 16]) {
    const { features, targets } = clusters(count);
    expect(await step.run(features, targets, 0.01)).toBeLessThan(1.2);
  }
  expect(step.steps).toBe(3);
});

test("works on a copy of the start values, and goes back to any parameters it gave", async () => {
  const start = linearHead({ width: WIDTH, numClasses: CLASSES.length });
  await using step = await headStep({ parameters: start });
  const { features, targets } = clusters(6);
  const before = await step.parameters();
  const logits = await step.logits(features);
  await step.run(features, targets, 0.1);
  expect(start.get(HEAD.weight)!.data.every((value) => value === 0)).toBe(true);
  expect(await step.logits(features)).not.toEqual(logits);
  await step.restore(before);
  expect(await step.logits(features)).toEqual(logits);
  await expect(step.restore(new Map())).rejects.toThrow(`restoring requires "head.weight" [3, ${WIDTH}], got none.`);
});

test("a learning rate of its own scales a parameter's updates", async () => {
  const { features, targets } = clusters(6);
  const after = async (rate: number) => {
    const rates = new Map([[HEAD.weight, rate]]);
    await using step = await headStep({ optimizer: sgd({ momentum: 0 }), rates });
    await step.run(features, targets, 0.1);
    return await step.parameters();
  };
  const [whole, half] = [await after(1), await after(0.5)];
  expect(half.get(HEAD.bias)).toEqual(whole.get(HEAD.bias));
  expect(half.get(HEAD.weight)!.data).toEqual(whole.get(HEAD.weight)!.data.map((value) => value / 2));
});

test("a batch's loss is the mean by the weights, as PyTorch's weighted mean, whatever their size", async () => {
  const { features, targets } = clusters(3);
  const run = async (weights: number[] | undefined) => {
    await using step = await headStep({ optimizer: sgd({ momentum: 0 }) });
    const weighted = weights ? { ...targets, weights: Float32Array.from(weights) } : targets;
    await step.run(features.slice(), weighted, 0.5);
    const loss = await step.run(features.slice(), weighted, 0.5);
    return [loss, [...(await step.parameters()).get(HEAD.bias)!.data]] as const;
  };
  expect(await run([1, 1, 1])).toEqual(await run(undefined));
  expect(await run([4, 4, 4])).toEqual(await run(undefined));
  const [loss, bias] = await run([2, 1, 1]);
  // A weight of 2 is a sample that is there twice.
  await using twice = await headStep({ optimizer: sgd({ momentum: 0 }) });
  const rows = Float32Array.of(...features.subarray(0, WIDTH), ...features);
  const four = classTargets([targets.values[0]!, ...targets.values]);
  await twice.run(rows.slice(), four, 0.5);
  expect(loss).toBeCloseTo(await twice.run(rows.slice(), four, 0.5), 6);
  for (const [i, value] of (await twice.parameters()).get(HEAD.bias)!.data.entries())
    expect(bias[i]).toBeCloseTo(value, 6);
});

function expectNear(actual: Parameters, wanted: Parameters, most: number): void {
  expect([...actual.keys()]).toEqual([...wanted.keys()]);
  for (const [name, { data }] of actual) {
    const other = wanted.get(name)!.data;
    expect(Math.max(...data.map((value, i) => Math.abs(value - other[i]!)))).toBeLessThan(most);
  }
}

describe("a batch in parts makes the update of the whole batch", () => {
  const weights = Float32Array.from({ length: 16 }, (_, i) => 1 + 4 * (i % 3) + i / 7);

  test.each([
    ["of a head, parts of 5 and the rest", 5],
    ["of a head, parts of 8", 8],
    ["of a head, one by one", 1],
  ])("%s", async (_, batchSize) => {
    const { features, targets } = clusters(16, { spread: 1 });
    for (const given of [targets, { ...targets, weights }]) {
      const results = [];
      for (const size of [undefined, batchSize]) {
        await using step = await headStep({ optimizer: sgd(), batchSize: size });
        const losses = [];
        for (let i = 0; i < 3; i++) losses.push(await step.run(features.slice(), given, 0.5));
        expect(step.steps).toBe(3);
        results.push({ losses, parameters: await step.parameters() });
      }
      const [whole, parts] = results;
      for (const [i, loss] of whole!.losses.entries()) expect(parts!.losses[i]).toBeCloseTo(loss, 6);
      expectNear(parts!.parameters, whole!.parameters, 1e-6);
    }
  });

  test.each([
    ["by plain steps", { optimizer: sgd(), startPenalty: 0.1 }, 0.1],
    ["by steps that depend on all gradients", { optimizer: OPTIMIZERS.adam.create(), clipNorm: 0.1 }, 1e-3],
  ])("of a network whose normalization keeps its statistics, %s", async (_, options, learningRate) => {
    const network = normalizedNetwork();
    const { samples, targets } = noise(16, network);
    const frozen = { forward: withoutStatistics(network), training: undefined, statistics: [], running: undefined };
    for (const given of [targets, { ...targets, weights }]) {
      const results: { readonly losses: readonly number[]; readonly parameters: Parameters }[] = [];
      for (const batchSize of [undefined, 5, 16]) {
        await using step = await TrainStep.create({
          ...network,
          ...frozen,
          ...options,
          loss: crossEntropy(),
          batchSize,
        });
        const losses = [];
        for (let i = 0; i < 2; i++) losses.push(await step.run(samples.slice(), given, learningRate));
        results.push({ losses, parameters: await step.parameters() });
      }
      const [whole, ...parts] = results;
      expect(whole!.losses[1]).toBeLessThan(whole!.losses[0]!);
      for (const { losses, parameters } of parts) {
        for (const [i, loss] of whole!.losses.entries()) expect(losses[i]).toBeCloseTo(loss, 5);
        expectNear(parameters, whole!.parameters, 5e-5);
      }
    }
  });
});

/** The network with its running statistics as constants. */
function withoutStatistics({ forward, running }: ReturnType<typeof normalizedNetwork>): TrainStepOptions["forward"] {
  const inputs = forward.inputs.filter(({ name }) => !running.has(name));
  return { ...forward, inputs, initializers: new Map([...forward.initializers, ...running]) };
}

describe("a state goes on bit for bit", () => {
  const network = normalizedNetwork();
  const names = Object.keys(OPTIMIZERS) as OptimizerName[]; // the keys of a literal are all there are

  /** Runs the batches of some steps, and says their losses. */
  async function run(step: TrainStep, from: number, to: number): Promise<number[]> {
    const losses = [];
    for (let i = from; i <= to; i++) {
      const { samples, targets } = noise(7, network, i);
      losses.push(await step.run(samples, targets, 1e-3));
    }
    return losses;
  }

  test.each(names.flatMap((name) => [undefined, 4, 7].map((batchSize) => [name, batchSize] as const)))(
    "with %s and a batch size of %s",
    async (name, batchSize) => {
      const averageDecay = batchSize === 4 ? undefined : 0.9;
      const optimizer = OPTIMIZERS[name].create({ weightDecay: 0.01 });
      const options = { ...network, loss: crossEntropy(), optimizer, batchSize, averageDecay };
      if (batchSize !== undefined) {
        const block = await blockedLayout();
        const plan = planTraining({ ...options, forward: network.training!, block });
        expect(plan.tapsOutside.size).toBe(block === undefined ? 0 : 2); // both kernels are trained in another order
      }
      await using whole = await TrainStep.create(options);
      const first = await run(whole, 1, 2);
      const state = structuredClone(await whole.state());
      const wanted = await run(whole, 3, 4);
      await using other = await TrainStep.create(options);
      expect(await run(other, 1, 1)).toEqual(first.slice(0, 1));
      await other.load(state);
      expect(await other.state()).toEqual(state);
      expect(await run(other, 3, 4)).toEqual(wanted);
      expect(await other.state()).toEqual(await whole.state());
      expect(await other.parameters()).toEqual(await whole.parameters());
      const { samples } = noise(5, network, "seen");
      expect(await other.logits(samples.slice())).toEqual(await whole.logits(samples.slice()));
    },
  );

  test("and holds the running statistics, which follow the batches", async () => {
    await using step = await TrainStep.create({ ...network, loss: crossEntropy(), optimizer: sgd() });
    await run(step, 1, 3);
    const { parameters, slots, average } = await step.state();
    for (const name of ["norm.mean", "norm.var"]) {
      expect(parameters.get(name)!.data).not.toEqual(network.running.get(name)!.data);
      expect(slots.has(`${name}/velocity`)).toBe(false);
    }
    expect(average).toBeUndefined();
  });

  test("and logits are those of the average, where there is one", async () => {
    await using plain = await headStep();
    await using averaged = await headStep({ averageDecay: 0.9 });
    const { features, targets } = clusters(6);
    for (let i = 0; i < 3; i++) for (const step of [plain, averaged]) await step.run(features.slice(), targets, 0.1);
    expect((await averaged.state()).parameters).toEqual(await plain.parameters());
    await plain.restore(await averaged.parameters());
    expect(await averaged.logits(features)).toEqual(await plain.logits(features));
    expect(await averaged.parameters()).not.toEqual((await averaged.state()).parameters);
  });
});
