import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import type { Dataset } from "../../src/data/sample.ts";
import { loadModel } from "../../src/models/load-model.ts";
import type { Model } from "../../src/models/model.ts";
import { farFromProbe } from "../../src/train/far-from-probe.ts";
import type { PhaseOutcome } from "../../src/train/run-checkpoints.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";
import { asRegression } from "./color-tasks.ts";
import { plant } from "./seedling.ts";

let model: Model;
let data: Dataset;

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "rootstock-far-"));
  model = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  data = await imageFolder(await writeColorImages(join(root, "images"), 4));
});

/** A phase whose second epoch, the best, has this validation loss. */
function ended(loss: number): PhaseOutcome {
  const report = { phase: "last", epoch: 2, epochs: 2, steps: 2, learningRate: 1, trainLoss: 1, best: true };
  const history = [{ ...report, validation: { loss } }];
  const parameters = new Map();
  return { phase: "last", history, bestEpoch: 2, parameters, averaged: 1, stopped: undefined, callbacks: {} };
}

/** The seedling's head is of zeros, which guesses: its loss is the logarithm of 3 classes, or of numbers near 1. */
const of = async (loss: number, { keepHead = false, given = data } = {}): Promise<string | undefined> => {
  const { plan, seedling } = await plant(model, given, { views: 0 });
  return await farFromProbe(seedling, [ended(loss)], { ...plan.recipe, keepHead });
};

test("a loss of more than ten times the probe's is told, and one that is no number", async () => {
  expect(await of(9.9 * Math.log(3))).toBeUndefined();
  expect(await of(10.1 * Math.log(3))).toBe(
    "the validation loss of phase last is 11.1 in its best epoch, and that of the probe 1.1: what was trained is far worse, and keepHead is off, so the probe is not what is kept. Use a smaller learning rate, or turn keepHead on.",
  );
  for (const loss of [Number.NaN, Number.POSITIVE_INFINITY]) expect(await of(loss)).toContain(`is ${loss} in its best`);
});

test("a regression is compared on its scale, and with the probe as the start there is nothing to tell", async () => {
  const given = asRegression(data);
  expect(await of(5, { given })).toBeUndefined();
  expect(await of(50, { given })).toContain("far worse");
  expect(await of(50, { keepHead: true })).toBeUndefined();
  const { plan, seedling } = await plant(model, data, { views: 0 });
  expect(await farFromProbe(seedling, [], { ...plan.recipe, keepHead: false })).toBeUndefined();
});
