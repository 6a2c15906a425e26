import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { decodeImage, decodeOrExplain, MAX_PIXELS } from "../../src/data/decode.ts";
import type { Image } from "../../src/transforms/image.ts";
import { assets, withAssets } from "../assets.ts";

function meanOf({ data }: Image): number[] {
  const sums = [0, 0, 0];
  for (let i = 0; i < data.length; i++) sums[i % 3]! += data[i]!;
  return sums.map((sum) => sum / (data.length / 3));
}

withAssets("real and damaged files (skipped without ../shared/assets)", () => {
  const folder = join(assets ?? "", "messy");
  const expected = z
    .record(
      z.string(),
      z.object({
        uprightWidth: z.number().optional(),
        uprightHeight: z.number().optional(),
        meanRgbOnWhite: z.array(z.number()).optional(),
        strictDecode: z.enum(["ok", "error"]),
      }),
    )
    .parse(assets ? JSON.parse(readFileSync(join(folder, "formats.expected.json"), "utf8")) : {});
  const names = assets ? readdirSync(join(folder, "formats")) : [];

  test("cover every file of the folder", () => {
    expect(Object.keys(expected).sort()).toEqual([...names].sort());
  });

  test.each(names)("%s", async (name) => {
    const row = expected[name]!;
    const result = await decodeOrExplain(readFileSync(join(folder, "formats", name)));
    if (row.strictDecode === "error" || name.endsWith(".svg")) {
      expect(result).toEqual({ problem: expect.stringMatching(/^(?:is|cannot be) /) });
      return;
    }
    expect(result).not.toHaveProperty("problem");
    const image = result as Image; // just checked
    expect([image.width, image.height]).toEqual([row.uprightWidth, row.uprightHeight]);
    expect(image.data).toHaveLength(image.width * image.height * 3);
    for (const [c, mean] of meanOf(image).entries()) expect(Math.abs(mean - row.meanRgbOnWhite![c]!)).toBeLessThan(1);
  });

  describe("problems are in words", () => {
    test.each([
      ["empty.jpg", "is empty (0 bytes)"],
      ["html_page.jpg", "is not an image (looks like HTML)"],
      ["text_file.jpg", "is not an image (looks like text)"],
      ["photo.bmp", "is a BMP file, which is not supported; convert it to PNG or JPEG"],
      ["drawing.svg", "is an SVG drawing, which is not supported; convert it to PNG or JPEG"],
      ["truncated_half.jpg", "is cut off or damaged: it cannot be decoded"],
      ["truncated.png", "is cut off or damaged: it cannot be decoded"],
    ])("%s", async (name, problem) => {
      expect(await decodeOrExplain(readFileSync(join(folder, "formats", name)))).toEqual({ problem });
    });
  });

  test("EXIF orientations of one picture give the same picture", async () => {
    const truth = await decodeImage(readFileSync(join(folder, "formats", "exif_upright_truth.jpg")));
    for (const orientation of [3, 5, 6, 8]) {
      const { data } = await decodeImage(readFileSync(join(folder, "formats", `exif_orientation_${orientation}.jpg`)));
      const difference = data.reduce((sum, value, i) => sum + Math.abs(value - truth.data[i]!), 0) / data.length;
      expect(difference).toBeLessThan(3);
    }
  });
});

describe("decodeImage", () => {
  // Left half red, right half blue.
  let halves: Buffer;
  beforeAll(async () => {
    const red = { create: { width: 20, height: 10, channels: 3, background: "#ff0000" } } as const;
    const blue = await sharp({ create: { ...red.create, width: 10, background: "#0000ff" } })
      .png()
      .toBuffer();
    halves = await sharp(red)
      .composite([{ input: blue, left: 10, top: 0 }])
      .png()
      .toBuffer();
  });

  test("gives the pixels of a lossless picture", async () => {
    const image = await decodeImage(halves);
    expect([image.width, image.height]).toEqual([20, 10]);
    expect([...image.data.subarray(0, 3), ...image.data.subarray(57, 60)]).toEqual([255, 0, 0, 0, 0, 255]);
  });

  test("turns pictures upright", async () => {
    const image = await decodeImage(await sharp(halves).withMetadata({ orientation: 6 }).png().toBuffer());
    expect([image.width, image.height]).toEqual([10, 20]); // turned clockwise: red above
    expect([...image.data.subarray(0, 3), ...image.data.subarray(-3)]).toEqual([255, 0, 0, 0, 0, 255]);
  });

  test("composites transparency over white", async () => {
    const create = { width: 2, height: 2, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0.5 } } as const;
    const { data } = await decodeImage(await sharp({ create }).png().toBuffer());
    expect(Math.abs(data[0]! - 127)).toBeLessThanOrEqual(1);
  });

  test("makes three channels of gray and of 16 bits", async () => {
    const gray = await sharp(halves).toColourspace("b-w").png().toBuffer();
    const deep = await sharp(halves).toColourspace("rgb16").png().toBuffer();
    expect((await decodeImage(gray)).data).toHaveLength(600);
    expect([...(await decodeImage(deep)).data.subarray(0, 3)]).toEqual([255, 0, 0]);
  });

  test("throws BAD_DATA for what is not a whole image", async () => {
    await expect(decodeImage(halves.subarray(0, halves.length - 30))).rejects.toMatchObject({ code: "BAD_DATA" });
    await expect(decodeImage(Buffer.from("hello"))).rejects.toThrow("the picture is not an image (looks like text).");
  });

  test("refuses a decompression bomb by its header, without decoding it", async () => {
    // The header of a PNG of 16000 x 16000 pixels, and the compressed data of one pixel.
    const bomb = await sharp({ create: { width: 1, height: 1, channels: 3, background: "white" } })
      .png()
      .toBuffer();
    bomb.writeUInt32BE(16_000, 16);
    bomb.writeUInt32BE(16_000, 20);
    bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29);
    const start = performance.now();
    expect(await decodeOrExplain(bomb)).toEqual({
      problem: `has more than ${MAX_PIXELS} pixels (134 megapixels); make it smaller`,
    });
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
