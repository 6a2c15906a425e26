import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Batch, type DataLoaderOptions, dataLoader } from "../../src/data/batches.ts";
import { imageFolder } from "../../src/data/image-folder.ts";
import type { Dataset } from "../../src/data/sample.ts";
import type { Augmentation } from "../../src/transforms/transform.ts";
import { temporaryFolder, writeTree } from "./made.ts";

const augmentation: Augmentation = { version: 1, transforms: [{ name: "color-jitter", brightness: 0.5 }] };

/** Two classes, 7 + 4 images for training and 3 for validation, each of one color: its number is its red value. */
async function folder(): Promise<Dataset> {
  const tree: Record<string, number> = {};
  for (let i = 0; i < 7; i++) tree[`train/cat/${i}.png`] = 40 + i;
  for (let i = 0; i < 4; i++) tree[`train/dog/${i}.png`] = 60 + i;
  for (let i = 0; i < 3; i++) tree[`val/${i < 2 ? "cat" : "dog"}/${i}.png`] = 80 + i;
  const root = await temporaryFolder();
  await writeTree(root, tree);
  return await imageFolder(root);
}

async function read(dataset: Dataset, options: DataLoaderOptions): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of dataLoader(dataset, { inputSize: [2, 3], threads: 0, ...options })) batches.push(batch);
  return batches;
}

/** What a batch holds, as plain values. */
function plain({ images, targets, samples, epoch, position, shape }: Batch): unknown {
  return { images: [...images], targets: targets && [...targets.data], samples, epoch, position, shape };
}

/** The red values of the images. */
function reds({ images, shape }: Batch): number[] {
  return Array.from({ length: shape[0] }, (_, i) => Math.round(images[i * 18]! * 255));
}

test("gives every training image once, with its target, in batches", async () => {
  const dataset = await folder();
  const loader = dataLoader(dataset, { batchSize: 4 });
  expect([loader.batchesPerEpoch, loader.preprocessing.inputSize]).toEqual([3, [224, 224]]);
  const batches = await read(dataset, { batchSize: 4 });
  expect(batches.map(({ shape }) => shape)).toEqual([4, 4, 3].map((n) => [n, 3, 2, 3]));
  const seen = batches.flatMap((batch) => {
    expect(batch.targets?.shape).toEqual([batch.shape[0]]);
    return reds(batch).map((red, i) => [red, batch.targets?.data[i]]);
  });
  expect(seen.sort()).toEqual([
    ...[40, 41, 42, 43, 44, 45, 46].map((n) => [n, 0]),
    ...[60, 61, 62, 63].map((n) => [n, 1]),
  ]);
  for (const batch of batches) expect(batch.samples.map(({ target }) => target[0])).toEqual([...batch.targets!.data]);
});

test("shuffles the training split anew in each epoch, others not at all", async () => {
  const dataset = await folder();
  const batches = await read(dataset, { batchSize: 11, epochs: 2 });
  const orders = batches.map(reds);
  expect(orders[0]).not.toEqual(orders[1]);
  expect([...orders[0]!].sort()).toEqual([...orders[1]!].sort());
  expect((await read(dataset, { batchSize: 11, shuffle: false })).map(reds)[0]).toEqual([
    40, 41, 42, 43, 44, 45, 46, 60, 61, 62, 63,
  ]);
  expect((await read(dataset, { split: "validation" })).map(reds)).toEqual([[80, 81, 82]]);
  expect((await read(dataset, { batchSize: 11, seed: 1 })).map(reds)[0]).not.toEqual(orders[0]);
  expect((await read(dataset, { batchSize: 4, dropLast: true })).map(({ shape }) => shape[0])).toEqual([4, 4]);
});

test("goes on from any position exactly as if it had not stopped, with any number of threads", async () => {
  const dataset = await folder();
  const options = { batchSize: 3, epochs: 3, augmentation, seed: 5 };
  const whole = (await read(dataset, options)).map(plain);
  expect(whole).toHaveLength(12);
  const positions = (await read(dataset, options)).map(({ position }) => JSON.parse(JSON.stringify(position)));
  expect(positions.slice(2, 5)).toEqual([
    { epoch: 1, batch: 3 },
    { epoch: 2, batch: 0 },
    { epoch: 2, batch: 1 },
  ]);
  for (const [i, start] of positions.entries()) {
    const rest = await read(dataset, { ...options, start, threads: i % 3 });
    expect(rest.map(plain)).toEqual(whole.slice(i + 1));
  }
  const loader = dataLoader(dataset, { ...options, inputSize: [2, 3], threads: 1 });
  for (let round = 0; round < 2; round++) {
    let count = 0;
    for await (const batch of loader) expect(plain(batch)).toEqual(whole[count++]);
    expect(count).toBe(12);
  }
});

test("augments training images only: epoch e shows view e", async () => {
  const dataset = await folder();
  const batches = await read(dataset, { batchSize: 11, shuffle: false, epochs: 2, augmentation });
  expect(batches.map(reds)[0]).not.toEqual([40, 41, 42, 43, 44, 45, 46, 60, 61, 62, 63]);
  expect(batches.map(reds)[0]).not.toEqual(batches.map(reds)[1]);
  expect(() => dataLoader(dataset, { split: "validation", augmentation })).toThrow(
    'augmentation requires the split "train", got "validation": validation and test images are never augmented.',
  );
});

test("makes gray images as Pillow does, laid out as asked, with the preprocessing given", async () => {
  const dataset = await folder();
  // png(40): red 40, green 0, blue 40 * 37 & 255 = 200; (40 * 19595 + 200 * 7471 + 32768) >> 16 = 35
  const [batch] = await read(dataset, { batchSize: 1, shuffle: false, colorMode: "grayscale", layout: "NHWC" });
  expect(batch?.shape).toEqual([1, 2, 3, 1]);
  expect([...batch!.images]).toEqual(Array(6).fill(Math.fround(35 / 255)));
  const { preprocessing } = dataLoader(dataset, { inputSize: [2, 3] });
  const own = { ...preprocessing, channels: "BGR", scale: 1, mean: [5, 0, 0] } as const;
  const options = { preprocessing: own, inputSize: undefined, batchSize: 1, shuffle: false };
  const [color] = await read(dataset, options);
  expect([color!.images[0], color!.images[12]]).toEqual([195, 40]);
  const [gray] = await read(dataset, { ...options, colorMode: "grayscale" });
  expect(gray!.images[0]).toBe(30);
});

test("writes targets as asked", async () => {
  const dataset = await folder();
  const last = { split: "validation", batchSize: 8 } as const;
  expect([...(await read(dataset, { ...last, targets: "categorical" }))[0]!.targets!.data]).toEqual([1, 0, 1, 0, 0, 1]);
  expect((await read(dataset, { ...last, targets: "none" }))[0]!.targets).toBeUndefined();
  expect(() => dataLoader(dataset, { targets: "raw" })).toThrow(/"raw" require a regression dataset/);
});

test("names a file that cannot be read, or leaves it out of its batch", async () => {
  const dataset = await folder();
  await writeFile(join(dataset.root, "train/cat/1.png"), "text");
  await rm(join(dataset.root, "train/cat/4.png"));
  await rm(join(dataset.root, "train/cat/5.png"));
  await expect(read(dataset, { shuffle: false })).rejects.toMatchObject({
    code: "BAD_DATA",
    message: expect.stringMatching(/1\.png .*skipUnreadable/),
  });
  const batches = await read(dataset, { batchSize: 2, shuffle: false, skipUnreadable: true });
  expect(batches.map(reds)).toEqual([[40], [42, 43], [46, 60], [61, 62], [63]]); // 44 and 45 were a batch
  expect(batches[1]!.position).toEqual({ epoch: 1, batch: 2 });
});

test("stops when its signal fires", async () => {
  const dataset = await folder();
  await expect(read(dataset, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});

test("refuses options that cannot be used", async () => {
  const dataset = await folder();
  const refused: readonly (readonly [DataLoaderOptions, RegExp])[] = [
    [{ batchSize: 0 }, /batchSize requires a whole number from 1 to 65536, got 0/],
    [{ epochs: 1.5 }, /epochs requires/],
    [{ start: { epoch: 0, batch: 0 } }, /start.epoch requires/],
    [{ start: { epoch: 1, batch: 9 }, batchSize: 4 }, /start.batch requires a whole number from 0 to 3, got 9/],
    [{ inputSize: [0, 5] }, /cannot make images so: inputSize.0/],
    [{ inputSize: [8192, 8192], batchSize: 32 }, /at most 2 GiB/],
    [{ preprocessing: dataLoader(dataset).preprocessing, layout: "NHWC" }, /got both/],
  ];
  for (const [options, message] of refused) expect(() => dataLoader(dataset, options)).toThrow(message);
});

test("an empty split has no batches", async () => {
  expect(await read(await folder(), { split: "test" })).toEqual([]);
});

test("an augmentation may be a level or a list", async () => {
  const dataset = await folder();
  const list = await read(dataset, { augmentation: augmentation.transforms });
  expect(list.map(plain)).toEqual((await read(dataset, { augmentation })).map(plain));
  const clean = (await read(dataset, {})).map(plain);
  expect(list.map(plain)).not.toEqual(clean);
  expect((await read(dataset, { augmentation: "strong" })).map(plain)).not.toEqual(clean);
  for (const none of ["none", []] as const)
    expect((await read(dataset, { augmentation: none })).map(plain)).toEqual(clean);
  expect(await read(dataset, { augmentation: "none", split: "validation" })).toHaveLength(1);
});

test.each<[unknown, RegExp]>([
  [{ augmentation: "stronk" }, /augmentation requires none, light, .*got "stronk"\. Did you mean "strong"\?/],
  [{ augmentation: [{ name: "invrt" }] }, /transforms\[0\] is named "invrt".*Did you mean "invert"/],
  [{ augmentation: [{ name: "rotate" }] }, /transforms\[0\] \("rotate"\) cannot be used\. degrees/],
  [{ augmentation: null }, /augmentation requires .*got null/],
  [{ augmentation: "light", split: "validation" }, /validation and test images are never augmented/],
  [{ colorMode: "rgba" }, /colorMode requires one of rgb, grayscale, got "rgba"\. Did you mean "rgb"/],
  [{ split: "val" }, /split requires one of train, validation, test, got "val"\. Did you mean "validation"/],
  [{ targets: "onehot" }, /targets requires one of sparse/],
  [{ targets: "toString" }, /targets requires one of sparse/],
  [{ foo: 1 }, /dataLoader has no option "foo"\. It takes split, inputSize/],
  [{ batch_size: 8 }, /Did you mean batchSize/],
  ["train", /dataLoader requires an object of options, got "train"/],
])("the options %j are refused at once", async (options, message) => {
  const dataset = await folder();
  expect(() => dataLoader(dataset, options as DataLoaderOptions)).toThrow(
    expect.objectContaining({ code: "BAD_CONFIG" }),
  );
  expect(() => dataLoader(dataset, options as DataLoaderOptions)).toThrow(message);
});

test("a dataset that was not waited for is refused", async () => {
  const pending = folder();
  expect(() => dataLoader(pending as unknown as Dataset)).toThrow(/requires a dataset, such as await imageFolder/);
  await pending;
});
