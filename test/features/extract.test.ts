import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import { ImageLoader } from "../../src/data/loader.ts";
import type { Dataset } from "../../src/data/sample.ts";
import { type ExtractOptions, extractFeatures } from "../../src/features/extract.ts";
import { backboneGraph, findCut } from "../../src/models/backbone.ts";
import { loadModel } from "../../src/models/load-model.ts";
import type { Model } from "../../src/models/model.ts";
import { Session } from "../../src/runtime/session.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import type { Augmentation } from "../../src/transforms/transform.ts";
import { temporaryFolder } from "../data/made.ts";
import { TINY_SIZE, TINY_WIDTH, tinyGraph, writeColorImages, writeTinyModel } from "../models/tiny.ts";

let model: Model;
let data: Dataset;
const backbone = () => backboneGraph(model.graph, findCut(model.graph));
const options = (cacheFolder: string, changes: Partial<ExtractOptions> = {}): ExtractOptions => ({
  name: "tiny",
  preprocessing: model.requirePreprocessing(),
  cacheFolder,
  clock: () => Date.now(),
  ...changes,
});

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "rootstock-extract-"));
  model = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  await writeColorImages(join(root, "images"), 12);
  await writeFile(
    join(root, "images", "red", "broken.png"),
    Buffer.concat([Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"), Buffer.alloc(40)]),
  );
  data = await imageFolder(join(root, "images"));
});

test("a row is what the whole network computes before its classifier", async () => {
  const { features, samples } = await extractFeatures(backbone(), data.samples, options("", { cache: false }));
  const loader = new ImageLoader({ threads: 0 });
  await using session = await Session.create(
    backboneGraph(tinyGraph({ classes: 0 }), findCut(tinyGraph({ classes: 0 }))),
  );
  for await (const image of loader.load([samples[7]!.file], model.requirePreprocessing())) {
    if ("error" in image) throw new Error(image.error);
    const out = await session.run({ input: tensor("float32", [1, 3, TINY_SIZE, TINY_SIZE], image.pixels) });
    expect(features.subarray(7 * TINY_WIDTH, 8 * TINY_WIDTH)).toEqual(Object.values(out)[0]!.data);
  }
  await loader.close();
});

test("an image that changed since the folder was read is left out, and not cached under its old hash", async () => {
  const cache = await temporaryFolder();
  const root = await writeColorImages(join(cache, "images"), 2);
  const { samples } = await imageFolder(root);
  const before = await readFile(samples[0]!.file);
  await writeFile(samples[0]!.file, await readFile(samples[5]!.file));
  const changed = await extractFeatures(backbone(), samples, options(cache));
  expect(changed.failed).toEqual([{ sample: samples[0], error: "changed while it was read; run again" }]);
  await writeFile(samples[0]!.file, before);
  const again = await extractFeatures(backbone(), samples, options(cache));
  expect(again.fromCache).toBe(5);
  expect(again.features.subarray(0, TINY_WIDTH)).not.toEqual(again.features.subarray(5 * TINY_WIDTH));
});

test("a damaged image is reported by name and left out, the others keep their places", async () => {
  const { features, samples, failed } = await extractFeatures(backbone(), data.samples, options("", { cache: false }));
  expect(failed.map(({ sample }) => sample.path)).toEqual(["red/broken.png"]);
  expect(samples).toHaveLength(36);
  expect(features).toHaveLength(36 * TINY_WIDTH);
});

test("the second time everything comes from the cache, bit for bit", async () => {
  const cache = await temporaryFolder();
  const first = await extractFeatures(backbone(), data.samples, options(cache));
  let computed = 0;
  const second = await extractFeatures(backbone(), data.samples, options(cache, { onProgress: () => computed++ }));
  expect([first.fromCache, second.fromCache]).toEqual([0, 36]);
  expect(computed).toBe(1); // the damaged image is tried again
  expect(second.features).toEqual(first.features);
});

test("features do not depend on the number of threads", async () => {
  const one = await extractFeatures(backbone(), data.samples, options("", { cache: false, threads: 1 }));
  const two = await extractFeatures(backbone(), data.samples, options("", { cache: false, threads: 2 }));
  expect(two.features).toEqual(one.features);
});

test("another preprocessing and another backbone are other features", async () => {
  const cache = await temporaryFolder();
  await extractFeatures(backbone(), data.samples, options(cache));
  const changed = { ...model.requirePreprocessing(), interpolation: "nearest" as const };
  expect((await extractFeatures(backbone(), data.samples, options(cache, { preprocessing: changed }))).fromCache).toBe(
    0,
  );
  const other = tinyGraph({ seed: 1 });
  expect((await extractFeatures(backboneGraph(other, findCut(other)), data.samples, options(cache))).fromCache).toBe(0);
});

test("the same network under another name is the same network", async () => {
  const cache = await temporaryFolder();
  await extractFeatures(backbone(), data.samples, options(cache));
  expect((await extractFeatures(backbone(), data.samples, options(cache, { name: "renamed" }))).fromCache).toBe(36);
});

test("an abort keeps what was computed", async () => {
  const cache = await temporaryFolder();
  const controller = new AbortController();
  const stopped = extractFeatures(
    backbone(),
    data.samples,
    options(cache, { signal: controller.signal, onProgress: (done) => done === 20 && controller.abort() }),
  );
  await expect(stopped).rejects.toMatchObject({ code: "ABORTED" });
  const again = await extractFeatures(backbone(), data.samples, options(cache));
  expect(again.fromCache).toBeGreaterThanOrEqual(16);
  expect(again.fromCache).toBeLessThan(36);
});

test("equal files are computed once, and both get features", async () => {
  const twice = [data.samples[0]!, { ...data.samples[0]!, file: data.samples[0]!.file, path: "copy.png" }];
  let computed = 0;
  const { features } = await extractFeatures(
    backbone(),
    twice,
    options("", { cache: false, onProgress: () => computed++ }),
  );
  expect(computed).toBe(1);
  expect(features.subarray(0, TINY_WIDTH)).toEqual(features.subarray(TINY_WIDTH));
});

test("a cache that cannot be used is a warning", async () => {
  const file = join(await temporaryFolder(), "file");
  await writeFile(file, "");
  const warnings: string[] = [];
  const { samples } = await extractFeatures(
    backbone(),
    data.samples,
    options(file, { onWarning: (text) => warnings.push(text) }),
  );
  expect(samples).toHaveLength(36);
  expect(warnings).toEqual([expect.stringContaining("cannot be used")]);
});

const augmentation: Augmentation = {
  version: 1,
  transforms: [{ name: "color-jitter", brightness: 0.5, saturation: 0.5, hue: 0.3 }],
};

/** The first two thirds of the samples for training, the rest for validation. */
const splitSamples = () =>
  data.samples.map((sample, i) => ({ ...sample, split: i < 24 ? "train" : "validation" }) as const);

test("random views of training samples come beside the clean rows, each as its image alone would give", async () => {
  const samples = splitSamples().filter(({ path }) => path !== "red/broken.png");
  const views = { augmentation, seed: 4, count: 3 };
  const clean = await extractFeatures(backbone(), samples, options("", { cache: false }));
  const set = await extractFeatures(backbone(), samples, options("", { cache: false, views }));
  expect(set.features).toEqual(clean.features);
  expect(clean.views).toBeUndefined();
  const { values, places, count } = set.views!;
  const train = samples.flatMap(({ split }, i) => (split === "train" ? [i] : []));
  expect(count).toBe(3);
  expect([...places]).toEqual(samples.map(({ split }, i) => (split === "train" ? train.indexOf(i) : -1)));
  expect(values).toHaveLength(train.length * 3 * TINY_WIDTH);
  await using session = await Session.create(backbone());
  const loader = new ImageLoader({ threads: 0 });
  const files = [samples[train[5]!]!.file];
  const loaded = loader.load(files, model.requirePreprocessing(), undefined, undefined, { ...views, views: [[2]] });
  for await (const image of loaded) {
    if ("error" in image) throw new Error(image.error);
    const out = await session.run({ input: tensor("float32", [1, 3, TINY_SIZE, TINY_SIZE], image.pixels) });
    const at = (5 * 3 + 1) * TINY_WIDTH;
    expect(values.subarray(at, at + TINY_WIDTH)).toEqual(Object.values(out)[0]!.data);
  }
  await loader.close();
});

test("each view has a cache of its own: clean rows stay valid, more views later are computed alone", async () => {
  const cache = await temporaryFolder();
  const samples = splitSamples().filter(({ path }) => path !== "red/broken.png");
  const train = samples.filter(({ split }) => split === "train").length;
  const run = async (count: number, changes: Partial<ExtractOptions> = {}) => {
    const done: number[] = [];
    const onProgress = (_: number, total: number) => done.push(total);
    const views = count > 0 ? { augmentation, seed: 4, count } : undefined;
    const set = await extractFeatures(backbone(), samples, options(cache, { views, onProgress, ...changes }));
    return { set, computed: done.length, total: done[0] ?? 0 };
  };
  expect(await run(0)).toMatchObject({ computed: samples.length, total: samples.length });
  const first = await run(2);
  expect(first).toMatchObject({ computed: 2 * train, total: 2 * train });
  expect(first.set.fromCache).toBe(samples.length - train);
  const second = await run(3);
  expect(second.computed).toBe(train);
  const again = await run(3);
  expect([again.computed, again.set.fromCache]).toEqual([0, samples.length]);
  expect(again.set.views).toEqual(second.set.views);
  for (const views of [
    { augmentation, seed: 5, count: 1 },
    { augmentation: { version: 1, transforms: [{ name: "horizontal-flip", probability: 1 }] }, seed: 4, count: 1 },
  ] as const)
    expect((await run(0, { views })).computed).toBe(train);
  expect((await run(0)).computed).toBe(0);
});

test("a file that cannot be read fails once, whatever the number of views", async () => {
  let last: readonly [number, number] = [0, 0];
  const views = { augmentation, seed: 4, count: 2 };
  const onProgress = (done: number, total: number): void => {
    last = [done, total];
  };
  const samples = data.samples.map((sample) => ({ ...sample, split: "train" }) as const);
  const set = await extractFeatures(backbone(), samples, options("", { cache: false, views, onProgress }));
  expect(set.failed.map(({ sample }) => sample.path)).toEqual(["red/broken.png"]);
  expect(set.views!.values).toHaveLength(36 * 2 * TINY_WIDTH);
  expect(last).toEqual([37 * 3, 37 * 3]);
});

test("a number of views that is no number of views is refused", async () => {
  for (const count of [0, 1.5, 1001]) {
    const views = { augmentation, seed: 4, count };
    await expect(extractFeatures(backbone(), [], options("", { cache: false, views }))).rejects.toThrow(
      `views require a count from 1 to 1000, got ${count}.`,
    );
  }
});
