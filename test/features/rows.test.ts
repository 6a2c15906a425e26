import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import { extractFeatures } from "../../src/features/extract.ts";
import { memoryRows, type Rows, selectRows, streamedRows } from "../../src/features/rows.ts";
import { backboneGraph, findCut } from "../../src/models/backbone.ts";
import { loadModel } from "../../src/models/load-model.ts";
import { Session } from "../../src/runtime/session.ts";
import { temporaryFolder } from "../data/made.ts";
import { TINY_SIZE, TINY_WIDTH, writeColorImages, writeTinyModel } from "../models/tiny.ts";

async function read(rows: Rows, order: readonly number[], size: number): Promise<number[][]> {
  const batches: number[][] = [];
  for await (const batch of rows.batches(Int32Array.from(order), size)) batches.push([...batch]);
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

  await writeFile(samples[1]!.file, "no picture any more");
  await expect(read(pixels, [0, 1], 2)).rejects.toMatchObject({
    code: "BAD_DATA",
    message: expect.stringContaining("changed while training was under way"),
  });
});
