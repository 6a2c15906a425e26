import { describe, expect, test } from "vitest";
import { memoryRows } from "../../src/features/rows.ts";
import { selectTargets } from "../../src/losses/targets.ts";
import { linearHead } from "../../src/models/head.ts";
import { adamw } from "../../src/optim/adam.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { rng } from "../../src/random.ts";
import type { LabelledRows } from "../../src/train/fit-options.ts";
import { findLearningRate, type LearningRateFinderOptions } from "../../src/train/learning-rate-finder.ts";
import type { LabelledFeatures } from "../../src/train/train-head.ts";
import type { TrainStep } from "../../src/train/train-step.ts";
import { CLASSES, clusters, headStep, WIDTH } from "./made.ts";

const rowsOf = ({ features, targets }: LabelledFeatures): LabelledRows => ({
  rows: memoryRows(features, WIDTH),
  targets,
});

async function find(step: TrainStep, changes: Partial<LearningRateFinderOptions> = {}) {
  return await findLearningRate({
    step,
    train: rowsOf(clusters(36, { spread: 1.5 })),
    batchSize: 8,
    rng: rng(1),
    ...changes,
  });
}

/** Mean loss over all samples after some steps at a rate. */
async function lossAfter(steps: number, learningRate: number, data: LabelledFeatures): Promise<number> {
  await using step = await headStep({ optimizer: sgd() });
  for (let i = 0; i < steps; i++) {
    const rows = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => (8 * i + 7 * k) % 36);
    const samples = Float32Array.from(
      rows.flatMap((row) => [...data.features.subarray(WIDTH * row, WIDTH * (row + 1))]),
    );
    await step.run(samples, selectTargets(data.targets, rows), learningRate);
  }
  return await step.run(data.features.slice(), data.targets, 1e-9);
}

test("finds a rate on 36 images, which trains better than one much smaller and one much larger", async () => {
  await using step = await headStep({ optimizer: sgd() });
  const found = await find(step);
  expect(found.kind).toBe("falls");
  const { suggested, steepest, tenthOfMinimum, curve } = found;
  expect(suggested).toBe(Math.min(steepest!, tenthOfMinimum!));
  expect(found.words).toMatch(
    /^\d+ steps of 8 images at rates from 1e-7 to \d.*, \d+ passes over 36 images\. The loss fell from 1\.\d+ to 0\.\d+, fastest at/,
  );
  expect(curve[0]).toMatchObject({ learningRate: 1e-7 });
  expect(curve[0]!.loss).toBeCloseTo(Math.log(3), 6); // of a guess
  const data = clusters(36, { spread: 1.5 });
  const good = await lossAfter(60, suggested!, data);
  expect(good).toBeLessThan(0.75);
  expect(await lossAfter(60, suggested! / 100, data)).toBeGreaterThan(good + 0.1);
  expect(await lossAfter(60, suggested! * 1000, data)).toBeGreaterThan(good + 0.1);
});

describe.each([
  ["sgd with momentum", sgd()],
  ["adamw", adamw()],
] as const)("with %s", (_name, optimizer) => {
  test("the trainer is as it was, slots and all, and goes on as if nothing had happened", async () => {
    await using searched = await headStep({ optimizer });
    await using untouched = await headStep({ optimizer });
    const { features, targets } = clusters(12);
    for (const step of [searched, untouched]) await step.run(features.slice(), targets, 0.1);
    const before = await searched.state();
    await find(searched, { maximum: 1e6 });
    expect(await searched.state()).toEqual(before);
    for (const step of [searched, untouched])
      for (let i = 0; i < 3; i++) await step.run(features.slice(), targets, 0.1);
    expect(await searched.state()).toEqual(await untouched.state());
    expect(searched.steps).toBe(4);
  });
});

test("is put back also where the search is broken off", async () => {
  await using step = await headStep();
  const before = await step.state();
  const controller = new AbortController();
  const search = find(step, { signal: controller.signal, onStep: (done) => done === 5 && controller.abort() });
  await expect(search).rejects.toMatchObject({ code: "ABORTED" });
  expect(await step.state()).toEqual(before);
  const broken = find(step, {
    onStep: () => {
      throw new Error("mine");
    },
  });
  await expect(broken).rejects.toThrow("mine");
  expect(await step.state()).toEqual(before);
});

test("every batch is full, every epoch shows all images once, and equal seeds give equal curves", async () => {
  const { features, targets } = clusters(10);
  const seen: number[] = [];
  const inner = memoryRows(features, WIDTH);
  const rows = {
    ...inner,
    batches: (order: Int32Array, size: number, epoch?: number) => {
      expect(order.length % size).toBe(0);
      seen.push(...order);
      return inner.batches(order, size, epoch);
    },
  };
  await using step = await headStep();
  const options = { train: { rows, targets }, batchSize: 4, steps: 20 };
  const { curve } = await find(step, options);
  expect(curve).toHaveLength(20);
  for (let epoch = 0; epoch < 8; epoch++)
    expect(seen.slice(10 * epoch, 10 * epoch + 10).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(seen.slice(0, 10)).not.toEqual(seen.slice(10, 20));
  expect((await find(step, options)).curve).toEqual(curve);
  expect((await find(step, { ...options, rng: rng(2) })).curve).not.toEqual(curve);
});

test("a batch that is larger than the data is all of them", async () => {
  await using step = await headStep();
  const found = await find(step, { train: rowsOf(clusters(6)), batchSize: 32, steps: 30 });
  expect(found.words).toContain("30 steps of 6 images");
  expect(found.words).toContain("30 passes over 6 images");
});

test("a search over rates that change nothing is flat, and one that ends too early says so", async () => {
  await using step = await headStep({ optimizer: sgd() });
  const flat = await find(step, { train: rowsOf(clusters(6)), batchSize: 6, maximum: 1e-6 });
  expect(flat).toMatchObject({ kind: "flat", suggested: undefined, steepest: undefined });
  expect(flat.words).toMatch(/stayed within 1 % of 1\.1.*Give a learning rate above 0\.000001/);
  const short = await find(step, { train: rowsOf(clusters(6)), batchSize: 6, maximum: 0.05 });
  expect(short).toMatchObject({ kind: "still-falls", tenthOfMinimum: undefined });
  expect(short.words).toMatch(/did not rise again.*no rate above 0\.05 was tried/);
});

test("labels that have nothing to do with the images give no rate", async () => {
  const { features } = clusters(60, { spread: 3 });
  const random = rng("labels");
  const labels = Float32Array.from({ length: 60 }, () => Math.floor(3 * random.next()));
  const targets = { task: "single-label", values: labels, width: 1 } as const;
  await using step = await headStep({ optimizer: sgd() });
  const found = await find(step, { train: { rows: memoryRows(features, WIDTH), targets }, batchSize: 4 });
  expect(found.suggested).toBeUndefined();
  expect(found.words).toMatch(/noise/);
});

test("weights that are trained already, and rates that start too high, give no rate", async () => {
  await using step = await headStep({ optimizer: sgd() });
  const found = await find(step, { minimum: 30, maximum: 1e6 });
  expect(found).toMatchObject({ kind: "rises", suggested: undefined });
  expect(found.words).toMatch(/exploded at .*no rate is suggested\. Give a learning rate/);
  expect(await find(step, { minimum: 1e9, maximum: 1e30 })).toMatchObject({ kind: "rises" });
});

test("weights that are no numbers are an error, and stay what they were", async () => {
  const parameters = linearHead({ width: WIDTH, numClasses: CLASSES.length });
  parameters.get("head.bias")!.data[1] = Number.NaN;
  await using step = await headStep({ parameters });
  await expect(find(step)).rejects.toMatchObject({ code: "DIVERGED", message: /requires a loss to begin with/ });
  expect((await step.parameters()).get("head.bias")!.data).toEqual(parameters.get("head.bias")!.data);
});

test.each([
  [{ minimum: 0 }, "minimum requires a number above 0, got 0."],
  [{ maximum: 1e-8 }, "maximum requires a number above minimum, 1e-7, got 1e-8."],
  [{ maximum: Number.POSITIVE_INFINITY }, "maximum requires"],
  [{ steps: 19 }, "steps requires a whole number from 20, got 19."],
  [{ batchSize: 0 }, "batchSize requires a whole number from 1, got 0."],
  [{ train: rowsOf(clusters(0)) }, "train requires at least one row, got none."],
])("refuses %o", async (changes, message) => {
  await using step = await headStep();
  await expect(find(step, changes)).rejects.toThrow(message);
});
