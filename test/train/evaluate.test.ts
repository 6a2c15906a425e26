import { join } from "node:path";
import { expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import { loadModel } from "../../src/models/load-model.ts";
import { evaluateModel, samplesToEvaluate } from "../../src/train/evaluate.ts";
import { fineTune } from "../../src/train/fine-tune.ts";
import { temporaryFolder } from "../data/made.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";

test("measures on files what training measured on features, with classes matched by name", async () => {
  const root = await temporaryFolder();
  const base = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  const data = await imageFolder(await writeColorImages(join(root, "images"), 10));
  for (const loss of ["cross-entropy", "binary-cross-entropy"] as const) {
    const run = await fineTune(base, data, { cache: false, epochs: 3, loss });
    await using model = run.model;
    const { evaluation } = await evaluateModel(model, data.classes, samplesToEvaluate(data, "validation").samples);
    expect(evaluation.confusion).toEqual(run.evaluation.confusion);
    expect(evaluation.metrics.loss).toBeCloseTo(run.metrics.loss, 4);
    const reversed = data.samples.map((sample) => ({ ...sample, target: [2 - sample.target[0]!] }));
    const again = await evaluateModel(model, data.classes.toReversed(), reversed);
    const all = await evaluateModel(model, data.classes, data.samples);
    expect(again.evaluation).toEqual(all.evaluation);
    await expect(evaluateModel(model, ["cat", "dog"], data.samples)).rejects.toMatchObject({
      code: "BAD_DATA",
      message: expect.stringContaining("cat, dog"),
    });
  }
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
