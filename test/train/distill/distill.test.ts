import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { imageFolder } from "../../../src/data/image-folder.ts";
import type { Dataset } from "../../../src/data/sample.ts";
import { unlabelledImages } from "../../../src/data/unlabelled-images.ts";
import { loadModel } from "../../../src/models/load-model.ts";
import type { Model } from "../../../src/models/model.ts";
import type { Callback } from "../../../src/train/callback.ts";
import { type Distilled, distill } from "../../../src/train/distill/distill.ts";
import type { DistillOptions } from "../../../src/train/distill/options.ts";
import { graphHash } from "../../../src/train/run-identity.ts";
import { temporaryFolder } from "../../data/made.ts";
import { writeColorImages, writeTinyModel } from "../../models/tiny.ts";

let teacher: Model;
let student: Model;
let folder: string;
let images: Dataset;

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "rootstock-distill-"));
  teacher = await loadModel(await writeTinyModel(join(root, "teacher.onnx")));
  student = await loadModel(await writeTinyModel(join(root, "student.onnx"), { norm: true }));
  folder = await writeColorImages(join(root, "images"), 7);
  images = await unlabelledImages([folder], { validation: 0.2, seed: 1 });
});

const COMMON: DistillOptions = { cache: false, views: 2, epochs: 6, batchSize: 8, seed: 5, learningRate: 0.02 };

/** All that may not differ between two runs. */
function outcome({ history, metrics, bestEpoch, model }: Distilled) {
  return { history, metrics, bestEpoch, weights: graphHash(model.graph) };
}

describe("a student", () => {
  test.each(["features", "logits"] as const)("comes nearer to its teacher's %s", async (match) => {
    const run = await distill(teacher, student, images, { ...COMMON, match, epochs: 12, averageDecay: 0 });
    const losses = run.history.map(({ validation }) => validation["loss"]!);
    expect(losses).toHaveLength(12);
    expect(run.metrics["loss"]).toBe(Math.min(...losses));
    expect(run.metrics["loss"]!).toBeLessThan(0.8 * losses[0]!);
  });

  test("is a model of features that fine-tuning can start from", async () => {
    const run = await distill(teacher, student, images, COMMON);
    const path = join(await temporaryFolder(), "student.onnx");
    await run.export(path);
    await using loaded = await loadModel(path);
    expect(loaded.task).toBe("features");
    expect(loaded.preprocessing).toEqual(student.preprocessing);
    expect(loaded.metadata.get("pretraining")).toContain(teacher.name);
  });

  test("is measured by a probe as it learns", async () => {
    const probe = await imageFolder(folder, { validation: 0.3 });
    const run = await distill(teacher, student, images, { ...COMMON, probe, probeEvery: 4 });
    const probed = run.history.filter(({ validation }) => validation["probe accuracy"] !== undefined);
    expect(probed.map(({ epoch }) => epoch)).toEqual([4, 6]);
    for (const { validation } of probed) expect(validation["probe accuracy"]).toBeGreaterThan(0.5); // three colors
  });

  test("depends on the seed and on nothing else", async () => {
    const once = outcome(await distill(teacher, student, images, COMMON));
    expect(outcome(await distill(teacher, student, images, COMMON))).toEqual(once);
    const other = outcome(await distill(teacher, student, images, { ...COMMON, seed: 6 }));
    expect(other.weights).not.toBe(once.weights);
  });
});

describe("a distillation that was interrupted", () => {
  test.each([{ step: 1 }, { step: 7 }, { epoch: 3 }])("at %o goes on to the same bits", async ({ step, epoch }) => {
    const whole = outcome(await distill(teacher, student, images, COMMON));
    const out = join(await temporaryFolder(), "run");
    const controller = new AbortController();
    const stopper: Callback = {
      name: "stopper",
      onStep: (report) => (report.step === step ? controller.abort() : undefined),
      onEpochEnd: (report) => (report.epoch === epoch ? controller.abort() : undefined),
    };
    const first = { ...COMMON, out, callbacks: [stopper], signal: controller.signal };
    await expect(distill(teacher, student, images, first)).rejects.toMatchObject({ code: "ABORTED" });
    expect(await readdir(out)).toContain("checkpoints");
    const run = await distill(teacher, student, images, { ...COMMON, out, resume: true });
    expect(outcome(run)).toEqual(whole);
    await using written = await loadModel(join(out, "model.onnx"));
    expect(graphHash(written.graph)).toBe(whole.weights);
    const lines = (await readFile(join(out, "metrics.jsonl"), "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(whole.history);
    expect(await readdir(out)).not.toContain("checkpoints");
  });

  test("does not go on with another teacher, other images or settings", async () => {
    const out = join(await temporaryFolder(), "run");
    const controller = new AbortController();
    const stopper: Callback = { name: "stopper", onStep: () => controller.abort() };
    const options = { ...COMMON, out };
    await expect(
      distill(teacher, student, images, { ...options, callbacks: [stopper], signal: controller.signal }),
    ).rejects.toMatchObject({ code: "ABORTED" });
    const resumed = { ...options, resume: true };
    await expect(distill(student, student, images, resumed)).rejects.toThrow(
      /settings of the interrupted run.*teacher/,
    );
    await expect(distill(teacher, student, images, { ...resumed, views: 3 })).rejects.toThrow(
      "recipe.views was 2 and is 3",
    );
    const fewer = { ...images, samples: images.samples.slice(1) };
    await expect(distill(teacher, student, fewer, resumed)).rejects.toMatchObject({ code: "BAD_DATA" });
  });
});

test("what cannot be is told before anything is computed", async () => {
  const none = { ...images, samples: images.samples.filter(({ split }) => split === "train") };
  await expect(distill(teacher, student, none, COMMON)).rejects.toThrow("some to measure on");
  await expect(distill(teacher, student, images, { ...COMMON, views: 0 })).rejects.toThrow(
    "views requires a whole number from 1",
  );
  await expect(distill(teacher, student, images, { ...COMMON, match: "logits", temperature: 0 })).rejects.toThrow(
    "temperature",
  );
});
