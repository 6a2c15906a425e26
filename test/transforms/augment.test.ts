import { describe, expect, test } from "vitest";
import { rng } from "../../src/random.ts";
import { augmentImage, startOf } from "../../src/transforms/augment.ts";
import { bringToSize } from "../../src/transforms/preprocess.ts";
import type { Preprocessing } from "../../src/transforms/preprocessing.ts";
import { resize } from "../../src/transforms/resampling/resize.ts";
import type { Augmentation, TransformSpec } from "../../src/transforms/transform.ts";
import { crop, picture } from "./picture.ts";

const preprocessing: Preprocessing = {
  version: 1,
  inputSize: [24, 32],
  resize: { kind: "shortest-edge", size: 36 },
  interpolation: "bicubic",
  channels: "RGB",
  layout: "NCHW",
  scale: 1 / 255,
  offset: 0,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};
const image = picture(90, 60);
const made = (...transforms: readonly TransformSpec[]): Augmentation => ({ version: 1, transforms });
const view = (augmentation: Augmentation, seed = 1, how = preprocessing) =>
  augmentImage(image, how, augmentation, rng(seed));

describe("augmentImage", () => {
  test("without an effect is the picture as the network sees it", () => {
    expect(view(made())).toEqual(bringToSize(image, preprocessing));
    expect(view(made({ name: "rotate", degrees: 30, probability: 0 }))).toEqual(bringToSize(image, preprocessing));
  });

  test("always has the network's size, and depends on the seed only", () => {
    const lists = [
      made({ name: "random-resized-crop" }, { name: "horizontal-flip" }),
      made({ name: "random-crop" }),
      made({ name: "random-crop", padding: 4 }, { name: "rotate", degrees: 10, fill: "reflect" }),
      made({ name: "center-crop" }),
      made({ name: "resize", shorterSide: 40 }, { name: "random-crop" }),
      made({ name: "rotate", degrees: 20 }, { name: "color-jitter", brightness: 0.2 }),
      made({ name: "keras-affine", rotationRange: 20 }),
    ];
    for (const list of lists) {
      for (const kind of ["shortest-edge", "stretch", "center-square"] as const) {
        const how: Preprocessing = {
          ...preprocessing,
          resize: kind === "shortest-edge" ? { kind, size: 36 } : { kind },
        };
        for (const seed of [1, 2, 3]) {
          const result = view(list, seed, how);
          expect([result.width, result.height, result.data.length]).toEqual([32, 24, 32 * 24 * 3]);
          expect(view(list, seed, how)).toEqual(result);
        }
      }
    }
  });

  test("a random resized crop takes the decoded picture straight to the network's size, with its filter", () => {
    const whole = made({ name: "random-resized-crop", scale: [1, 1], ratio: [1.5, 1.5] });
    expect(view(whole)).toEqual(resize(image, { width: 32, height: 24, interpolation: "bicubic" }));
    expect(startOf(whole)).toBe("decoded");
  });

  test("a random crop takes the place of the preprocessing's center crop", () => {
    const resized = resize(image, { width: 54, height: 36, interpolation: "bicubic" });
    const places = Array.from({ length: 23 * 13 }, (_, i) => crop(resized, i % 23, Math.floor(i / 23), 32, 24).data);
    for (const seed of [1, 2, 3]) {
      const { data } = view(made({ name: "random-crop" }), seed);
      expect(places.filter((place) => Buffer.compare(place, data) === 0).length).toBe(1);
    }
    expect(startOf(made({ name: "random-crop" }))).toBe("resized");
    expect(view(made({ name: "center-crop" }))).toEqual(bringToSize(image, preprocessing));
  });

  test("a very long picture costs no more than what the crop shows", () => {
    const long = { width: 2, height: 20_000, data: new Uint8Array(120_000) }; // resized, 36 x 360,000 pixels
    const started = performance.now();
    expect(augmentImage(long, preprocessing, made({ name: "random-crop" }), rng(1)).height).toBe(24);
    expect(performance.now() - started).toBeLessThan(500);
  });

  test("transforms that end at another size are refused, in words", () => {
    expect(() => view(made({ name: "resize", shorterSide: 40 }))).toThrow(
      /network's input of 32x24 pixels, got 60x40 after resize/,
    );
    expect(() => view(made({ name: "rotate", degrees: 3 }, { name: "center-crop", width: 10 }))).toThrow(/got 10x24/);
  });
});
