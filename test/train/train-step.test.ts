import { expect, test } from "vitest";
import { binaryCrossEntropy } from "../../src/losses/binary-cross-entropy.ts";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { HEAD, linearHead } from "../../src/models/head.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { CLASSES, clusters, headStep, WIDTH } from "./made.ts";

test("the first loss of a zero head is that of a guess: log 3, or log 2 for independent classes", async () => {
  const { features, labels } = clusters(12);
  await using softmax = await headStep({ loss: crossEntropy() });
  expect(await softmax.run(features, labels, 0.1)).toBeCloseTo(Math.log(3), 6);
  await using sigmoid = await headStep({ loss: binaryCrossEntropy() });
  expect(await sigmoid.run(features, labels, 0.1)).toBeCloseTo(Math.log(2), 6);
});

test("one step of plain gradient descent changes the bias by the learning rate times (label frequency - 1/3)", async () => {
  await using step = await headStep({ optimizer: sgd({ momentum: 0 }) });
  const { features } = clusters(4);
  await step.run(features, Int32Array.of(0, 0, 1, 0), 0.5);
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
  await step.run(new Float32Array(3 * 4), Int32Array.of(0, 1, 2), 0.1); // zero features: weights have no gradient
  const parameters = await step.parameters();
  expect([...parameters.get(HEAD.weight)!.data]).toEqual(new Array(12).fill(Math.fround(0.9)));
  for (const value of parameters.get(HEAD.bias)!.data) expect(value).toBeCloseTo(3, 6);
});

test("batches of any size go through one session, and steps are counted", async () => {
  await using step = await headStep();
  for (const count of [5, 1, 16]) {
    const { features, labels } = clusters(count);
    expect(await step.run(features, labels, 0.01)).toBeLessThan(1.2);
  }
  expect(step.steps).toBe(3);
});

test("works on a copy of the start values, and goes back to any parameters it gave", async () => {
  const start = linearHead({ width: WIDTH, numClasses: CLASSES.length });
  await using step = await headStep({ parameters: start });
  const { features, labels } = clusters(6);
  const before = await step.parameters();
  const logits = await step.logits(features);
  await step.run(features, labels, 0.1);
  expect(start.get(HEAD.weight)!.data.every((value) => value === 0)).toBe(true);
  expect(await step.logits(features)).not.toEqual(logits);
  await step.restore(before);
  expect(await step.logits(features)).toEqual(logits);
  await expect(step.restore(new Map())).rejects.toThrow(
    `restoring requires ${3 * WIDTH} values of "head.weight", got none.`,
  );
});

test("a learning rate of its own scales a parameter's updates", async () => {
  const { features, labels } = clusters(6);
  const after = async (rate: number) => {
    const rates = new Map([[HEAD.weight, rate]]);
    await using step = await headStep({ optimizer: sgd({ momentum: 0 }), rates });
    await step.run(features, labels, 0.1);
    return await step.parameters();
  };
  const [whole, half] = [await after(1), await after(0.5)];
  expect(half.get(HEAD.bias)).toEqual(whole.get(HEAD.bias));
  expect(half.get(HEAD.weight)!.data).toEqual(whole.get(HEAD.weight)!.data.map((value) => value / 2));
});
