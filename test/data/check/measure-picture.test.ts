import { describe, expect, test } from "vitest";
import { lumaOf } from "../../../src/data/check/grey-square.ts";
import { measurePicture } from "../../../src/data/check/measure-picture.ts";
import { drawn } from "./made-pictures.ts";

describe("measurePicture", () => {
  test("of one level: no contrast, no entropy, no sharpness", () => {
    expect(measurePicture(new Float32Array(400).fill(70), 20, 20)).toEqual({
      brightness: 70,
      contrast: 0,
      darkest: 70,
      brightest: 70,
      entropy: 0,
      sharpness: 0,
    });
  });

  test("of two equal halves: one bit, and quantiles at the levels", () => {
    const luma = Float32Array.from({ length: 400 }, (_, i) => (i % 20 < 10 ? 50 : 150));
    const { entropy, darkest, brightest, contrast, brightness } = measurePicture(luma, 20, 20);
    expect([entropy, darkest, brightest, contrast, brightness]).toEqual([1, 50, 150, 50, 100]);
  });

  test("leaves 1 % on each side out of the range", () => {
    const luma = new Float32Array(1000).fill(100);
    luma.fill(0, 0, 9).fill(255, 991);
    expect(measurePicture(luma, 40, 25)).toMatchObject({ darkest: 100, brightest: 100 });
    luma.fill(0, 0, 11).fill(255, 989);
    expect(measurePicture(luma, 40, 25)).toMatchObject({ darkest: 0, brightest: 255 });
  });

  test("sees one sharp corner before a smooth background", () => {
    const smooth = Float32Array.from({ length: 64 * 64 }, (_, i) => (i % 64) * 2);
    const corner = smooth.map((value, i) => (i % 64 < 16 && i < 64 * 16 ? ((i + (i >> 6)) % 2) * 200 : value));
    expect(measurePicture(smooth, 64, 64).sharpness).toBeLessThan(0.01);
    expect(measurePicture(corner, 64, 64).sharpness).toBeGreaterThan(1);
  });

  test("falls when a picture is blurred", () => {
    const image = drawn(1, 128, 96);
    const luma = lumaOf(image);
    const blurred = luma.slice();
    for (let y = 4; y < 92; y++)
      for (let x = 4; x < 124; x++) {
        let sum = 0;
        for (let v = -4; v <= 4; v++) for (let u = -4; u <= 4; u++) sum += luma[(y + v) * 128 + x + u]!;
        blurred[y * 128 + x] = sum / 81;
      }
    const sharpness = (levels: Float32Array): number => measurePicture(levels, 128, 96).sharpness;
    expect(sharpness(blurred)).toBeLessThan(sharpness(luma));
  });
});
