/** A test split decides nothing: whatever is in it, the same network comes out. */
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import type { Dataset } from "../../src/data/sample.ts";
import { loadModel } from "../../src/models/load-model.ts";
import type { Model } from "../../src/models/model.ts";
import { fineTune } from "../../src/train/fine-tune.ts";
import type { FineTuneOptions } from "../../src/train/options.ts";
import { temporaryFolder } from "../data/made.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";

/** Everything that training and validation have decided, and what was measured in the end. */
async function outcome(model: Model, data: Dataset, options: FineTuneOptions) {
  const out = join(await temporaryFolder(), "run");
  const run = await fineTune(model, data, { cache: false, ...options, out });
  await run.model.release();
  return {
    decided: {
      file: (await readFile(join(out, "model.onnx"))).toString("latin1"),
      history: run.history,
      lines: await readFile(join(out, "metrics.jsonl"), "utf8").catch(() => ""),
      phases: run.phases,
      temperature: run.temperature,
    },
    measured: run.evaluation,
    baseline: run.baseline,
    on: run.evaluatedOn,
  };
}

test.each(["probe", "head", "auto"] as const)("strategy %s", async (strategy) => {
  const root = await temporaryFolder();
  const model = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  const common = join(root, "none");
  await writeColorImages(join(common, "train"), 5);
  await writeColorImages(join(common, "val"), 2, { seed: 1 });
  const withTest = async (name: string, fill: (folder: string) => Promise<unknown>): Promise<Dataset> => {
    await cp(common, join(root, name), { recursive: true });
    await fill(join(root, name, "test"));
    return await imageFolder(join(root, name));
  };
  const none = await imageFolder(common);
  const usual = await withTest("usual", (folder) => writeColorImages(folder, 2, { seed: 2 }));
  // Red pictures that are called blue and green: no network that has seen them would be the same.
  const wrong = await withTest("wrong", async (folder) => {
    await writeColorImages(folder, 4, { seed: 3, classes: ["red"] });
    await cp(join(folder, "red"), join(folder, "blue"), { recursive: true });
  });
  const training = strategy === "probe" ? {} : { epochs: 3, learningRate: 0.02 };
  const options = { strategy, allowLeaks: true, ...training };
  const [a, b, c] = [
    await outcome(model, none, options),
    await outcome(model, usual, options),
    await outcome(model, wrong, options),
  ];
  expect(b.decided).toEqual(a.decided);
  expect(c.decided).toEqual(a.decided);
  expect([a.on, b.on, c.on]).toEqual(["validation", "test", "test"]);
  expect(c.measured).not.toEqual(b.measured);
  expect(c.baseline).not.toEqual(b.baseline);
  for (const { decided } of [a, b, c]) expect(decided.file.length).toBeGreaterThan(1000);
});
