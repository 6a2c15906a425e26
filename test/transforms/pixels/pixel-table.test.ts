import { describe, expect, test } from "vitest";
import { rng } from "../../../src/random.ts";
import type { Image } from "../../../src/transforms/image.ts";
import { movesPixels, PIXEL_TRANSFORMS, type PixelSpec } from "../../../src/transforms/pixels/pixel-table.ts";
import { sha256 } from "./color-golden.ts";
import { scene } from "./scene.ts";

/** A row for each transform, with options under which it changes the scene whatever the seed, or nearly so. */
const ROWS: readonly PixelSpec[] = [
  { name: "brightness", range: [1.3, 1.4] },
  { name: "contrast", range: [0.5, 0.6] },
  { name: "saturation", range: [1.5, 2] },
  { name: "hue", range: [0.1, 0.2] },
  { name: "color-jitter", brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
  { name: "channel-shift", range: [10, 30] },
  { name: "grayscale" },
  { name: "gaussian-blur", sigma: [1, 2] },
  { name: "sharpen", range: [1.5, 2] },
  { name: "posterize", bits: 2 },
  { name: "solarize", threshold: 100 },
  { name: "equalize" },
  { name: "auto-contrast" },
  { name: "invert" },
  { name: "erasing", value: "random" },
  { name: "rand-augment", magnitude: 20 },
  { name: "trivial-augment" },
  { name: "aug-mix" },
];

/** Those without anything to draw beside the probability. */
const FIXED = new Set(["grayscale", "posterize", "solarize", "equalize", "auto-contrast", "invert"]);

const image = scene();
const extremes: readonly Image[] = [
  { width: 1, height: 1, data: Uint8Array.of(255, 0, 128) },
  { width: 40, height: 1, data: new Uint8Array(120).fill(255) },
  { width: 1, height: 40, data: new Uint8Array(120) },
  { width: 31, height: 33, data: Uint8Array.from({ length: 3069 }, (_, i) => (i % 2 ? 255 : 0)) },
];

function apply(from: Image, spec: PixelSpec, seed: number): Image {
  const transform = PIXEL_TRANSFORMS[spec.name] as (image: Image, options: PixelSpec, source: unknown) => Image;
  return transform(from, spec, rng(seed));
}

test("every transform has a row", () => {
  expect(ROWS.map(({ name }) => name).sort()).toEqual(Object.keys(PIXEL_TRANSFORMS).sort());
});

describe.each(ROWS)("$name", (row) => {
  test("is the identity with probability 0: the same object", () => {
    for (let seed = 0; seed < 20; seed++) expect(apply(image, { ...row, probability: 0 }, seed)).toBe(image);
  });

  test("makes the same pixels from the same seed, and others from others unless there is nothing to draw", () => {
    const made = Array.from({ length: 20 }, (_, seed) => sha256(apply(image, { ...row, probability: 1 }, seed)));
    const again = Array.from({ length: 20 }, (_, seed) => sha256(apply(image, { ...row, probability: 1 }, seed)));
    expect(again).toEqual(made);
    if (FIXED.has(row.name)) expect(new Set(made).size).toBe(1);
    else expect(new Set(made).size).toBeGreaterThan(5);
  });

  test("changes the picture with probability 1, and never its argument", () => {
    const before = image.data.slice();
    const changed = Array.from({ length: 20 }, (_, seed) => sha256(apply(image, { ...row, probability: 1 }, seed)));
    expect(changed.filter((hash) => hash !== sha256(image)).length).toBeGreaterThan(14); // policies have an identity
    expect(image.data).toEqual(before);
  });

  test("keeps the size, of the smallest and the most extreme pictures too", () => {
    for (const from of [image, ...extremes]) {
      const before = from.data.slice();
      for (let seed = 0; seed < 10; seed++) {
        const result = apply(from, { ...row, probability: 1 }, seed);
        expect([result.width, result.height, result.data.length]).toEqual([from.width, from.height, from.data.length]);
        expect(result.data).toBeInstanceOf(Uint8Array);
      }
      expect(from.data).toEqual(before);
    }
  });

  test("happens in about half of the pictures with probability 0.5", () => {
    const small = scene(12, 10);
    const changed = Array.from(
      { length: 300 },
      (_, seed) => apply(small, { ...row, probability: 0.5 }, seed) !== small,
    );
    expect(changed.filter(Boolean).length).toBeGreaterThan(100);
    expect(changed.filter(Boolean).length).toBeLessThan(190);
  });

  test.each([-0.5, 2, Number.NaN])("refuses probability %s", (probability) => {
    expect(() => apply(image, { ...row, probability }, 1)).toThrow(/probability in \[0, 1\]/);
  });
});

test("white stays white and black black where levels only stretch: nothing wraps around", () => {
  for (const level of [0, 255]) {
    const flat = { width: 10, height: 10, data: new Uint8Array(300).fill(level) };
    for (const spec of ROWS.slice(1, 4)) expect(apply(flat, spec, 1), spec.name).toEqual(flat);
    for (const name of ["gaussian-blur", "sharpen", "equalize", "auto-contrast"] as const) {
      expect(apply(flat, { name, probability: 1 }, 1), name).toEqual(flat);
    }
  }
  const white = { width: 10, height: 10, data: new Uint8Array(300).fill(255) };
  expect(apply(white, { name: "brightness", range: [3, 9] }, 1)).toEqual(white);
  expect(apply(white, { name: "channel-shift", range: [100, 255] }, 1)).toEqual(white);
});

test("policies say whether they move pixels", () => {
  expect(ROWS.filter(movesPixels).map(({ name }) => name)).toEqual(["rand-augment", "trivial-augment", "aug-mix"]);
  expect(movesPixels({ name: "rand-augment", geometric: false })).toBe(false);
});
