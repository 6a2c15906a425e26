import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import { ImageLoader } from "../../src/data/loader.ts";
import { extractFeatures } from "../../src/features/extract.ts";
import { memoryRows, type Rows, selectRows, streamedRows, viewShown } from "../../src/features/rows.ts";
import { backboneGraph, findCut } from "../../src/models/backbone.ts";
import { loadModel } from "../../src/models/load-model.ts";
import { Session } from "../../src/runtime/session.ts";
import { temporaryFolder } from "../data/made.ts";
import { TINY_SIZE, TINY_WIDTH, writeColorImages, writeTinyModel } from "../models/tiny.ts";

async function read(rows: Rows, order: readonly number[], size: number, epoch?: number): Promise<number[][]> {
  const batches: number[][] = [];
  for await (const batch of rows.batches(Int32Array.from(order), size, epoch)) batches.push([...batch]);
  return batches;
}

test("rows in memory come in the order asked for, the rest at the end, in arrays of their own", async () => {
  const values = Float32Array.of(0, 1, 10, 11, 20, 21);
  const rows = memoryRows(values, 2);
  expect([rows.count, rows.width]).toEqual([3, 2]);
  expect(await read(rows, [2, 0, 1], 2)).toEqual([
    [20, 21, 0, 1],
    [10, 11],
  ]);
  for await (const batch of rows.batches(Int32Array.of(0), 1)) batch.fill(9);
  expect([...values]).toEqual([0, 1, 10, 11, 20, 21]);
  expect(await read(rows, [], 2)).toEqual([]);
});

test("a selection of rows counts from its own zero", async () => {
  const rows = selectRows(memoryRows(Float32Array.of(0, 10, 20, 30), 1), Int32Array.of(3, 1));
  expect(rows.count).toBe(2);
  expect(await read(rows, [1, 0, 1], 2)).toEqual([[10, 30], [10]]);
});

test("rows with random views show each of them, and the clean one, once in every cycle of epochs", async () => {
  // Row i has the clean value 10 i and the views 10 i + 1, 10 i + 2; row 1 has none.
  const views = { values: Float32Array.of(1, 2, 21, 22), places: Int32Array.of(0, -1, 1), count: 2, seed: 9 };
  const rows = memoryRows(Float32Array.of(0, 10, 20), 1, views);
  expect(await read(rows, [0, 1, 2], 3)).toEqual([[0, 10, 20]]); // without an epoch: clean
  for (let cycle = 0; cycle < 4; cycle++) {
    const seen = await Promise.all([1, 2, 3].map(async (i) => (await read(rows, [2, 1, 0], 3, cycle * 3 + i))[0]!));
    expect(seen.map((row) => row[0]).sort()).toEqual([20, 21, 22]);
    expect(seen.map((row) => row[1])).toEqual([10, 10, 10]);
    expect(seen.map((row) => row[2]).sort()).toEqual([0, 1, 2]);
    for (const [i, batch] of seen.entries())
      expect(await read(selectRows(rows, Int32Array.of(0, 2)), [1, 0], 1, cycle * 3 + i + 1)).toEqual([
        [batch[0]],
        [batch[2]],
      ]);
  }
});

test("rows of one epoch show all views about equally often, in orders that differ between rows and cycles", () => {
  const counts = [0, 0, 0, 0];
  for (let index = 0; index < 4000; index++) counts[viewShown({ count: 3, seed: 1 }, index, 6)]!++;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(110); // 4 standard deviations
  const order = (index: number, cycle: number, seed = 1) =>
    [1, 2, 3, 4].map((i) => viewShown({ count: 3, seed }, index, cycle * 4 + i)).join("");
  const orders = (of: (i: number) => string) => new Set(Array.from({ length: 50 }, (_, i) => of(i))).size;
  expect(orders((i) => order(i, 0))).toBeGreaterThan(10);
  expect(orders((i) => order(0, i))).toBeGreaterThan(10);
  expect(orders((i) => order(0, 0, i))).toBeGreaterThan(10);
});

test("streamed rows are the pixels or the features of the files, however they are asked for", async () => {
  const root = await temporaryFolder();
  const { samples } = await imageFolder(await writeColorImages(join(root, "images"), 4));
  const model = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  const preprocessing = model.requirePreprocessing();
  const backbone = backboneGraph(model.graph, findCut(model.graph));
  const { features } = await extractFeatures(backbone, samples, {
    name: "tiny",
    preprocessing,
    cache: false,
    clock: () => 0,
  });
  await using prefix = await Session.create(backbone);
  const order = [5, 0, 5, 3, 1];
  const expected = order.map((index) => [...features.subarray(index * TINY_WIDTH, (index + 1) * TINY_WIDTH)]);
  const computed = streamedRows(samples, { prefix, preprocessing, width: TINY_WIDTH });
  expect(await read(computed, order, 2)).toEqual([
    expected.slice(0, 2).flat(),
    expected.slice(2, 4).flat(),
    expected[4],
  ]);

  const pixels = streamedRows(samples, { preprocessing, width: 3 * TINY_SIZE ** 2 });
  const [batch] = await read(pixels, [2, 4], 2);
  await using session = await Session.create(backbone);
  const out = await session.run({
    input: { dtype: "float32", shape: [2, 3, TINY_SIZE, TINY_SIZE], data: Float32Array.from(batch!) },
  });
  const rows = [2, 4].flatMap((index) => [...features.subarray(index * TINY_WIDTH, (index + 1) * TINY_WIDTH)]);
  expect([...(Object.values(out)[0]!.data as Float32Array)]).toEqual(rows);

  // A loader that is given decodes every pass, and stays open when one is left early.
  const loader = new ImageLoader({ threads: 1 });
  const kept = streamedRows(samples, { preprocessing, width: 3 * TINY_SIZE ** 2, loader });
  for await (const _ of kept.batches(Int32Array.of(0, 1, 2), 1)) break;
  for (let pass = 0; pass < 2; pass++) expect(await read(kept, [2, 4], 2)).toEqual([batch]);
  await loader.close();
  await expect(read(kept, [2, 4], 2)).rejects.toMatchObject({ code: "ABORTED" });

  // Augmented: another view in each epoch, of training samples only, whatever came before.
  const augmented = {
    augmentation: { version: 1, transforms: [{ name: "color-jitter", brightness: 0.5 }] },
    seed: 1,
  } as const;
  const mixed = samples.map((sample, i) => ({ ...sample, split: i === 3 ? "validation" : "train" }) as const);
  const random = streamedRows(mixed, { preprocessing, width: 3 * TINY_SIZE ** 2, augmented });
  expect(await read(random, [2, 3], 2)).toEqual(await read(pixels, [2, 3], 2));
  const [first, second] = [await read(random, [2, 3], 1, 1), await read(random, [2, 3], 1, 2)];
  expect(first[0]).not.toEqual(second[0]);
  expect([first[1], second[1]]).toEqual(Array(2).fill((await read(pixels, [3], 1))[0]));
  expect(await read(random, [3, 2], 1, 1)).toEqual([first[1], first[0]]);
  const features2 = streamedRows(mixed, { prefix, preprocessing, width: TINY_WIDTH, augmented });
  expect((await read(features2, [2], 1, 1))[0]).not.toEqual((await read(features2, [2], 1, 2))[0]);

  await writeFile(samples[1]!.file, "no picture any more");
  await expect(read(pixels, [0, 1], 2)).rejects.toMatchObject({
    code: "BAD_DATA",
    message: expect.stringContaining("changed while training was under way"),
  });
});
