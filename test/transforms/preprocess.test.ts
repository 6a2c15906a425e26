import { describe, expect, test } from "vitest";
import { bringToSize, normalize, preprocess } from "../../src/transforms/preprocess.ts";
import type { Preprocessing } from "../../src/transforms/preprocessing.ts";
import { resize } from "../../src/transforms/resampling/resize.ts";
import { crop, picture } from "./picture.ts";

const plain: Preprocessing = {
  version: 1,
  inputSize: [2, 2],
  resize: { kind: "stretch" },
  interpolation: "bilinear",
  channels: "RGB",
  layout: "NHWC",
  scale: 1,
  offset: 0,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};
const four = { width: 2, height: 2, data: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) };

describe("preprocess", () => {
  test("lays pixels out by pixel or by channel", () => {
    expect([...preprocess(four, plain)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect([...preprocess(four, { ...plain, layout: "NCHW" })]).toEqual([1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12]);
  });

  test("orders channels, and takes mean and std in that order", () => {
    const bgr: Preprocessing = { ...plain, channels: "BGR", mean: [3, 2, 1], std: [1, 2, 4] };
    expect([...preprocess(four, bgr).subarray(3, 6)]).toEqual([3, 1.5, 0.75]); // (6-3)/1, (5-2)/2, (4-1)/4
  });

  test("computes ((pixel * scale + offset) - mean) / std", () => {
    const imagenet: Preprocessing = {
      ...plain,
      scale: 1 / 255,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    };
    const value = preprocess({ ...four, data: new Uint8Array(12).fill(255) }, imagenet);
    expect(value[0]).toBeCloseTo((1 - 0.485) / 0.229, 6);
    expect(value[4]).toBeCloseTo((1 - 0.456) / 0.224, 6);
    const tensorFlow: Preprocessing = { ...plain, scale: 1 / 127.5, offset: -1 };
    expect([...preprocess({ ...four, data: new Uint8Array(12).fill(255) }, tensorFlow)]).toEqual(Array(12).fill(1));
  });

  test("takes the largest centered square", () => {
    const image = picture(31, 20);
    const expected = resize(crop(image, 5, 0, 20, 20), { width: 8, height: 8 }).data;
    const result = preprocess(image, { ...plain, inputSize: [8, 8], resize: { kind: "center-square" } });
    expect([...result]).toEqual([...expected]);
  });

  test("stretches to the input's height and width", () => {
    const image = picture(31, 20);
    const result = preprocess(image, { ...plain, inputSize: [6, 9] });
    expect([...result]).toEqual([...resize(image, { width: 9, height: 6 }).data]);
  });

  test("pads with black, which is then normalized like any pixel", () => {
    const result = preprocess(four, {
      ...plain,
      inputSize: [2, 4],
      resize: { kind: "shortest-edge", size: 2 },
      offset: 7,
    });
    expect([...result]).toEqual([7, 7, 7, 8, 9, 10, 11, 12, 13, 7, 7, 7, 7, 7, 7, 14, 15, 16, 17, 18, 19, 7, 7, 7]);
  });

  test("is bringToSize and then normalize", () => {
    for (const how of [
      { kind: "stretch" },
      { kind: "center-square" },
      { kind: "shortest-edge", size: 5 }, // smaller than the input: padded
    ] as const) {
      const preprocessing: Preprocessing = { ...plain, inputSize: [6, 9], resize: how, scale: 1 / 3, mean: [1, 2, 3] };
      const sized = bringToSize(picture(31, 20), preprocessing);
      expect([sized.width, sized.height, sized.data.length]).toEqual([9, 6, 162]);
      expect(normalize(sized, preprocessing)).toEqual(preprocess(picture(31, 20), preprocessing));
    }
    expect(() => normalize(picture(8, 6), { ...plain, inputSize: [6, 9] })).toThrow(
      /picture of 9x6 pixels in 162 bytes, got 8x6 in 144/,
    );
  });

  test("copes with pictures of one pixel and of extreme shapes", () => {
    for (const [width, height] of [
      [1, 1],
      [2000, 1],
      [1, 2000],
      [3, 1500],
    ] as const) {
      for (const how of [
        { kind: "stretch" },
        { kind: "center-square" },
        { kind: "shortest-edge", size: 256 },
      ] as const) {
        const result = preprocess(picture(width, height), { ...plain, inputSize: [224, 224], resize: how });
        expect(result).toHaveLength(3 * 224 * 224);
        expect(result.every((value) => value >= 0 && value <= 255)).toBe(true);
      }
    }
  });

  test("writes every value of a given array, and refuses one of another length", () => {
    const out = new Float32Array(12).fill(Number.NaN);
    expect(preprocess(four, plain, out)).toBe(out);
    expect(out.every(Number.isFinite)).toBe(true);
    expect(() => preprocess(four, plain, new Float32Array(11))).toThrow(/3 x 2 x 2 = 12 values, got 11/);
  });
});
