import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { preprocess } from "../../../src/transforms/preprocess.ts";
import type { Preprocessing } from "../../../src/transforms/preprocessing.ts";
import { resize } from "../../../src/transforms/resampling/resize.ts";
import { INTERPOLATIONS } from "../../../src/transforms/resampling/resize-taps.ts";
import { crop, picture } from "../picture.ts";

const pair = z.tuple([z.number(), z.number()]);
const made = { width: z.number(), height: z.number(), sha256: z.string(), pixels: z.string().optional() };
const interpolation = z.enum(INTERPOLATIONS);
const golden = z
  .object({
    resize: z.array(z.object({ ...made, from: pair, to: pair, interpolation, crop: z.array(z.number()).optional() })),
    crop: z.array(z.object({ ...made, from: pair, size: z.number(), inputSize: pair, interpolation })),
  })
  .parse(JSON.parse(readFileSync("test/golden/resize/cases.json", "utf8")));

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("resize equals Pillow 9.4 bit for bit", () => {
  test.each(golden.resize)("$from to $to, $interpolation, crop $crop", (row) => {
    const [left, top, right, bottom] = row.crop ?? [];
    const source = left === undefined ? undefined : { left, top: top!, width: right! - left, height: bottom! - top! };
    const [width, height] = row.to;
    const result = resize(picture(...row.from), { width, height, interpolation: row.interpolation, source });
    expect([result.width, result.height]).toEqual([row.width, row.height]);
    if (row.pixels !== undefined) expect([...result.data]).toEqual([...Buffer.from(row.pixels, "base64")]);
    expect(sha256(result.data)).toBe(row.sha256);
  });
});

describe("shortest-edge equals torchvision's Resize and CenterCrop bit for bit", () => {
  test.each(golden.crop)("$from by $size to $inputSize, $interpolation", (row) => {
    const asPixels: Preprocessing = {
      version: 1,
      inputSize: row.inputSize,
      resize: { kind: "shortest-edge", size: row.size },
      interpolation: row.interpolation,
      channels: "RGB",
      layout: "NHWC",
      scale: 1,
      offset: 0,
      mean: [0, 0, 0],
      std: [1, 1, 1],
    };
    expect(sha256(Uint8Array.from(preprocess(picture(...row.from), asPixels)))).toBe(row.sha256);
  });
});

describe("resize", () => {
  const image = picture(43, 31);

  test.each(INTERPOLATIONS)("computes a window as if it were cropped afterwards (%s)", (interpolation) => {
    for (const [width, height] of [
      [20, 12],
      [90, 70],
      [43, 70],
      [20, 31],
      [43, 31],
    ] as const) {
      const whole = resize(image, { width, height, interpolation });
      const window = { left: 5, top: 3, width: 9, height: 7 };
      expect(resize(image, { width, height, interpolation, window })).toEqual(crop(whole, 5, 3, 9, 7));
    }
  });

  test.each(INTERPOLATIONS)("reads a source region as if it were cropped before (%s)", (interpolation) => {
    const source = { left: 7, top: 2, width: 21, height: 25 };
    for (const [width, height] of [
      [10, 12],
      [33, 41],
      [21, 41],
      [10, 25],
      [21, 25],
    ] as const) {
      const expected = resize(crop(image, 7, 2, 21, 25), { width, height, interpolation });
      expect(resize(image, { width, height, interpolation, source })).toEqual(expected);
    }
  });

  test("keeps one color exactly, whatever the filter", () => {
    const flat = { width: 19, height: 23, data: new Uint8Array(19 * 23 * 3).fill(200) };
    for (const interpolation of INTERPOLATIONS) {
      expect(new Set(resize(flat, { width: 50, height: 7, interpolation }).data)).toEqual(new Set([200]));
    }
  });

  test("leaves the picture as it is and shares no memory with the result", () => {
    const before = image.data.slice();
    const same = resize(image, { width: 43, height: 31 });
    same.data.fill(0);
    expect(image.data).toEqual(before);
  });

  test("computes only the window of an enormous result", () => {
    const window = { left: 1_000_000, top: 0, width: 4, height: 4 };
    expect(resize(picture(1000, 2), { width: 4_000_000, height: 8000, window }).data).toHaveLength(48);
  });

  test("refuses sizes and regions that are not whole pixels inside the picture", () => {
    expect(() => resize(image, { width: 0, height: 5 })).toThrow(/window of whole pixels inside 0x5/);
    expect(() => resize(image, { width: 2.5, height: 5 })).toThrow(/2.5x5/);
    expect(() => resize(image, { width: Number.NaN, height: 5 })).toThrow(/BAD_CONFIG|whole pixels/);
    const source = { left: 40, top: 0, width: 4, height: 4 };
    expect(() => resize(image, { width: 5, height: 5, source })).toThrow(
      /source of whole pixels inside 43x31, got 4x4 at \(40, 0\)/,
    );
    expect(() => resize({ ...image, width: 44 }, { width: 5, height: 5 })).toThrow(/requires 4092 bytes, got 3999/);
  });
});
