import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Image } from "../../../src/transforms/image.ts";
import { kerasMatrix } from "../../../src/transforms/keras/keras-affine.ts";
import { IDENTITY, type Matrix, scaling, translation } from "../../../src/transforms/resampling/matrix.ts";
import { FILL_MODES, fold, warp } from "../../../src/transforms/resampling/warp.ts";
import { difference, unpackedNumbers } from "../golden.ts";
import { picture } from "../picture.ts";

/** One row of gray pixels. */
function line(...levels: readonly number[]): Image {
  return { width: levels.length, height: 1, data: Uint8Array.from(levels.flatMap((level) => [level, level, level])) };
}

const reds = ({ data }: Image): number[] => [...data].filter((_, i) => i % 3 === 0);

describe("fold", () => {
  test.each([
    ["constant", "....abcd...."],
    ["nearest", "aaaaabcddddd"],
    ["reflect", "dcbaabcddcba"],
    ["wrap", "abcdabcdabcd"],
  ] as const)("%s", (mode, seen) => {
    const pixels = Array.from({ length: 12 }, (_, i) => "abcd"[fold(i - 4, 4, mode)] ?? ".");
    expect(pixels.join("")).toBe(seen);
  });

  test("stays inside the axis, however far away and however short it is", () => {
    for (const size of [1, 2, 5]) {
      for (const i of [-(2 ** 30), -17, 17, 2 ** 30]) {
        for (const mode of ["nearest", "reflect", "wrap"] as const) {
          expect(fold(i, size, mode)).toBeGreaterThanOrEqual(0);
          expect(fold(i, size, mode)).toBeLessThan(size);
        }
      }
    }
  });
});

describe("warp", () => {
  test.each([
    ["constant", [9, 9, 10, 20, 30, 40, 9, 9]],
    ["nearest", [10, 10, 10, 20, 30, 40, 40, 40]],
    ["reflect", [20, 10, 10, 20, 30, 40, 40, 30]],
    ["wrap", [30, 40, 10, 20, 30, 40, 10, 20]],
  ] as const)("fills with %s", (fill, expected) => {
    for (const interpolation of ["nearest", "bilinear"] as const) {
      const result = warp(line(10, 20, 30, 40), translation(-2, 0), { width: 8, fill, value: 9, interpolation });
      expect(reds(result)).toEqual(expected);
    }
  });

  test("reads between pixels, and repeats the edge in the outer half pixel of constant", () => {
    expect(reds(warp(line(10, 20, 30, 41), translation(0.5, 0), { value: 99 }))).toEqual([15, 25, 36, 99]);
    expect(reds(warp(line(10, 20, 30, 41), translation(0.25, 0), { value: 99 }))).toEqual([13, 23, 33, 41]);
    expect(reds(warp(line(10, 20, 30, 40), translation(0.5, 0), { fill: "wrap" }))).toEqual([15, 25, 35, 25]);
  });

  test("fills with a color", () => {
    expect([...warp(line(1), translation(5, 0), { value: [7, 8, 9] }).data]).toEqual([7, 8, 9]);
  });

  test("the identity copies, whatever the interpolation and the fill", () => {
    const image = picture(19, 13);
    for (const interpolation of ["nearest", "bilinear"] as const) {
      for (const fill of FILL_MODES) expect(warp(image, IDENTITY, { interpolation, fill })).toEqual(image);
    }
  });

  test("beyond the horizon nothing is read outside the picture", () => {
    const matrix: Matrix = [1, 0, 0, 0, 1, 0, -0.11, 0.07, 1]; // the horizon crosses the result
    for (const fill of FILL_MODES) {
      const { data } = warp(picture(20, 20), matrix, { fill, value: 3 });
      expect(data.length).toBe(1200);
    }
    const far = warp(line(5, 6), [1, 0, 0, 0, 1, 0, 0, 0, 0], { fill: "nearest" }); // every position is at infinity
    expect(reds(far).every((level) => level === 5 || level === 6)).toBe(true);
  });

  test("a picture of one pixel is that pixel, everywhere", () => {
    for (const fill of ["nearest", "reflect", "wrap"] as const) {
      expect(new Set(warp(line(77), scaling(0.3, 9), { width: 9, height: 8, fill }).data)).toEqual(new Set([77]));
    }
  });

  test("refuses sizes and matrices that cannot be used", () => {
    expect(() => warp(line(1), IDENTITY, { width: 0 })).toThrow(/size of 1 to 32768/);
    expect(() => warp(line(1), IDENTITY, { height: 1e9 })).toThrow(/BAD_CONFIG|32768/);
    expect(() => warp(line(1), [Number.NaN, 0, 0, 0, 1, 0, 0, 0, 1])).toThrow(/finite/);
  });
});

describe("warp equals Keras within one grey level where both mean the same", () => {
  const row = z.object({
    size: z.tuple([z.number(), z.number()]),
    generator: z.object({ fill_mode: z.enum(FILL_MODES).optional(), interpolation_order: z.number().optional() }),
    parameters: z.record(z.string(), z.unknown()),
    type: z.enum(["uint8", "uint16", "float32"]),
    data: z.string(),
  });
  const golden = z
    .object({ transforms: z.array(row) })
    .parse(JSON.parse(readFileSync("test/golden/transforms/keras.json", "utf8")));
  const alike = golden.transforms.filter(
    ({ size, generator }) =>
      (generator.fill_mode === "nearest" || generator.fill_mode === "reflect") &&
      generator.interpolation_order === undefined &&
      size[0] === size[1],
  );

  test("rows were chosen", () => expect(alike.length).toBe(18));

  test.each(alike)("$generator.fill_mode $parameters", ({ size, generator, parameters, type, data }) => {
    const map = z.record(z.string(), z.number()).parse(parameters);
    const matrix = kerasMatrix(
      { theta: 0, tx: 0, ty: 0, shear: 0, zx: 1, zy: 1, ...map },
      { x: size[0] / 2, y: size[1] / 2 },
    );
    const { most, mean } = difference(
      warp(picture(...size), matrix, { fill: generator.fill_mode }).data,
      unpackedNumbers(type, data),
    );
    expect(most).toBeLessThanOrEqual(0.75); // half a level of rounding, and weights of 11 bits
    expect(mean).toBeLessThanOrEqual(0.31); // shifts by half a pixel end at half a level
  });
});
