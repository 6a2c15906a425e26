import { describe, expect, test } from "vitest";
import type { Image } from "../../../src/transforms/image.ts";
import { adjustColor } from "../../../src/transforms/pixels/color.ts";
import { equalizeHistogram, stretchContrast } from "../../../src/transforms/pixels/histogram.ts";
import { cases, sha256 } from "./color-golden.ts";
import { scene } from "./scene.ts";

const image = scene();
const dull = adjustColor(image, [{ kind: "contrast", factor: 0.3 }]);
const gray = (...levels: readonly number[]): Image => ({
  width: levels.length,
  height: 1,
  data: Uint8Array.from(levels.flatMap((level) => [level, level, level])),
});

describe("equals Pillow's ImageOps bit for bit", () => {
  test.each(cases.plain.filter(({ name }) => name === "auto-contrast"))("auto-contrast, picture $option", (row) => {
    expect(sha256(stretchContrast(row.option === 0 ? image : dull))).toBe(row.sha256);
  });

  test.each(cases.plain.filter(({ name }) => name === "equalize"))("equalize, picture $option", (row) => {
    expect(sha256(equalizeHistogram(row.option === 0 ? image : dull))).toBe(row.sha256);
  });
});

test("auto-contrast stretches each channel to 0 and 255, truncated", () => {
  expect([...stretchContrast(gray(50, 100, 150)).data.filter((_, i) => i % 3 === 0)]).toEqual([0, 127, 255]);
  const { data } = stretchContrast(dull);
  for (const channel of [0, 1, 2]) {
    const levels = data.filter((_, i) => i % 3 === channel);
    expect(Math.min(...levels)).toBe(0);
    expect(Math.max(...levels)).toBeGreaterThanOrEqual(254);
  }
});

test("pictures of one level, or of few pixels, stay as they are", () => {
  expect(stretchContrast(gray(7, 7, 7))).toEqual(gray(7, 7, 7));
  expect(equalizeHistogram(gray(7, 7, 7))).toEqual(gray(7, 7, 7));
  expect(equalizeHistogram(gray(1, 2, 3))).toEqual(gray(1, 2, 3));
});

test("equalizing keeps the order of levels and never leaves 0 to 255", () => {
  // 509 dark pixels and one bright: the sum over the step is above 255 before it is cut.
  const levels = [...Array.from({ length: 509 }, (_, i) => (i < 500 ? 3 : 9)), 200];
  const data = equalizeHistogram(gray(...levels)).data.filter((_, i) => i % 3 === 0);
  expect(data[0]).toBeLessThan(data[505]!);
  expect(data[509]).toBe(255);
});
