import { describe, expect, test } from "vitest";
import { rng } from "../../../src/random.ts";
import { adjustSharpness, blurGaussian, gaussianBlur, sharpen } from "../../../src/transforms/pixels/filter.ts";
import { cases, sha256 } from "./color-golden.ts";
import { scene } from "./scene.ts";

const image = scene();

describe("equals torchvision bit for bit on the scene", () => {
  // Elsewhere 1 grey level is possible in a blur: float32 there, float64 here.
  test.each(cases.blur)(
    "gaussian blur of $kernelSize pixels, sigma $sigma",
    ({ kernelSize, sigma, sha256: expected }) => {
      expect(sha256(blurGaussian(image, kernelSize, sigma))).toBe(expected);
    },
  );

  test.each(cases.plain.filter(({ name }) => name === "sharpness"))(
    "sharpness $option",
    ({ option, sha256: expected }) => {
      expect(sha256(adjustSharpness(image, option))).toBe(expected);
    },
  );
});

describe("blur", () => {
  test("keeps one color", () => {
    const flat = { width: 9, height: 7, data: new Uint8Array(189).fill(201) };
    expect(blurGaussian(flat, 5, 3)).toEqual(flat);
  });

  test("reflects as often as needed where the kernel is larger than the picture", () => {
    for (const [width, height] of [
      [1, 1],
      [1, 5],
      [3, 2],
    ] as const) {
      const { data } = blurGaussian(scene(width, height), 31, 40);
      expect(data).toHaveLength(width * height * 3);
    }
    // Far wider than the picture: nearly the mean of the reflected row 0 100 200 100, which is 100.
    const row = { width: 3, height: 1, data: Uint8Array.of(0, 0, 0, 100, 100, 100, 200, 200, 200) };
    expect([...blurGaussian(row, 401, 60).data].every((level) => level === 100)).toBe(true);
  });

  test("of one pixel is the picture itself", () => {
    expect(blurGaussian(image, 1, 2)).toBe(image);
  });

  test("smooths more with a larger sigma", () => {
    const roughness = (sigma: number) => {
      const { data } = gaussianBlur(image, { sigma }, rng(1));
      return data.reduce((sum, level, i) => sum + (i > 2 ? Math.abs(level - data[i - 3]!) : 0), 0);
    };
    expect(roughness(0.8)).toBeLessThan(roughness(0.4));
    expect(roughness(2)).toBeLessThan(roughness(0.8));
  });

  test("refuses even and endless kernels", () => {
    expect(() => blurGaussian(image, 4, 1)).toThrow(/odd kernelSize from 1 to 1023 pixels, got 4/);
    expect(() => blurGaussian(image, 1e9 + 1, 1)).toThrow(/got 1000000001/);
    expect(() => blurGaussian(image, 3, 0)).toThrow(/sigma above 0/);
    expect(() => gaussianBlur(image, { sigma: [2, 1] }, rng(1))).toThrow(/0 < low <= high/);
    expect(() => gaussianBlur(image, { sigma: [0.1, 1e6] }, rng(1))).not.toThrow();
  });
});

describe("sharpening", () => {
  test("leaves the border, and pictures that are all border", () => {
    const { data, width } = adjustSharpness(image, 2);
    expect(data.subarray(0, width * 3)).toEqual(image.data.subarray(0, width * 3));
    expect(adjustSharpness(scene(2, 9), 3)).toEqual(scene(2, 9));
    expect(adjustSharpness(scene(9, 2), 3)).toEqual(scene(9, 2));
    expect(adjustSharpness(scene(1, 1), 3)).toEqual(scene(1, 1));
  });

  test("by factor 1 is the picture itself", () => {
    expect(adjustSharpness(image, 1)).toBe(image);
    expect(sharpen(image, { range: 0, probability: 1 }, rng(1))).toBe(image);
  });

  test("refuses a negative factor", () => {
    expect(() => adjustSharpness(image, -1)).toThrow(/at least 0, got -1/);
    expect(() => sharpen(image, { range: [-1, 1] }, rng(1))).toThrow(/sharpen requires/);
  });
});
