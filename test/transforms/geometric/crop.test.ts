import { describe, expect, test } from "vitest";
import { rng } from "../../../src/random.ts";
import { centerCrop, randomCrop, resizePicture } from "../../../src/transforms/geometric/crop.ts";
import { cropImage } from "../../../src/transforms/geometric/crop-image.ts";
import { flipImage } from "../../../src/transforms/geometric/flip-image.ts";
import { FILL_MODES, fold } from "../../../src/transforms/resampling/warp.ts";
import { crop, picture } from "../picture.ts";

describe("cropImage", () => {
  const image = picture(13, 9);

  test.each(FILL_MODES)("fills with %s as fold says, wherever the rectangle lies", (fill) => {
    for (const [left, top, width, height] of [
      [2, 3, 5, 4],
      [-4, -3, 21, 15],
      [-30, 2, 8, 5],
      [15, 11, 6, 6],
      [5, -20, 4, 8],
      [12, 8, 1, 1],
    ] as const) {
      const result = cropImage(image, { left, top, width, height }, { fill, value: [1, 2, 3] });
      expect(result.data.length).toBe(width * height * 3);
      for (let i = 0; i < width * height; i++) {
        const column = fold(left + (i % width), 13, fill);
        const row = fold(top + Math.floor(i / width), 9, fill);
        const pixel = (row * 13 + column) * 3;
        const expected = column < 0 || row < 0 ? [1, 2, 3] : [...image.data.subarray(pixel, pixel + 3)];
        expect([...result.data.subarray(i * 3, i * 3 + 3)]).toEqual(expected);
      }
    }
  });

  test("inside the picture copies", () => {
    expect(cropImage(image, { left: 3, top: 2, width: 7, height: 6 })).toEqual(crop(image, 3, 2, 7, 6));
  });

  test("refuses rectangles that are not made of whole pixels, or enormous", () => {
    expect(() => cropImage(image, { left: 0.5, top: 0, width: 3, height: 3 })).toThrow(/whole pixels/);
    expect(() => cropImage(image, { left: 0, top: 0, width: 1e9, height: 3 })).toThrow(/1 to 32768/);
  });
});

test("flipImage mirrors either way, and both is a turn by 180 degrees", () => {
  const image = picture(7, 5);
  const both = flipImage(image, { horizontal: true, vertical: true });
  const pixels = (of: typeof image) => Array.from({ length: 35 }, (_, i) => of.data.slice(i * 3, i * 3 + 3).join());
  expect(pixels(both)).toEqual(pixels(image).toReversed());
  const across = flipImage(image, { horizontal: true, vertical: false });
  expect(pixels(across).slice(0, 7)).toEqual(pixels(image).slice(0, 7).toReversed());
  expect(flipImage(across, { horizontal: true, vertical: false })).toEqual(image);
  expect(
    flipImage(flipImage(image, { horizontal: false, vertical: true }), { horizontal: false, vertical: true }),
  ).toEqual(image);
});

describe("random-crop", () => {
  test("takes every place equally often, and nothing outside", () => {
    const image = picture(6, 5);
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 1200; seed++) {
      const { keypoints } = randomCrop({ image, keypoints: [{ x: 0, y: 0 }] }, { width: 4, height: 4 }, rng(seed));
      const place = `${-keypoints![0]!.x},${-keypoints![0]!.y}`;
      counts.set(place, (counts.get(place) ?? 0) + 1);
    }
    expect([...counts.keys()].map((key) => key.replaceAll("-0", "0")).toSorted()).toEqual([
      "0,0",
      "0,1",
      "1,0",
      "1,1",
      "2,0",
      "2,1",
    ]);
    for (const count of counts.values()) expect(Math.abs(count - 200)).toBeLessThan(70); // five deviations
  });

  test("pads as much as needed on both sides, as torchvision", () => {
    const image = picture(6, 5);
    for (let seed = 0; seed < 50; seed++) {
      const { x, y } = randomCrop({ image, keypoints: [{ x: 0, y: 0 }] }, { width: 10, height: 5 }, rng(seed))
        .keypoints![0]!;
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThanOrEqual(4); // the whole picture is in the crop
      expect(Math.abs(y)).toBe(0);
    }
  });
});

test("sizes that are there already are the same image object", () => {
  const image = picture(6, 5);
  const any = rng(0);
  expect(centerCrop({ image }, {}, any).image).toBe(image);
  expect(randomCrop({ image }, {}, any).image).toBe(image);
  expect(resizePicture({ image }, {}, any).image).toBe(image);
  expect(resizePicture({ image }, { shorterSide: 5 }, any).image).toBe(image);
});
