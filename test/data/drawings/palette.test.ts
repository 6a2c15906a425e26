import { expect, test } from "vitest";
import { times } from "../../../src/data/drawings/dice.ts";
import { css, drawColor, drawPalette, hsl, mix, nearHue } from "../../../src/data/drawings/palette.ts";
import { rng } from "../../../src/random.ts";

test("hues are where CSS has them", () => {
  expect([0, 1 / 6, 1 / 3, 0.5, 2 / 3, 5 / 6, 1].map((hue) => css(hsl(hue, 1, 0.5)))).toEqual([
    "#ff0000",
    "#ffff00",
    "#00ff00",
    "#00ffff",
    "#0000ff",
    "#ff00ff",
    "#ff0000",
  ]);
  expect(css(hsl(-1 / 3, 0.5, 0.25))).toBe("#202060");
  expect(css(mix([0, 0, 0], [1, 1, 1], 0.5))).toBe("#808080");
});

test("colors have the lightness that was asked for", () => {
  const source = rng(5);
  for (const palette of times(50, () => drawPalette(source)))
    for (const draw of [
      () => drawColor(source, palette, [0.6, 0.7]),
      () => nearHue(source, palette, 0.3, [0.6, 0.7]),
    ]) {
      const color = draw();
      const lightness = (Math.max(...color) + Math.min(...color)) / 2;
      expect(lightness).toBeGreaterThan(0.599);
      expect(lightness).toBeLessThan(0.701);
    }
});

test("palettes take all hues, and are gray as well as vivid", () => {
  const source = rng(6);
  const palettes = times(200, () => drawPalette(source));
  const sectors = new Set(palettes.map(({ hues }) => Math.floor(6 * hues[0]!)));
  expect(sectors.size).toBe(6);
  expect(palettes.some(({ saturation }) => saturation[1] < 0.2)).toBe(true);
  expect(palettes.some(({ saturation }) => saturation[0] > 0.5)).toBe(true);
});
