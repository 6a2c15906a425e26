import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { decodeImage, decodeOrExplain } from "../../src/data/decode.ts";
import { decodeFile } from "../../src/data/decode-file.ts";
import { SHRINK_BYTES, shrunkSize } from "../../src/data/shrink-on-load.ts";
import type { Image } from "../../src/transforms/image.ts";
import { bringToSize } from "../../src/transforms/preprocess.ts";
import type { Preprocessing } from "../../src/transforms/preprocessing.ts";
import type { Augmentation } from "../../src/transforms/transform.ts";
import { assets, withAssets } from "../assets.ts";
import { picture } from "../transforms/picture.ts";
import { temporaryFolder } from "./made.ts";

const plain = (edge: number, changes: Partial<Preprocessing> = {}): Preprocessing => ({
  version: 1,
  inputSize: [edge, edge],
  resize: { kind: "shortest-edge", size: edge },
  interpolation: "bilinear",
  channels: "RGB",
  layout: "NCHW",
  scale: 1,
  offset: 0,
  mean: [0, 0, 0],
  std: [1, 1, 1],
  ...changes,
});
const crop = (scale: readonly [number, number]): Augmentation => ({
  version: 1,
  transforms: [{ name: "random-resized-crop", scale }],
});
const size = (width: number, height: number) => ({ width, height });

describe("shrunkSize", () => {
  test("is three or more times the result, at the largest factor that leaves so much", () => {
    const network = plain(224, { resize: { kind: "shortest-edge", size: 256 } });
    expect(shrunkSize(size(4032, 3024), network)).toEqual({ width: 1023, height: 768, kernel: "mitchell" }); // half
    expect(shrunkSize(size(3024, 4032), network)).toEqual({ width: 768, height: 1023, kernel: "mitchell" });
    expect(shrunkSize(size(8000, 6000), network)).toEqual({ width: 341 * 4, height: 256 * 4, kernel: "mitchell" }); // quarter
    expect(shrunkSize(size(8000, 8000), network)).toEqual({ width: 256 * 3, height: 256 * 3, kernel: "mitchell" });
    expect(shrunkSize(size(2400, 1800), network)).toBeUndefined(); // 7 times
    const stretched = plain(100, { resize: { kind: "stretch" }, interpolation: "bicubic" });
    expect(shrunkSize(size(4000, 1200), stretched)).toEqual({ width: 400, height: 400, kernel: "lanczos3" });
  });

  test("is the file's own where the result would not be within the tolerance", () => {
    expect(shrunkSize(size(4032, 3023), plain(224))).toBeUndefined(); // an odd side
    expect(shrunkSize(size(4032, 3024), plain(224, { interpolation: "nearest" }))).toBeUndefined();
    expect(shrunkSize(size(4032, 3024), plain(224, { interpolation: "box" }))).toBeUndefined();
    expect(shrunkSize(size(4032, 3024), plain(224, { resize: { kind: "center-square" } }))).toBeUndefined();
  });

  test("leaves the smallest part that may be cropped three times as large as the input", () => {
    const network = plain(224);
    expect(shrunkSize(size(4032, 3024), network, crop([0.08, 1]))).toBeUndefined();
    const large = shrunkSize(size(6048, 4032), network, crop([0.5, 1]))!;
    expect(large).toEqual({ width: expect.any(Number), height: expect.any(Number), kernel: "mitchell" });
    const smallest = Math.sqrt(large.width * large.height * 0.5 * 0.75);
    expect(smallest).toBeGreaterThanOrEqual(3 * 224);
    expect(large.width).toBeLessThan(6048 / 3 + 1);
    const flat = crop([0.99, 1]); // only a square of 400 pixels fits where no draw does
    expect(shrunkSize(size(40_000, 400), network, flat)).toBeUndefined();
    const nearest: Augmentation = {
      version: 1,
      transforms: [{ name: "random-resized-crop", scale: [0.5, 1], interpolation: "nearest" }],
    };
    expect(shrunkSize(size(6048, 4032), network, nearest)).toBeUndefined();
    expect(shrunkSize(size(6048, 4032), network, crop([Number.NaN, 1]))).toBeUndefined(); // an error of its own later
  });

  test("is that of the clean image for views that begin with its size, and the file's own for other sizes", () => {
    const clean = shrunkSize(size(4032, 3024), plain(224));
    const begins = (first: Augmentation["transforms"][number]) =>
      shrunkSize(size(4032, 3024), plain(224), { version: 1, transforms: [first] });
    expect(begins({ name: "horizontal-flip" })).toEqual(clean);
    expect(begins({ name: "random-crop" })).toEqual(clean);
    expect(begins({ name: "resize", shorterSide: 1000 })).toBeUndefined();
  });
});

/** A large JPEG file of small pictures beside each other: as sharp as pictures get. */
async function mosaic(pictures: readonly Image[], orientation?: number): Promise<Buffer> {
  const tiles = pictures.map(({ data, width, height }, i) => ({
    input: Buffer.from(data),
    raw: { width, height, channels: 3 as const },
    left: (i % 4) * 512,
    top: Math.floor(i / 4) * 384,
  }));
  return await sharp({ create: { width: 2048, height: 1536, channels: 3, background: "#808080" } })
    .composite(tiles)
    .jpeg({ quality: 92 })
    .withMetadata({ orientation })
    .toBuffer();
}

test("clean and random views of a large file are the same alone and together, upright by its EXIF orientation", async () => {
  const file = join(await temporaryFolder(), "large.jpg");
  const content = await mosaic(Array(16).fill(picture(512, 384)), 6);
  expect(content.length).toBeGreaterThan(SHRINK_BYTES);
  await writeFile(file, content);
  const network = plain(64);
  const upright = await decodeOrExplain(content, undefined, (from) => {
    expect(from).toEqual({ width: 1536, height: 2048 });
    return shrunkSize(from, network);
  });
  expect(upright).toMatchObject({ width: 64 * 4, height: 85 * 4 }); // a quarter: 1536 / 64 / 5
  for (const scale of [0.9, 0.3]) {
    const augmentation = crop([scale, 1]); // with 0.3 decoded larger than the clean image
    const made = async (...numbers: number[]) =>
      (await decodeFile(file, network, { views: { augmentation, seed: 1, numbers } })) as Float32Array;
    const together = await made(1, 0, 2, 0);
    const alone = await Promise.all([1, 0, 2, 0].map((view) => made(view)));
    expect(together).toEqual(Float32Array.from(alone.flatMap((view) => [...view])));
    expect(alone[1]).toEqual(await decodeFile(file, network));
  }
});

/** How far the pixels are from those of full decoding. */
async function distance(content: Uint8Array, network: Preprocessing): Promise<{ mean: number; most: number }> {
  const full = bringToSize(await decodeImage(content), network).data;
  const decoded = await decodeOrExplain(content, undefined, (from) => shrunkSize(from, network));
  if ("problem" in decoded) throw new Error(decoded.problem);
  expect(Math.min(decoded.width, decoded.height)).toBe(network.inputSize[0] * 3);
  const shrunk = bringToSize(decoded, network).data;
  const differences = Array.from(shrunk, (level, i) => Math.abs(level - full[i]!));
  return {
    mean: differences.reduce((sum, value) => sum + value, 0) / differences.length,
    most: differences.reduce((most, value) => Math.max(most, value), 0),
  };
}

withAssets("photographs (skipped without ../shared/assets)", () => {
  const folder = assets ?? "";
  test.each([
    ["half", 160],
    ["quarter", 96],
    ["eighth", 56],
  ] as const)("decoded at a %s and resized are within the tolerance of full decoding", async (_, edge) => {
    const names = "bird cat parrot owl sunflower dragonfly hot_dog pets bald_eagle pelican kitten horses".split(" ");
    const photos = await Promise.all(
      names.map((name) => decodeImage(readFileSync(join(folder, "photos", `${name}.jpg`)))),
    );
    const content = await mosaic(photos.map((photo) => bringToSize(photo, plain(384, { inputSize: [384, 512] }))));
    const bilinear = await distance(content, plain(edge));
    expect(bilinear.mean).toBeLessThan(0.25);
    expect(bilinear.most).toBeLessThanOrEqual(3);
    for (const interpolation of ["bicubic", "lanczos"] as const) {
      const { mean, most } = await distance(content, plain(edge, { interpolation }));
      expect(mean).toBeLessThan(0.4);
      expect(most).toBeLessThanOrEqual(8);
    }
  });

  test("of a telephone are within it too", async () => {
    const content = readFileSync(join(folder, "messy", "formats", "phone_3024x3024_exif6.JPG"));
    const { mean, most } = await distance(content, plain(256));
    expect(mean).toBeLessThan(0.25);
    expect(most).toBeLessThanOrEqual(3);
  });
});
