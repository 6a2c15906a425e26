import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import { inMemoryDataset } from "../../src/data/in-memory.ts";
import { bySplit } from "../../src/data/sample.ts";
import { loadModel } from "../../src/models/load-model.ts";
import type { Model } from "../../src/models/model.ts";
import { evaluateModel } from "../../src/train/evaluate.ts";
import { fineTune } from "../../src/train/fine-tune.ts";
import type { FineTuneOptions, Progress } from "../../src/train/options.ts";
import { assets, withAssets } from "../assets.ts";
import { temporaryFolder } from "../data/made.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";
import { asMultiLabel, asRegression } from "./color-tasks.ts";

let model: Model;
let data: Awaited<ReturnType<typeof imageFolder>>;
let root: string;
const run = (options: FineTuneOptions = {}) => fineTune(model, data, { cache: false, epochs: 15, ...options });

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "rootstock-fine-tune-"));
  model = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  data = await imageFolder(await writeColorImages(join(root, "images"), 20));
});

test("colors are told apart, and everything is reported", async () => {
  const events: Progress[] = [];
  const result = await run({ patience: 15, onProgress: (event) => events.push(event) });
  expect(result.metrics.accuracy).toBeGreaterThan(0.9);
  expect(result).toMatchObject({
    classes: ["blue", "green", "red"],
    evaluatedOn: "validation",
    featuresFromCache: 0,
    folder: undefined,
    failed: [],
  });
  expect(result.history).toHaveLength(15);
  expect(events.filter(({ kind }) => kind === "epoch")).toHaveLength(15);
  expect(events.find(({ kind }) => kind === "plan")).toMatchObject({ text: expect.stringContaining("16x16 RGB") });
  expect(await result.model.predict(join(root, "images", "red", "3.png"))).toMatchObject([{ label: "red" }, {}, {}]);
  await result.model.release();
});

test("the run's folder holds what is needed to repeat and to read it", async () => {
  const out = join(await temporaryFolder(), "run");
  const result = await run({ out, seed: 3, patience: 15 });
  expect((await readdir(out)).sort()).toEqual([
    "check.json",
    "config.json",
    "data.json",
    "environment.json",
    "metrics.jsonl",
    "model.onnx",
    "result.json",
  ]);
  const read = async (name: string) => JSON.parse(await readFile(join(out, name), "utf8"));
  expect(await read("config.json")).toMatchObject({
    model: { name: "tiny.onnx", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    cut: "embedding",
    recipe: { seed: 3, epochs: 15, optimizer: "adamw" },
  });
  expect((await read("data.json")).samples).toHaveLength(60);
  expect((await read("data.json")).samples[0]).toEqual({
    path: "blue/0.png",
    target: [0],
    split: expect.any(String),
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect((await read("result.json")).metrics).toEqual(result.metrics);
  expect((await readFile(join(out, "metrics.jsonl"), "utf8")).trim().split("\n")).toHaveLength(15);
});

test("the exported file predicts what the model in memory predicts", async () => {
  const out = await temporaryFolder();
  const result = await run();
  await result.export(join(out, "model.onnx"));
  await using exported = await loadModel(join(out, "model.onnx"));
  expect(exported.labels).toEqual(["blue", "green", "red"]);
  expect(Object.fromEntries(exported.metadata)).toMatchObject({
    task: "image-classification",
    license: "CC0-1.0",
    base_model: "tiny.onnx",
    activation: "softmax",
    run_id: result.id,
  });
  const file = join(root, "images", "green", "5.png");
  expect(await exported.predict(file)).toEqual(await result.model.predict(file));
});

test("one seed gives the same metrics and byte-identical weights, another seed differs", async () => {
  const weights = async (seed: number) => {
    const { model: trained, metrics } = await run({ seed, keepHead: false });
    return {
      metrics,
      bytes: [...trained.graph.initializers.values()].map((t) =>
        Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength).toString("hex"),
      ),
    };
  };
  const [a, b, c] = [await weights(1), await weights(1), await weights(2)];
  expect(b).toEqual(a);
  expect(c.bytes).not.toEqual(a.bytes);
});

test("a model that ends with its features, a fixed batch and sigmoid outputs train too", async () => {
  for (const options of [{ classes: 0 }, { batch: 4 }, { batch: 1, classes: 0 }]) {
    const other = await loadModel(await writeTinyModel(join(await temporaryFolder(), "other.onnx"), options));
    const result = await fineTune(other, data, { cache: false, epochs: 15, loss: "binary-cross-entropy" });
    expect(result.metrics.accuracy).toBeGreaterThan(0.9);
    await result.export(join(await temporaryFolder(), "model.onnx"));
  }
});

test("a test split decides the reported numbers, validation the best epoch", async () => {
  const split = await temporaryFolder();
  await writeColorImages(join(split, "train"), 10);
  await writeColorImages(join(split, "val"), 4, { seed: 1 });
  await writeColorImages(join(split, "test"), 6, { seed: 2 });
  const result = await fineTune(model, await imageFolder(split), { cache: false, epochs: 5 });
  expect(result.evaluatedOn).toBe("test");
  expect(result.evaluation.perClass.map(({ support }) => support)).toEqual([6, 6, 6]);
});

test("a class whose images are all damaged is refused by name", async () => {
  const samples = data.samples.map((sample) =>
    sample.target[0] === 2
      ? { ...sample, file: join(root, "tiny.onnx"), sha256: sample.sha256.replace(/^./, "x") }
      : sample,
  );
  await expect(fineTune(model, { ...data, samples }, { cache: false })).rejects.toMatchObject({
    code: "BAD_DATA",
    message: expect.stringContaining("none of red"),
  });
});

test("a failed run leaves no lock and no result behind", async () => {
  const out = join(await temporaryFolder(), "run");
  const diverging = run({ out, learningRate: 1e30, optimizer: "sgd", keepHead: false });
  await expect(diverging).rejects.toMatchObject({ code: "DIVERGED" });
  expect(await readdir(out)).not.toContain("run.lock");
  expect(await readdir(out)).not.toContain("result.json");
  const again = await run({ out });
  expect(again.folder).toBe(out);
});

describe("a learning rate that is far too large", () => {
  const warned = async (options: FineTuneOptions) => {
    const warnings: string[] = [];
    const onProgress = (event: Progress) => event.kind === "warning" && warnings.push(event.text);
    return { result: await run({ check: false, epochs: 3, onProgress, ...options }), warnings };
  };

  test("leaves the probe, from which a head starts", async () => {
    const { result, warnings } = await warned({ learningRate: 1e6 });
    expect(result.bestEpoch).toBe(0);
    expect(result.metrics.loss).toBe(result.baseline.metrics.loss);
    expect(warnings).toEqual([]);
  });

  test("of numbers that leave their range ends the phase with a warning", async () => {
    const { result, warnings } = await warned({ learningRate: 1e30, optimizer: "sgd" });
    expect(result.phases).toMatchObject([{ bestEpoch: 0, stopped: expect.stringMatching(/became .* step \d+/) }]);
    expect(warnings).toEqual([
      expect.stringMatching(/^phase head has ended early: .*; what it started with is kept\./),
    ]);
  });

  test("without the probe as the start is a warning, where the result is far from it", async () => {
    const { result, warnings } = await warned({ learningRate: 1e6, keepHead: false });
    expect(result.bestEpoch).toBeGreaterThan(0);
    expect(warnings).toEqual([
      expect.stringMatching(/^the validation loss of phase head is .*, and that of the probe 0/),
    ]);
    expect((await warned({ keepHead: false, epochs: 60, learningRate: 0.1 })).warnings).toEqual([]);
  });
});

test("options and callbacks that nobody reads are refused before anything is computed", async () => {
  const out = join(await temporaryFolder(), "run");
  const events: Progress[] = [];
  const onProgress = (event: Progress) => events.push(event);
  const refused = async (options: object, message: string) => {
    await expect(run({ out, onProgress, ...options })).rejects.toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringContaining(message),
    });
  };
  await refused({ learning_rate: 0.1 }, 'fineTune has no option "learning_rate". Did you mean learningRate');
  await refused({ callbacks: [null] }, "callbacks[0] requires an object");
  await refused({ monitor: { measure: "rocAuc", mode: "max" } }, "loss, accuracy, balancedAccuracy, macroF1");
  await refused({ out: 5 }, "out requires the name of a folder, got 5.");
  expect(events).toEqual([]);
  await expect(readdir(out)).rejects.toThrow("ENOENT");
});

test("a callback that fails in the last epoch leaves a state that goes on, and says so", async () => {
  const out = join(await temporaryFolder(), "run");
  let fails = true;
  const onEpochEnd = ({ epoch }: { readonly epoch: number }): void => {
    if (epoch === 3 && fails) throw new Error("mine");
  };
  const options = { out, epochs: 3, callbacks: [{ name: "failing", onEpochEnd }] };
  await expect(run(options)).rejects.toMatchObject({
    message: `the callback "failing" failed in onEpochEnd: mine. Its state is kept: go on with the same call, out: ${JSON.stringify(out)} and resume: true`,
    cause: new Error("mine"),
  });
  fails = false;
  const [resumed, whole] = [await run({ ...options, resume: true }), await run({ epochs: 3 })];
  expect([resumed.history, resumed.metrics]).toEqual([whole.history, whole.metrics]);
});

test("images with several labels are trained, exported and predicted", async () => {
  const out = join(await temporaryFolder(), "run");
  const { evaluation, ...result } = await fineTune(model, asMultiLabel(data), {
    cache: false,
    epochs: 60,
    learningRate: 0.05,
    out,
  });
  expect(result.recipe.loss).toBe("binary-cross-entropy");
  expect(evaluation.task).toBe("multi-label");
  expect(evaluation.metrics.exactMatch).toBeGreaterThan(0.9);
  expect(evaluation.metrics.meanAveragePrecision).toBeGreaterThan(0.95);
  await using exported = await loadModel(join(out, "model.onnx"));
  expect(Object.fromEntries(exported.metadata)).toMatchObject({
    task: "multi-label-image-classification",
    labels: '["cool","fresh"]',
    activation: "sigmoid",
  });
  const labels = async (color: string) =>
    (await exported.predict(join(root, "images", color, "3.png"))).map(({ label }) => label).sort();
  expect([await labels("blue"), await labels("green"), await labels("red")]).toEqual([["cool"], ["cool", "fresh"], []]);
});

test("numbers are trained, exported and predicted in their own units", async () => {
  const out = join(await temporaryFolder(), "run");
  const numbers = asRegression(data);
  const { evaluation, ...result } = await fineTune(model, numbers, { cache: false, out });
  expect(result).toMatchObject({ recipe: { loss: "mean-squared-error" }, temperature: undefined });
  for (const { r2, mae, baseline } of evaluation.perTarget) {
    expect(r2).toBeGreaterThan(0.9);
    expect(mae).toBeLessThan(baseline!.mae / 2);
  }
  expect(Object.keys(result.history[0]!.validation)).toEqual(["loss", "mae", "rmse", "r2"]);
  await using exported = await loadModel(join(out, "model.onnx"));
  expect(Object.fromEntries(exported.metadata)).toMatchObject({ task: "image-regression", activation: "identity" });
  const { red, blue } = await exported.predictValues(join(root, "images", "blue", "3.png"));
  expect(Math.abs(red! - 0.4)).toBeLessThan(0.5);
  expect(Math.abs(blue! - 20_000)).toBeLessThan(4000);
  const written = JSON.parse(await readFile(join(out, "result.json"), "utf8"));
  expect(written).toMatchObject({ task: "regression", metrics: evaluation.metrics, classes: ["red", "blue"] });
});

test("other tasks train with more of the network too", async () => {
  const unfrozen = { cache: false, unfreeze: "last", epochs: 2, learningRate: 0.01 };
  const numbers = await fineTune(model, asRegression(data), unfrozen);
  expect(numbers.temperature).toBeUndefined();
  expect(numbers.metrics.r2).toBeGreaterThan(0.9);
  const labels = await fineTune(model, asMultiLabel(data), unfrozen);
  expect(labels.temperature).toBeGreaterThan(0);
  await labels.export(join(await temporaryFolder(), "model.onnx"));
  await numbers.export(join(await temporaryFolder(), "model.onnx"));
});

test("a loss for another task is refused with those that fit", async () => {
  await expect(fineTune(model, asRegression(data), { loss: "cross-entropy" })).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringMatching(/mean-squared-error or mean-absolute-error or huber, got "cross-entropy"/),
  });
  await expect(run({ loss: "mean-squared-error" })).rejects.toMatchObject({
    message: expect.stringMatching(/single-label data, which is cross-entropy or binary-cross-entropy or focal/),
  });
});

test("the weights of samples count in training, not in what is measured", async () => {
  // Half of the red pictures are called green: with equal weights both names are as likely.
  const confused = data.samples.map((sample, i) =>
    sample.target[0] === 2 && i % 2 === 0 && sample.split === "train"
      ? { ...sample, target: [1], weight: 0.01 }
      : sample,
  );
  const recallOf = async (samples: typeof data.samples) => {
    const { evaluation } = await fineTune(model, { ...data, samples }, { cache: false, epochs: 15 });
    expect(evaluation.perClass.reduce((sum, { support }) => sum + support, 0)).toBe(12);
    return evaluation.perClass[2]!.recall;
  };
  expect(await recallOf(confused)).toBeGreaterThan(
    await recallOf(confused.map((s) => ({ ...s, weight: s.weight ? 20 : 1 }))),
  );
});

withAssets("on real weights and photographs", () => {
  // Accuracy of a logistic probe on the same features, less one percentage point (see the assets' README).
  const FLOORS = [
    ["squeezenet1_1/squeezenet1_1.onnx", "hymenoptera", 0.898],
    ["squeezenet1_1/squeezenet1_1.onnx", "flowers", 0.81],
    ["squeezenet1_1/squeezenet1_1.onnx", "cats-vs-dogs", 0.948],
    ["mobilenetv2_1.0_224/mobilenetv2_1.0_224.onnx", "hymenoptera", 0.951],
    ["mobilenetv2_1.0_224/mobilenetv2_1.0_224.onnx", "flowers", 0.857],
    ["mobilenetv2_1.0_224/mobilenetv2_1.0_224.onnx", "cats-vs-dogs", 0.973],
  ] as const;
  test.each(FLOORS)("%s on %s reaches %d", async (file, set, floor) => {
    const base = await loadModel(join(assets!, "models", file));
    const photos = await imageFolder(join(assets!, "datasets", set));
    const result = await fineTune(base, photos, { cache: false, check: false, views: 0 }); // one flower is in both splits
    expect(result.metrics.accuracy).toBeGreaterThanOrEqual(floor);
    await result.export(join(await temporaryFolder(), "model.onnx"));
  });

  // Other cuts, other sizes, batch normalization folded and separate, float16 initializers.
  test.each([
    ["resnet50v2_c4/resnet50v2_c4_fp16.onnx", 0.8],
    ["mobilenetv2_1.0_bn/mobilenetv2_1.0_bn_backbone.onnx", 0.85],
    ["mobilenetv2_0.35_224/mobilenetv2_0.35_bn_backbone.onnx", 0.8],
    ["resnet20_cifar10/resnet20_cifar10.onnx", 0.55],
  ])("%s trains on hymenoptera and passes the parity gate", { timeout: 120_000 }, async (file, floor) => {
    const base = await loadModel(join(assets!, "models", file));
    const photos = await imageFolder(join(assets!, "datasets", "hymenoptera"));
    const result = await fineTune(base, photos, { cache: false, views: 0 });
    expect(result.metrics.accuracy).toBeGreaterThan(floor);
    await result.export(join(await temporaryFolder(), "model.onnx"));
  });
});

test("images in memory are trained on, checked against the export and measured", async () => {
  const items = await Promise.all(
    data.samples.map(async ({ file, target, split }) => ({
      image: await readFile(file),
      label: data.classes[target[0]!]!,
      split,
    })),
  );
  const held = await inMemoryDataset(items);
  const result = await fineTune(model, held, { cache: false, epochs: 15 });
  expect(result.evaluation).toMatchObject({ task: "single-label", metrics: { accuracy: 1 } });
  const path = join(await temporaryFolder(), "model.onnx");
  await result.export(path);
  await using exported = await loadModel(path);
  const { evaluation } = await evaluateModel(exported, held, bySplit(held, "validation"));
  expect(evaluation).toMatchObject({ metrics: { accuracy: 1 } });
});

describe("the cache", () => {
  test("gives the same run as without it", async () => {
    const cacheFolder = await temporaryFolder();
    const cold = await run({ cache: true, cacheFolder });
    const warm = await run({ cache: true, cacheFolder });
    expect([cold.featuresFromCache, warm.featuresFromCache]).toEqual([0, 60]);
    expect(warm.metrics).toEqual(cold.metrics);
    expect((await run()).metrics).toEqual(cold.metrics);
  });
});
