import { describe, expect, test } from "vitest";
import { rng } from "../../../src/random.ts";
import { pixelSchema, pixelSchemas } from "../../../src/transforms/pixels/pixel-schema.ts";
import { PIXEL_TRANSFORMS, type PixelSpec } from "../../../src/transforms/pixels/pixel-table.ts";
import { scene } from "./scene.ts";

test("there is one schema for each transform", () => {
  expect(pixelSchemas.map((schema) => schema.shape.name.value).sort()).toEqual(Object.keys(PIXEL_TRANSFORMS).sort());
});

const complete: readonly PixelSpec[] = [
  { name: "brightness", range: 0.2, probability: 0.5 },
  { name: "contrast", range: [0.5, 1.5] },
  { name: "saturation", range: [0, 100] },
  { name: "hue", range: [-0.5, 0.5] },
  { name: "color-jitter", brightness: 0.2, contrast: [0.8, 1.2], saturation: 0, hue: 0.02, probability: 1 },
  { name: "channel-shift", range: 255, channels: "together" },
  { name: "grayscale", probability: 0.1 },
  { name: "gaussian-blur", sigma: [0.1, 2], kernelSize: 9 },
  { name: "gaussian-blur", sigma: 1.5 },
  { name: "sharpen", range: [0, 2] },
  { name: "posterize", bits: 8 },
  { name: "solarize", threshold: 256 },
  { name: "equalize" },
  { name: "auto-contrast" },
  { name: "invert" },
  { name: "erasing", scale: [0, 1], ratio: [0.3, 3.3], value: [1, 2, 3] },
  { name: "erasing", value: "mean" },
  { name: "rand-augment", operations: 3, magnitude: 30, geometric: false, fill: "reflect", interpolation: "bilinear" },
  { name: "trivial-augment", value: 128 },
  { name: "aug-mix", severity: 10, width: 4, depth: 2, alpha: 0.5, enhancements: false },
];

test.each(complete)("accepts $name as JSON, and the transform accepts it", (spec) => {
  const parsed = pixelSchema.parse(JSON.parse(JSON.stringify(spec)));
  expect(parsed).toEqual(spec);
  const transform = PIXEL_TRANSFORMS[parsed.name] as (image: unknown, options: PixelSpec, source: unknown) => unknown;
  expect(() => transform(scene(9, 7), parsed, rng(1))).not.toThrow();
});

describe("refuses", () => {
  test.each([
    ["a range out of order", { name: "contrast", range: [1.5, 0.5] }],
    ["a negative amount", { name: "brightness", range: -0.2 }],
    ["a turn by more than half", { name: "hue", range: 0.6 }],
    ["a probability above 1", { name: "invert", probability: 1.1 }],
    ["a misspelt option", { name: "color-jitter", brightnes: 0.2 }],
    ["a missing range", { name: "hue" }],
    ["an even kernel", { name: "gaussian-blur", kernelSize: 4 }],
    ["a kernel without end", { name: "gaussian-blur", kernelSize: 1e9 + 1 }],
    ["half a bit", { name: "posterize", bits: 2.5 }],
    ["too many operations", { name: "rand-augment", operations: 1000 }],
    ["an unknown fill", { name: "trivial-augment", fill: "mirror" }],
    ["a level above 255", { name: "erasing", value: 256 }],
    ["an unknown name", { name: "sepia" }],
    ["no name", { range: 0.2 }],
    ["a number", 3],
  ])("%s", (_what, spec) => {
    expect(pixelSchema.safeParse(spec).success).toBe(false);
  });
});
