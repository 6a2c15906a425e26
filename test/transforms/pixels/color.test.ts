import { describe, expect, test } from "vitest";
import { rng } from "../../../src/random.ts";
import {
  type Adjustment,
  adjustColor,
  brightness,
  colorJitter,
  contrast,
  grayscale,
  hue,
  saturation,
  toGrayscale,
} from "../../../src/transforms/pixels/color.ts";
import { cases, sha256 } from "./color-golden.ts";
import { scene } from "./scene.ts";

const image = scene();

test("the scene is the one of the golden file", () => {
  expect(sha256(image)).toBe(cases.scene.sha256);
});

describe("equals torchvision on PIL images bit for bit", () => {
  test.each(cases.color)("$kind $factor", ({ kind, factor, sha256: expected }) => {
    expect(sha256(adjustColor(image, [{ kind, factor }]))).toBe(expected);
  });

  test.each(cases.jitter)("$steps", ({ steps, sha256: expected }) => {
    const adjustments = steps.map(([kind, factor]): Adjustment => ({ kind, factor }));
    expect(sha256(adjustColor(image, adjustments))).toBe(expected);
  });

  test("grayscale", () => {
    expect(sha256(toGrayscale(image))).toBe(cases.plain.find(({ name }) => name === "grayscale")?.sha256);
  });
});

describe("adjustColor", () => {
  test("in one call equals one call after another", () => {
    const source = rng(4);
    for (let i = 0; i < 20; i++) {
      const all = (["brightness", "contrast", "saturation"] as const).map((kind) => ({
        kind,
        factor: 2 * source.next(),
      }));
      const adjustments: Adjustment[] = [...all, { kind: "hue", factor: source.next() - 0.5 }, all[0]!];
      const single = adjustments.reduce((from, adjustment) => adjustColor(from, [adjustment]), image);
      expect(adjustColor(image, adjustments)).toEqual(single);
    }
  });

  test("returns the same object for factors that change nothing", () => {
    const still: Adjustment[] = [
      { kind: "brightness", factor: 1 },
      { kind: "contrast", factor: 1 },
      { kind: "saturation", factor: 1 },
      { kind: "hue", factor: 0 },
      { kind: "hue", factor: 0.003 },
    ];
    expect(adjustColor(image, still)).toBe(image);
    expect(adjustColor(image, [])).toBe(image);
  });

  test("keeps gray pixels gray whatever the hue and saturation", () => {
    const gray = toGrayscale(image);
    expect(adjustColor(gray, [{ kind: "hue", factor: 0.37 }])).toEqual(gray);
    expect(adjustColor(gray, [{ kind: "saturation", factor: 1.8 }])).toEqual(gray);
  });

  test("leaves its argument as it is", () => {
    const before = image.data.slice();
    adjustColor(image, [
      { kind: "saturation", factor: 2 },
      { kind: "hue", factor: 0.2 },
      { kind: "contrast", factor: 2 },
    ]);
    expect(image.data).toEqual(before);
  });

  test("refuses factors outside their range", () => {
    expect(() => adjustColor(image, [{ kind: "hue", factor: 0.6 }])).toThrow(
      /hue requires a factor in \[-0.5, 0.5\], got 0.6/,
    );
    expect(() => adjustColor(image, [{ kind: "contrast", factor: -0.1 }])).toThrow(/contrast requires/);
    expect(() => adjustColor(image, [{ kind: "brightness", factor: Number.NaN }])).toThrow(/got NaN/);
  });
});

describe("random adjustments", () => {
  test("draw every factor inside its range, evenly", () => {
    const flat = { width: 1, height: 1, data: Uint8Array.of(100, 100, 100) };
    const levels = Array.from({ length: 2000 }, (_, i) => brightness(flat, { range: 0.2 }, rng(i)).data[0]!);
    expect(Math.min(...levels)).toBe(80);
    expect(Math.max(...levels)).toBe(119); // truncated
    expect(levels.reduce((sum, level) => sum + level, 0) / levels.length).toBeCloseTo(99.5, 0);
  });

  test("differ by kind", () => {
    const made = [brightness, contrast, saturation, hue].map((transform) =>
      sha256(transform(image, { range: [0.3, 0.31] }, rng(1))),
    );
    expect(new Set(made).size).toBe(4);
  });

  test("of a jitter come in every order", () => {
    // One pixel and two adjustments that do not commute: brightness 3 then contrast 0, or the other way round.
    const dark = { width: 2, height: 1, data: Uint8Array.of(100, 100, 100, 0, 0, 0) };
    const results = Array.from({ length: 64 }, (_, i) =>
      colorJitter(dark, { brightness: [3, 3], contrast: [0, 0] }, rng(i)).data.join(),
    );
    expect(new Set(results)).toEqual(new Set(["128,128,128,128,128,128", "150,150,150,150,150,150"]));
  });

  test("of a jitter that is off change nothing", () => {
    expect(colorJitter(image, {}, rng(1))).toBe(image);
  });

  test("go to zero and not below", () => {
    expect(() => brightness(image, { range: 5 }, rng(1))).not.toThrow();
    expect(() => brightness(image, { range: [-1, 1] }, rng(1))).toThrow(/brightness requires an amount from 0/);
    expect(() => hue(image, { range: 0.7 }, rng(1))).toThrow(/\[-0.5, 0.5\]/);
  });

  test("take the color out of a tenth of the pictures", () => {
    const gray = Array.from({ length: 1000 }, (_, i) => grayscale(image, {}, rng(i)) !== image);
    expect(gray.filter(Boolean).length).toBeGreaterThan(70);
    expect(gray.filter(Boolean).length).toBeLessThan(130);
  });
});
