import { describe, expect, test } from "vitest";
import { parseAugmentation, TRANSFORM_NAMES } from "../../src/transforms/augmentation-schema.ts";
import { geometricSchema, geometricSchemas } from "../../src/transforms/geometric/geometric-schema.ts";
import { GEOMETRIC } from "../../src/transforms/geometric/geometric-table.ts";
import { PIXEL_TRANSFORMS } from "../../src/transforms/pixels/pixel-table.ts";

describe("parseAugmentation", () => {
  test("takes an augmentation, or the list alone, and gives back what it was given", () => {
    const transforms = [
      { name: "random-resized-crop", scale: [0.5, 1], ratio: [0.75, 1.333] },
      { name: "rotate", degrees: [-10, 10], fill: "reflect" },
      { name: "shift", x: 0.1, y: [0, 5], unit: "pixels", value: [1, 2, 3] },
      { name: "horizontal-flip", probability: 0.5 },
      {
        name: "keras-affine",
        widthShiftRange: [-3, 0, 3],
        zoomRange: [0.8, 1.2],
        fillMode: "nearest",
        interpolationOrder: 0,
      },
      { name: "color-jitter", brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.02 },
    ];
    const text = JSON.stringify({ version: 1, transforms });
    expect(parseAugmentation(JSON.parse(text))).toEqual({ version: 1, transforms });
    expect(JSON.stringify(parseAugmentation(JSON.parse(JSON.stringify(transforms))))).toBe(text);
    expect(parseAugmentation([])).toEqual({ version: 1, transforms: [] });
  });

  test.each<[unknown, RegExp]>([
    [null, /^augmentation requires \{ version: 1, transforms/],
    [{ version: 2, transforms: [] }, /version: .*expected 1/],
    [{ version: 1, transforms: [], extra: 1 }, /unknown "extra"; it takes version, transforms/],
    [Array.from({ length: 101 }, () => ({ name: "invert" })), /at most 100 transforms/],
    [["rotate"], /transforms\[0\] requires an object with the name of a transform. Known are resize, .*aug-mix/],
    [
      [{ name: "invert" }, { name: "roate", degrees: 5 }],
      /transforms\[1\] is named "roate", which is no transform. Did you mean "rotate"\?/,
    ],
    [[{ name: "horizontalFlip" }], /Did you mean "horizontal-flip"/],
    [[{ name: "xyzzy".repeat(1000) }], /is no transform. Known are/],
    [[{ name: "constructor" }], /is no transform/],
    [[{ name: "rotate" }], /transforms\[0\] \("rotate"\) cannot be used. degrees: /],
    [[{ name: "rotate", degrees: "ten" }], /degrees: .*expected number/],
    [[{ name: "rotate", degrees: [10, -10] }], /degrees: .*lowest <= highest/],
    [[{ name: "rotate", degrees: 5, fil: "wrap" }], /unknown "fil"; did you mean fill\?/],
    [
      [{ name: "rotate", degrees: 5, zzz: 1 }],
      /unknown "zzz"; it takes degrees, probability, fill, value, interpolation/,
    ],
    [[{ name: "rotate", degrees: 5, fill: "mirror" }], /fill: .*"constant"\|"nearest"\|"reflect"\|"wrap"/],
    [[{ name: "horizontal-flip", probability: 1.5 }], /probability: .*<=1/],
    [[{ name: "resize", shorterSide: 4, width: 4 }], /not both/],
    [[{ name: "zoom", factor: [0, 1] }], /factor\[0\]: .*0\.01/],
    [[{ name: "posterize", bits: 9 }], /"posterize".*bits: /],
    [[{ name: "rotate", degrees: Number.POSITIVE_INFINITY }], /degrees/],
  ])("refuses %o", (json, message) => {
    expect(() => parseAugmentation(json)).toThrow(message);
    expect(() => parseAugmentation(json)).toThrow(expect.objectContaining({ code: "BAD_CONFIG" }));
  });

  test("names the file in messages", () => {
    expect(() => parseAugmentation([{ name: "flop" }], "augment.json")).toThrow(
      /^augment.json: transforms\[0\] is named "flop"/,
    );
  });

  test("messages stay short for hostile input", () => {
    const keys = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`key${i}`.repeat(20), 1]));
    for (const json of [[{ name: "rotate", degrees: 1, ...keys }], [{ name: "shift", x: Array(10_000).fill("a") }]]) {
      let message = "";
      try {
        parseAugmentation(json);
      } catch (error) {
        message = String(error);
      }
      expect(message).toMatch(/transforms\[0\]/);
      expect(message.length).toBeLessThan(1500);
    }
  });
});

test("every transform of both tables has a schema", () => {
  expect(geometricSchemas.map(({ shape }) => shape.name.value)).toEqual(Object.keys(GEOMETRIC));
  expect(TRANSFORM_NAMES).toEqual([...Object.keys(GEOMETRIC), ...Object.keys(PIXEL_TRANSFORMS)]);
  expect(new Set(TRANSFORM_NAMES).size).toBe(TRANSFORM_NAMES.length);
  expect(geometricSchema.safeParse({ name: "vertical-flip" }).success).toBe(true);
});
