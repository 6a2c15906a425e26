import { expect, test } from "vitest";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { FEATURES } from "../../src/models/backbone.ts";
import { headGraph, linearHead } from "../../src/models/head.ts";
import { adamw } from "../../src/optim/adam.ts";
import { StepThread } from "../../src/train/step-thread.ts";
import type { Trainer } from "../../src/train/train-step.ts";
import { CLASSES, clusters, headStep, WIDTH } from "./made.ts";

const size = { width: WIDTH, numClasses: CLASSES.length };
const options = {
  forward: headGraph(size),
  input: FEATURES,
  parameters: linearHead(size),
  loss: "cross-entropy",
  lossOptions: {},
  optimizer: "adamw",
  optimizerOptions: { weightDecay: 0.1 },
  numClasses: CLASSES.length,
} as const;

test("makes the same steps as in the calling thread, bit for bit, and leaves that free meanwhile", async () => {
  await using thread = await StepThread.create(options);
  await using here = await headStep({ loss: crossEntropy(), optimizer: adamw({ weightDecay: 0.1 }) });
  const { features, targets } = clusters(24);
  for (let i = 0; i < 3; i++) {
    expect(await thread.run(features.slice(), targets, 0.1)).toBe(await here.run(features, targets, 0.1));
  }
  expect(thread.steps).toBe(3);
  expect(await thread.parameters()).toEqual(await here.parameters());
  expect(await thread.logits(features.slice())).toEqual(await here.logits(features));
  const before = await here.parameters();
  await here.run(features, targets, 0.1);
  await thread.restore(await here.parameters());
  expect(await thread.parameters()).not.toEqual(before);
});

test("goes on from a state bit for bit, from its own or that of a step in the calling thread", async () => {
  const run = (step: Trainer, seed: number): Promise<number> => {
    const { features, targets } = clusters(12, { seed });
    return step.run(features, targets, 0.1);
  };
  const changed = { ...options, averageDecay: 0.9, clipNorm: 0.3 };
  await using here = await headStep({ optimizer: adamw({ weightDecay: 0.1 }), averageDecay: 0.9, clipNorm: 0.3 });
  await using thread = await StepThread.create(changed);
  await run(here, 1);
  await run(thread, 1);
  const state = await here.state();
  expect(await thread.state()).toEqual(state);
  const loss = await run(here, 2);
  await run(thread, 7);
  await thread.load(state);
  expect(thread.steps).toBe(1);
  expect(await run(thread, 2)).toBe(loss);
  expect(await thread.state()).toEqual(await here.state());
  expect(await thread.parameters()).toEqual(await here.parameters());
  await expect(thread.load({ ...state, average: undefined })).rejects.toMatchObject({ code: "SHAPE_MISMATCH" });
  expect([thread.steps, await thread.state()]).toEqual([2, await here.state()]);
});

test("takes the samples over instead of copying them", async () => {
  await using thread = await StepThread.create(options);
  const { features, targets } = clusters(3);
  await thread.run(features, targets, 0.1);
  expect(features.length).toBe(0); // the memory went to the thread
});

test("hands errors over with their code, and a thread that cannot start ends", async () => {
  await using thread = await StepThread.create(options);
  await expect(thread.restore(new Map())).rejects.toMatchObject({ name: "RootstockError", code: "SHAPE_MISMATCH" });
  const forward = { ...options.forward, nodes: options.forward.nodes.map((node) => ({ ...node, op: "Hardmax" })) };
  await expect(StepThread.create({ ...options, forward })).rejects.toMatchObject({ code: "NOT_DIFFERENTIABLE" });
});
