import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, onTestFinished, test } from "vitest";
import { decodeImage } from "../../src/data/decode.ts";
import {
  type FailedImage,
  ImageLoader,
  type ImageLoaderOptions,
  type LoadedImage,
  suggestThreads,
} from "../../src/data/loader.ts";
import { startPool } from "../../src/data/thread-pool.ts";
import { rng, shuffle } from "../../src/random.ts";
import { preprocess } from "../../src/transforms/preprocess.ts";
import type { Preprocessing } from "../../src/transforms/preprocessing.ts";
import type { Augmentation } from "../../src/transforms/transform.ts";
import { assets, withAssets } from "../assets.ts";
import { picture } from "../transforms/picture.ts";
import { png, temporaryFolder } from "./made.ts";

const small: Preprocessing = {
  version: 1,
  inputSize: [4, 5],
  resize: { kind: "stretch" },
  interpolation: "bilinear",
  channels: "RGB",
  layout: "NCHW",
  scale: 1,
  offset: 0,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

function loaderWith(options: ImageLoaderOptions): ImageLoader {
  const loader = new ImageLoader(options);
  onTestFinished(() => loader.close());
  return loader;
}

/** Writes images 1 to `count`; their red value is their number. */
async function images(count: number): Promise<string[]> {
  const folder = await temporaryFolder();
  const files = Array.from({ length: count }, (_, i) => join(folder, `${i}.png`));
  for (const [i, file] of files.entries()) await writeFile(file, await png(i + 1));
  return files;
}

async function all(results: AsyncIterable<LoadedImage | FailedImage>): Promise<(LoadedImage | FailedImage)[]> {
  const list: (LoadedImage | FailedImage)[] = [];
  for await (const result of results) list.push(result);
  return list;
}

/** What tells two results apart: arrays from another thread do not equal others by vitest's rules. */
function content(result: LoadedImage | FailedImage): string {
  const bytes = "error" in result ? result.error : new Uint8Array(result.pixels.buffer);
  return `${result.index} ${createHash("sha256").update(bytes).digest("hex")}`;
}

describe.each([0, 1, 3])("with %d threads", (threads) => {
  test("yields every image in order, in memory of its own", async () => {
    const files = await images(50);
    const results = await all(loaderWith({ threads }).load(files, small));
    expect(results.map(({ index }) => index)).toEqual(files.map((_, i) => i));
    for (const [i, result] of results.entries()) {
      if (!("pixels" in result)) throw new Error(result.error);
      expect(result.pixels).toHaveLength(60);
      expect(result.pixels[0]).toBe(i + 1);
      expect(result.pixels.buffer.byteLength).toBe(240);
    }
  });

  test("turns every failure into a result in its place", async () => {
    const files = await images(6);
    await writeFile(files[1]!, "plain text");
    await writeFile(files[3]!, (await png(9, 64, 64)).subarray(0, 60));
    await writeFile(files[4]!, "");
    const results = await all(loaderWith({ threads }).load([...files, join(files[0]!, "x"), "/", "gone\0.png"], small));
    expect(results.map((result) => ("error" in result ? result.error : "pixels"))).toEqual([
      "pixels",
      "is not an image (looks like text)",
      "pixels",
      expect.stringMatching(/^is cut off or damaged/),
      "is empty (0 bytes)",
      "pixels",
      "does not exist (a part of its path is a file)",
      "is a folder, not an image file",
      "is not a possible path (it has a zero character)",
    ]);
  });

  test("gives large pictures in their places, and files that changed as failures", async () => {
    const files = await images(9);
    const sha256 = await Promise.all(files.map(async (file) => createHash("sha256").update(await readFile(file))));
    const hashes = sha256.map((hash) => hash.digest("hex"));
    await writeFile(files[6]!, await png(70));
    await writeFile(files[2]!, await png(3, 6000, 5600));
    const loader = loaderWith({ threads });
    const results = await all(loader.load(files, small));
    expect(results.map((result) => ("pixels" in result ? result.pixels[0] : 0))).toEqual([1, 2, 3, 4, 5, 6, 70, 8, 9]);
    const checked = await all(loader.load(files, small, undefined, hashes));
    const changed = checked.filter((result) => "error" in result);
    expect(changed).toEqual([2, 6].map((index) => ({ index, error: "changed while it was read; run again" })));
  });

  test("can be left early and used again, also twice at a time", async () => {
    const files = await images(30);
    const loader = loaderWith({ threads });
    for await (const { index } of loader.load(files, small)) if (index === 3) break;
    const [first, second] = await Promise.all([
      all(loader.load(files, small)),
      all(loader.load(files.slice(5, 9), small)),
    ]);
    expect([first.length, second.length]).toEqual([30, 4]);
    expect(second[0]).toHaveProperty(["pixels", 0], 6);
    expect(await all(loader.load([], small))).toEqual([]);
  });

  test("stops when its signal fires, and when it is closed", async () => {
    const files = await images(30);
    const loader = loaderWith({ threads });
    const controller = new AbortController();
    const aborted = (async () => {
      for await (const { index } of loader.load(files, small, controller.signal))
        if (index === 2) controller.abort("enough");
    })();
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED", cause: "enough" });
    await expect(all(loader.load(files, small, AbortSignal.abort()))).rejects.toMatchObject({ code: "ABORTED" });
    const closed = (async () => {
      for await (const { index } of loader.load(files, small)) if (index === 2) await loader.close();
    })();
    await expect(closed).rejects.toMatchObject({ code: "ABORTED", message: expect.stringContaining("closed") });
    await expect(all(loader.load(files, small))).rejects.toMatchObject({ code: "ABORTED" });
    await loader.close();
  });
});

test("takes encoded images in memory among files, also parts of a larger array", async () => {
  const files = await images(6);
  const contents = await Promise.all(files.map((file) => readFile(file)));
  const large = new Uint8Array(2 ** 20);
  large.set(contents[2]!, 1000);
  const part = large.subarray(1000, 1000 + contents[2]!.length);
  const sources = [files[0]!, contents[1]!, part, new Uint8Array(0), files[4]!, new TextEncoder().encode("text")];
  for (const threads of [0, 2]) {
    const results = await all(loaderWith({ threads }).load(sources, small));
    expect(results.map((result) => ("error" in result ? result.error : result.pixels[0]))).toEqual([
      1,
      2,
      3,
      "is empty (0 bytes)",
      5,
      "is not an image (looks like text)",
    ]);
  }
  expect(part[0]).toBe(0x89); // the caller's memory is left as it is
});

describe("random views", () => {
  const augmentation: Augmentation = {
    version: 1,
    transforms: [
      { name: "random-resized-crop", scale: [0.3, 1] },
      { name: "horizontal-flip" },
      { name: "rotate", degrees: [-15, 15] },
      { name: "color-jitter", brightness: 0.3, contrast: 0.3, saturation: 0.3, hue: 0.05 },
    ],
  };

  /** Writes different pictures with edges and noise. */
  async function pictures(count: number): Promise<string[]> {
    const folder = await temporaryFolder();
    const files = Array.from({ length: count }, (_, i) => join(folder, `${i}.png`));
    for (const [i, file] of files.entries()) {
      const { width, height, data } = picture(20 + i, 33 - i);
      await sharp(data, { raw: { width, height, channels: 3 } })
        .png()
        .toFile(file);
    }
    return files;
  }

  test("are the same pixels for 0, 1, 2 and 4 threads, in any order and company", async () => {
    const files = await pictures(12);
    const wanted = files.flatMap((_, index) => [0, 1, 2, 3].map((view) => ({ index, view })));
    const expected = new Map<string, string>();
    for (const threads of [0, 1, 2, 4]) {
      const loader = loaderWith({ threads });
      // All views of each file at once, then each view alone in another order.
      const views = { augmentation, seed: 3, views: files.map(() => [0, 1, 2, 3]) };
      const together = await all(loader.load(files, small, undefined, undefined, views));
      expect(together.map((result) => ("view" in result ? [result.index, result.view] : result))).toEqual(
        wanted.map(({ index, view }) => [index, view]),
      );
      const alone = shuffle([...wanted], rng(threads));
      const single = { ...views, views: alone.map(({ view }) => [view]) };
      const apart = await all(
        loader.load(
          alone.map(({ index }) => files[index]!),
          small,
          undefined,
          undefined,
          single,
        ),
      );
      const seen = [
        ...together.map((result, i) => ({ ...wanted[i]!, result })),
        ...apart.map((result, i) => ({ ...alone[i]!, result })),
      ];
      for (const { index, view, result } of seen) {
        if (!("pixels" in result)) throw new Error(result.error);
        const hash = createHash("sha256").update(Float32Array.from(result.pixels)).digest("hex");
        const key = `${index} ${view}`;
        expect(hash).toBe(expected.get(key) ?? hash);
        expected.set(key, hash);
      }
    }
    expect(new Set(expected.values()).size).toBe(48);
  });

  test("of a file that cannot be loaded fail once, the others keep their places", async () => {
    const files = await pictures(4);
    await writeFile(files[1]!, "text");
    const views = { augmentation, seed: 3, views: [[1, 2], [1, 2, 3], [], [0]] };
    const results = await all(loaderWith({ threads: 1 }).load(files, small, undefined, undefined, views));
    expect(
      results.map((result) => ("error" in result ? [result.index, result.error] : [result.index, result.view])),
    ).toEqual([
      [0, 1],
      [0, 2],
      [1, "is not an image (looks like text)"],
      [3, 0],
    ]);
  });

  test("are read ahead by their number, and a file with very many is decoded again for the rest", async () => {
    const [file] = await pictures(1);
    const large: Preprocessing = { ...small, inputSize: [2048, 2048] }; // 48 MiB each: 5 fit into 256 MiB
    const flip: Augmentation = { version: 1, transforms: [{ name: "horizontal-flip" }] };
    const views = { augmentation: flip, seed: 3, views: [Array.from({ length: 12 }, (_, view) => view)] };
    const results = loaderWith({ threads: 1 }).load([file!], large, undefined, undefined, views);
    const sizes: number[] = [];
    for await (const result of results) sizes.push("pixels" in result ? result.pixels.buffer.byteLength / 2 ** 20 : 0);
    expect(sizes).toEqual([...Array(10).fill(240), 96, 96]);
  });
});

describe("threads", () => {
  test("keep decoding while the calling thread is blocked", async () => {
    const files = await images(96);
    const loader = loaderWith({ threads: 2 });
    const results = loader.load(files, small);
    await results.next();
    await results.next();
    // Blocked, as inside ONNX Runtime: afterwards the next 40 images must be there at once.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
    const start = performance.now();
    for (let i = 0; i < 40; i++) await results.next();
    expect(performance.now() - start).toBeLessThan(400);
    await results.return();
  });

  test("read ahead a bounded number of images", async () => {
    const files = await images(80);
    const large: Preprocessing = { ...small, inputSize: [1024, 1024] }; // 12 MiB each: 21 fit into 256 MiB
    const loader = loaderWith({ threads: 2 });
    const results = loader.load(files, large);
    await results.next();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const unread = files.slice(40);
    await Promise.all(unread.map((file) => writeFile(file, "changed")));
    const list = await all(results);
    expect(list.filter((result) => "error" in result).map(({ index }) => index)).toEqual(unread.map((_, i) => i + 40));
  });

  test("that die are an error which names the file", async () => {
    const folder = await temporaryFolder();
    const workerFile = join(folder, "dies.mjs");
    await writeFile(
      workerFile,
      "export function decodeTask({ files, first, progress }) { progress[1 + first + files.indexOf('b.png')] = 1; process.exit(7); }",
    );
    const results = loaderWith({ threads: 1, workerFile }).load(["a.png", "b.png"], small);
    await expect(all(results)).rejects.toMatchObject({
      code: "BAD_DATA",
      message: expect.stringMatching(/^decoding b\.png ended a decoding thread: .*7/),
    });
  });

  test("that cannot start are an internal error", async () => {
    const results = loaderWith({ threads: 1, workerFile: join(await temporaryFolder(), "none.mjs") }).load(
      ["a.png"],
      small,
    );
    await expect(all(results)).rejects.toMatchObject({ code: "INTERNAL" });
  });

  test("of a module that was not compiled say so, and what to do", () => {
    const options = { worker: "#no-such-worker", built: "dist/no/such.js", name: "task", threads: 1 };
    expect(() => startPool(options)).toThrow(
      expect.objectContaining({
        code: "INTERNAL",
        message: expect.stringMatching(/^internal: dist\/no\/such\.js is missing\. In a checkout run npm run build;/),
      }),
    );
  });

  test.each([-1, 1.5, 257, Number.NaN])("cannot be %d", (threads) => {
    expect(() => new ImageLoader({ threads })).toThrow(RangeError);
  });

  test("are suggested for many files only", () => {
    expect([suggestThreads(0), suggestThreads(1), suggestThreads(10)]).toEqual([0, 0, 0]);
    expect(suggestThreads(1000)).toBeGreaterThan(0);
    expect(suggestThreads(1e6)).toBeLessThanOrEqual(8);
  });
});

withAssets("every messy file (skipped without ../shared/assets)", () => {
  test("gives the same pixels or the same words with and without threads", async () => {
    const folder = join(assets ?? "", "messy", "formats");
    const files = readdirSync(folder).map((name) => join(folder, name));
    const imagenet: Preprocessing = {
      ...small,
      inputSize: [224, 224],
      resize: { kind: "shortest-edge", size: 256 },
      scale: 1 / 255,
    };
    const here = await all(loaderWith({ threads: 0 }).load(files, imagenet));
    const there = await all(loaderWith({ threads: 2 }).load(files, imagenet));
    expect(there.map(content)).toEqual(here.map(content));
    expect(here.filter((result) => "error" in result)).toHaveLength(10);
  });

  test("decodes as decodeImage and preprocess do", async () => {
    const file = join(assets ?? "", "photos", "cat.jpg");
    const [result] = await all(loaderWith({ threads: 0 }).load([file], small));
    expect(result).toEqual({ index: 0, pixels: preprocess(await decodeImage(await readFile(file)), small) });
  });
});
