import { join } from "node:path";
import { expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import { compareEvaluations } from "../../src/metrics/compare.ts";
import { loadModel } from "../../src/models/load-model.ts";
import { Model } from "../../src/models/model.ts";
import { evaluateModel, samplesToEvaluate } from "../../src/train/evaluate.ts";
import { fineTune } from "../../src/train/fine-tune.ts";
import { temporaryFolder } from "../data/made.ts";
import { TINY_INPUT, tinyGraph, writeColorImages, writeTinyModel } from "../models/tiny.ts";
import { asMultiLabel, asRegression } from "./color-tasks.ts";

test("measures on files what training measured on features, with classes matched by name", async () => {
  const root = await temporaryFolder();
  const base = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  const data = await imageFolder(await writeColorImages(join(root, "images"), 10));
  for (const loss of ["cross-entropy", "binary-cross-entropy"] as const) {
    const run = await fineTune(base, data, { cache: false, epochs: 3, loss });
    await using model = run.model;
    const { evaluation } = await evaluateModel(model, data, samplesToEvaluate(data, "validation").samples);
    expect(evaluation.confusion).toEqual(run.evaluation.confusion);
    expect(evaluation.metrics.loss).toBeCloseTo(run.metrics.loss, 4);
    const reversed = data.samples.map((sample) => ({ ...sample, target: [2 - sample.target[0]!] }));
    const again = await evaluateModel(model, { ...data, classes: data.classes.toReversed() }, reversed);
    const all = await evaluateModel(model, data, data.samples);
    expect(again.evaluation).toEqual(all.evaluation);
    await expect(evaluateModel(model, { ...data, classes: ["cat", "dog"] }, data.samples)).rejects.toMatchObject({
      code: "BAD_DATA",
      message: expect.stringContaining("cat, dog"),
    });
  }
});

test("measures several labels and numbers as training did, with names in any order", async () => {
  const root = await temporaryFolder();
  const base = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  const data = await imageFolder(await writeColorImages(join(root, "images"), 10));
  const labels = await fineTune(base, asMultiLabel(data), { cache: false, epochs: 10 });
  const validation = (set: typeof labelled | typeof numbers) => samplesToEvaluate(set, "validation").samples;
  const labelled = asMultiLabel(data);
  const numbers = asRegression(data);
  const found = await evaluateModel(labels.model, labelled, validation(labelled));
  expect(found.evaluation.perClass).toEqual(labels.evaluation.perClass);
  expect(found.evaluation.metrics.loss).toBeCloseTo(labels.metrics.loss, 5);
  const swapped = validation(labelled).map((sample) => ({
    ...sample,
    target: sample.target.map((index) => 1 - index),
  }));
  const other = await evaluateModel(labels.model, { ...labelled, classes: ["fresh", "cool"] }, swapped);
  expect(other.evaluation).toEqual(found.evaluation);

  const values = await fineTune(base, numbers, { cache: false });
  const again = await evaluateModel(values.model, numbers, validation(numbers));
  expect(again.evaluation.metrics.baseline).toEqual(values.metrics.baseline);
  for (const [i, { r2 }] of again.evaluation.perTarget.entries())
    expect(r2).toBeCloseTo(values.evaluation.perTarget[i]!.r2, 4);
  const blueAlone = validation(numbers).map((sample) => ({ ...sample, target: sample.target.slice(1) }));
  const one = await evaluateModel(values.model, { task: "regression", classes: ["blue"] }, blueAlone);
  expect(one.evaluation.perTarget).toEqual(again.evaluation.perTarget.slice(1));

  const refused = (message: RegExp) =>
    expect.objectContaining({ code: "BAD_DATA", message: expect.stringMatching(message) });
  await expect(evaluateModel(values.model, data, data.samples)).rejects.toThrow(
    refused(/gives values \(regression\), but the data are single-label/),
  );
  await expect(evaluateModel(labels.model, numbers, numbers.samples)).rejects.toThrow(
    refused(/any number of classes.*but the data are regression/),
  );
  await expect(evaluateModel(values.model, { ...numbers, classes: ["red", "hue"] }, numbers.samples)).rejects.toThrow(
    refused(/knows red, blue, but the data have hue\. Rename the columns/),
  );
});

test("decides several labels by the thresholds of the file, and measures with and without mirror images", async () => {
  const root = await temporaryFolder();
  const graph = tinyGraph({ classes: 2 });
  const model = (thresholds: string) =>
    new Model({
      name: "tiny.onnx",
      graph,
      metadata: new Map([
        ["task", "multi-label-image-classification"],
        ["thresholds", thresholds],
      ]),
      preprocessing: TINY_INPUT,
      preprocessingSource: "the test",
      labels: ["cool", "fresh"],
    });
  const data = asMultiLabel(await imageFolder(await writeColorImages(join(root, "images"), 4)));
  await using always = model("[1e-9, 1e-9]");
  await using never = model("[0.999999999, 0.999999999]");
  const [yes, no] = await Promise.all([always, never].map((m) => evaluateModel(m, data, data.samples)));
  expect(yes!.evaluation.perClass.map(({ recall }) => recall)).toEqual([1, 1]);
  expect(no!.evaluation.perClass.map(({ recall }) => recall)).toEqual([0, 0]);
  expect(yes!.plain).toBeUndefined();
  const flipped = await evaluateModel(always, data, data.samples, { testTimeAugmentation: "flip" });
  expect(flipped.plain!.evaluation.metrics.loss).toBeCloseTo(yes!.evaluation.metrics.loss, 5);
  expect(flipped.evaluation.metrics.loss).not.toBeCloseTo(yes!.evaluation.metrics.loss, 5);
  const { paired, differences } = compareEvaluations(flipped.plain!.evaluation, flipped.evaluation, {
    a: flipped.plain!.results,
    b: flipped.results,
  });
  expect(paired).toBe(true);
  expect(differences.find(({ measure }) => measure === "loss")!.difference).toBeCloseTo(
    flipped.evaluation.metrics.loss - yes!.evaluation.metrics.loss,
    5,
  );
});

test("chooses test, then validation folders, then everything", async () => {
  const root = await temporaryFolder();
  await writeColorImages(join(root, "flat"), 5);
  for (const split of ["train", "val"]) await writeColorImages(join(root, "two", split), 3, { seed: split.length });
  const flat = await imageFolder(join(root, "flat"));
  const two = await imageFolder(join(root, "two"));
  expect(samplesToEvaluate(flat)).toMatchObject({ split: "all", samples: { length: 15 } });
  const undrawn = await imageFolder(join(root, "flat"), { purpose: "evaluate" });
  expect(samplesToEvaluate(undrawn)).toMatchObject({ split: "all", samples: { length: 15 } });
  const held = await imageFolder(join(root, "two"), { purpose: "evaluate" });
  expect(samplesToEvaluate(held)).toMatchObject({ split: "validation", samples: { length: 9 } });
  expect(samplesToEvaluate(two)).toMatchObject({ split: "validation", samples: { length: 9 } });
  expect(samplesToEvaluate(two, "train").samples).toHaveLength(9);
  expect(() => samplesToEvaluate(two, "test")).toThrow(/none in the split "test"/);
});
