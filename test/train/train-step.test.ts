import { expect, test } from "vitest";
import { binaryCrossEntropy } from "../../src/losses/binary-cross-entropy.ts";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { HEAD } from "../../src/models/head.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { clusters, headStep } from "./made.ts";

test("the first loss of a zero head is that of a guess: log 3, or log 2 for independent classes", async () => {
  const { features, labels } = clusters(12);
  const softmax = await headStep(crossEntropy());
  expect(await softmax.step.run(features, labels, 0.1)).toBeCloseTo(Math.log(3), 6);
  const sigmoid = await headStep(binaryCrossEntropy());
  expect(await sigmoid.step.run(features, labels, 0.1)).toBeCloseTo(Math.log(2), 6);
  await softmax.step[Symbol.asyncDispose]();
  await sigmoid.step[Symbol.asyncDispose]();
});

test("one step of plain gradient descent changes the bias by the learning rate times (label frequency - 1/3)", async () => {
  const { step, parameters } = await headStep(crossEntropy(), sgd({ momentum: 0 }));
  await using _ = step;
  const { features } = clusters(4);
  await step.run(features, Int32Array.of(0, 0, 1, 0), 0.5);
  const bias = parameters.get(HEAD.bias)!.data;
  [0.75, 0.25, 0].forEach((frequency, i) => {
    expect(bias[i]).toBeCloseTo(0.5 * (frequency - 1 / 3), 6);
  });
});

test("weight decay applies to weights, not to biases", async () => {
  const { step, parameters } = await headStep(crossEntropy(), sgd({ momentum: 0, weightDecay: 1 }));
  await using _ = step;
  parameters.get(HEAD.bias)!.data.fill(3); // equal biases have no gradient at balanced labels
  parameters.get(HEAD.weight)!.data.fill(1);
  await step.run(new Float32Array(3 * 4), Int32Array.of(0, 1, 2), 0.1); // zero features: weights have no gradient
  expect([...parameters.get(HEAD.weight)!.data]).toEqual(new Array(12).fill(Math.fround(0.9)));
  for (const value of parameters.get(HEAD.bias)!.data) expect(value).toBeCloseTo(3, 6);
});

test("batches of any size go through one session, and steps are counted", async () => {
  const { step } = await headStep();
  await using _ = step;
  for (const count of [5, 1, 16]) {
    const { features, labels } = clusters(count);
    expect(await step.run(features, labels, 0.01)).toBeLessThan(1.2);
  }
  expect(step.steps).toBe(3);
});
