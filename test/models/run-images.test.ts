import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ImageLoader } from "../../src/data/loader.ts";
import { type ImageResult, type RunImagesOptions, runImages } from "../../src/models/run-images.ts";
import { Session } from "../../src/runtime/session.ts";
import { temporaryFolder } from "../data/made.ts";
import { TINY_INPUT, type TinyOptions, tinyGraph, writeColorImages } from "./tiny.ts";

/** Seven pictures of three colors. */
async function sevenPictures(): Promise<string[]> {
  const root = await writeColorImages(await temporaryFolder(), 3);
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".png"));
  return files
    .sort()
    .slice(0, 7)
    .map((file) => join(root, file));
}

async function collect(
  files: readonly string[],
  { threads = 0, model, ...options }: Partial<RunImagesOptions> & { threads?: number; model?: TinyOptions } = {},
): Promise<ImageResult[]> {
  await using session = await Session.create(tinyGraph(model), { threads: 1 });
  const loader = new ImageLoader({ threads });
  try {
    const results: ImageResult[] = [];
    const images = runImages(session, files, { loader, preprocessing: TINY_INPUT, ...options });
    for await (const result of images) results.push(result);
    return results;
  } finally {
    await loader.close();
  }
}

const rowsOf = (results: readonly ImageResult[]): number[][] =>
  results.map((result) => ("row" in result ? [...result.row] : []));

describe("runImages", () => {
  test("gives one row for each file, in order, the same for any batch size", async () => {
    const files = await sevenPictures();
    const one = await collect(files, { batchSize: 1 });
    expect(one.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(new Set(rowsOf(one).map((row) => row.join())).size).toBe(7);
    for (const row of rowsOf(one)) expect(row).toHaveLength(10);
    for (const batchSize of [2, 3, 7, 16, undefined]) expect(await collect(files, { batchSize })).toEqual(one);
  });

  test.each([1, 4])("fills the batches of a file whose batch is fixed to %d", async (batch) => {
    const files = await sevenPictures();
    const wanted = await collect(files);
    expect(await collect(files, { model: { batch } })).toEqual(wanted);
    expect(await collect(files.slice(0, 2), { model: { batch } })).toEqual(wanted.slice(0, 2));
    expect(await collect(files, { model: { batch }, batchSize: 3 })).toEqual(wanted);
  });

  test.each([0, 1, 2])("gives the same rows with %d decoding threads", async (threads) => {
    const files = await sevenPictures();
    expect(await collect(files, { threads, batchSize: 3 })).toEqual(await collect(files));
  });

  test("keeps the place of files that cannot be decoded", async () => {
    const files = await sevenPictures();
    const good = await collect(files);
    const broken = join(await temporaryFolder(), "broken.png");
    await writeFile(broken, "no picture");
    for (const at of [0, 3, 6]) {
      const mixed = files.with(at, broken);
      for (const options of [{}, { batchSize: 2 }, { batchSize: 3, threads: 2 }, { model: { batch: 4 } }]) {
        const results = await collect(mixed, options);
        expect(results[at]).toEqual({ index: at, error: expect.stringContaining("is not an image") });
        expect(results.toSpliced(at, 1)).toEqual(good.toSpliced(at, 1));
      }
    }
  });

  test("does not run anything where no file can be decoded", async () => {
    const folder = await temporaryFolder();
    const missing = ["a.png", "b.png"].map((name) => join(folder, name));
    const results = await collect(missing);
    expect(results).toEqual([
      { index: 0, error: expect.any(String) },
      { index: 1, error: expect.any(String) },
    ]);
    expect(await collect([])).toEqual([]);
  });

  test("stops when the signal fires", async () => {
    const files = await sevenPictures();
    await expect(collect(files, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("hands out rows that later batches do not overwrite", async () => {
    const files = await sevenPictures();
    const results = await collect(files, { batchSize: 2 });
    const copies = rowsOf(results);
    expect(rowsOf(results)).toEqual(copies);
    const buffers = results.map((result) => ("row" in result ? result.row.buffer : undefined));
    expect(new Set(buffers).size).toBe(7);
  });
});
