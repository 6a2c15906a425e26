import { expect, test } from "vitest";
import { memoryRows } from "../../src/features/rows.ts";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { OPTIMIZERS } from "../../src/optim/table.ts";
import { estimateTime } from "../../src/train/time-estimate.ts";
import { TrainStep } from "../../src/train/train-step.ts";
import { noise, normalizedNetwork } from "./made.ts";

const network = normalizedNetwork(8);

async function trainer(): Promise<TrainStep> {
  return await TrainStep.create({
    ...network,
    loss: crossEntropy(),
    optimizer: OPTIMIZERS.adagrad.create(),
    averageDecay: 0.9,
  });
}

function rowsOf(count: number) {
  const { samples, targets } = noise(count, network);
  return { rows: memoryRows(samples, network.rowLength), targets };
}

test("leaves the trainer bit for bit as it was, statistics and the optimizer's memory too", async () => {
  await using step = await trainer();
  const { samples, targets } = noise(5, network, "first");
  await step.run(samples.slice(), targets, 0.01);
  const before = structuredClone(await step.state());
  await estimateTime({ step, train: rowsOf(7), batchSize: 4, epochs: 3, validation: 2 });
  expect(await step.state()).toEqual(before);
  expect(step.steps).toBe(1);
});

/** Seconds that a text promises. */
function promised(text: string): number {
  const [, number, unit] = /^time {6}about ([\d.]+) (s|min|h) for \d+ epochs? on this machine/.exec(text) ?? [];
  return Number(number) * { s: 1, min: 60, h: 3600 }[unit as "s" | "min" | "h"];
}

test("is in proportion to the epochs, and says seconds, minutes or hours and the images of a second", async () => {
  await using step = await trainer();
  const estimate = (epochs: number) => estimateTime({ step, train: rowsOf(64), batchSize: 16, epochs, validation: 30 });
  const short = await estimate(1);
  expect(short).toMatch(/about 1 s for 1 epoch on this machine \([\d.]+ images a second\); less if training stops/);
  const long = await estimate(1e8);
  expect(long).toMatch(/about \d+\.\d h for 100000000 epochs/);
  // 1e8 epochs of 64 images, and of 30 that pass once without a backward pass: a third.
  const images = Number(/\(([\d.]+) images/.exec(long)![1]);
  const seconds = (1e8 * (64 + 30 / 3)) / images;
  expect(promised(long) / seconds).toBeGreaterThan(0.9);
  expect(promised(long) / seconds).toBeLessThan(1.1);
});

test("takes fewer rows than a batch, and targets with weights", async () => {
  await using step = await trainer();
  const { rows, targets } = rowsOf(3);
  const weights = Float32Array.of(1, 5, 2);
  const train = { rows, targets: { ...targets, weights } };
  expect(promised(await estimateTime({ step, train, batchSize: 16, epochs: 1, validation: 0 }))).toBeGreaterThan(0);
});
