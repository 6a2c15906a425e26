import { expect, test } from "vitest";
import { binaryCrossEntropy } from "../../src/losses/binary-cross-entropy.ts";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { classTargets } from "../../src/losses/targets.ts";
import { HEAD, linearHead } from "../../src/models/head.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { CLASSES, clusters, headStep, WIDTH } from "./made.ts";

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
  await expect(step.restore(new Map())).rejects.toThrow(
    `restoring requires ${3 * WIDTH} values of "head.weight", got none.`,
  );
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
