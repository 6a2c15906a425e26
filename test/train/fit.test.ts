import { expect, test } from "vitest";
import { memoryRows } from "../../src/features/rows.ts";
import { classTargets } from "../../src/losses/targets.ts";
import { HEAD } from "../../src/models/head.ts";
import { constant } from "../../src/optim/schedule.ts";
import { rng } from "../../src/random.ts";
import { type FitOptions, type LabelledRows, fit as train } from "../../src/train/fit.ts";
import type { LabelledFeatures } from "../../src/train/train-head.ts";
import { clusters, headStep, WIDTH } from "./made.ts";

const rowsOf = ({ features, targets }: LabelledFeatures): LabelledRows => ({
  rows: memoryRows(features, WIDTH),
  targets,
});

async function run(changes: Partial<FitOptions> = {}) {
  const step = await headStep();
  const result = await train({
    step,
    train: rowsOf(clusters(30)),
    validate: async () => ({ loss: 1 / step.steps }),
    epochs: 4,
    batchSize: 8,
    schedule: constant(0.05),
    monitor: { measure: "loss", mode: "min" },
    rng: rng(1),
    ...changes,
  });
  const held = await step.parameters();
  await step[Symbol.asyncDispose]();
  expect(held).toEqual(result.parameters);
  return { ...result, weights: result.parameters.get(HEAD.weight)!.data };
}

test("visits every sample once per epoch and the loss falls", async () => {
  const { history } = await run();
  expect(history.map(({ steps }) => steps)).toEqual([4, 8, 12, 16]); // 30 samples are 3 batches of 8 and one of 6
  expect(history.at(-1)!.trainLoss).toBeLessThan(history[0]!.trainLoss / 2);
});

test("the training loss of an epoch is the mean by the weights", async () => {
  const { features, targets } = clusters(6);
  const weights = Float32Array.of(5, 1, 1, 1, 1, 1);
  const rows = { rows: memoryRows(features, WIDTH), targets: { ...targets, weights } };
  const options = { epochs: 1, batchSize: 4, schedule: constant(1e-9) }; // nothing moves: every batch has the loss of a guess
  const { history } = await run({ ...options, train: rows });
  expect(history[0]!.trainLoss).toBeCloseTo(Math.log(3), 6);
  const biased = { ...rows, targets: { ...rows.targets, weights: Float32Array.of(100, 1, 1, 1, 1, 1) } };
  const heavy = await run({ epochs: 40, train: biased });
  const light = await run({ epochs: 40, train: rowsOf({ features, targets }) });
  // What weighs more moves the bias of its class up.
  const bias = ({ parameters }: typeof heavy) => parameters.get(HEAD.bias)!.data[0]!;
  expect(bias(heavy)).toBeGreaterThan(bias(light));
});

test("keeps the parameters of the best epoch, whether or not it is the last", async () => {
  const losses = [3, 1, 2, 2];
  let epoch = 0;
  const best = await run({ validate: async () => ({ loss: losses[epoch++]! }) });
  expect(best.bestEpoch).toBe(2);
  expect(best.history.map((report) => report.best)).toEqual([true, true, false, false]);
  expect(best.weights).toEqual((await run({ epochs: 2 })).weights);
});

test("the parameters at the start are kept where no epoch is better, if asked for", async () => {
  const losses = [1, 3, 2];
  let look = 0;
  const kept = await run({ keepStart: true, epochs: 2, validate: async () => ({ loss: losses[look++]! }) });
  expect(kept.bestEpoch).toBe(0);
  expect(kept.weights.every((value) => value === 0)).toBe(true); // a fresh head is zero
  expect(kept.history.map(({ epoch, best }) => [epoch, best])).toEqual([
    [1, false],
    [2, false],
  ]);
});

test("mode max keeps the largest value, and a tie keeps the earlier epoch", async () => {
  let epoch = 0;
  const { bestEpoch } = await run({
    monitor: { measure: "accuracy", mode: "max" },
    validate: async () => ({ accuracy: [0.1, 0.9, 0.9, 0.2][epoch++]! }),
  });
  expect(bestEpoch).toBe(2);
});

test("one seed gives the same bits, another seed gives others", async () => {
  const [a, b, c] = [await run(), await run(), await run({ rng: rng(2) })];
  expect(b.weights).toEqual(a.weights);
  expect(c.weights).not.toEqual(a.weights);
});

test("a callback can stop the run, and callbacks see every epoch in order", async () => {
  const seen: number[] = [];
  const { history, stopped } = await run({
    callbacks: [
      { name: "see", onEpochEnd: ({ epoch }) => void seen.push(epoch) },
      { name: "stop", onEpochEnd: ({ epoch }, control) => (epoch === 2 ? control.stop("enough") : undefined) },
    ],
  });
  expect([seen, history.length, stopped]).toEqual([[1, 2], 2, "enough"]);
});

test("a loss that is no number ends the run with the step and the advice", async () => {
  const broken = { features: new Float32Array(8 * 4).fill(Number.NaN), targets: classTargets(new Int32Array(8)) };
  await expect(run({ train: rowsOf(broken) })).rejects.toMatchObject({
    code: "DIVERGED",
    message: expect.stringContaining("smaller learning rate"),
  });
});

test("an abort ends the run between two steps", async () => {
  await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});
