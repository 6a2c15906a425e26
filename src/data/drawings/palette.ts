/** The colors of one drawing: some hues, how saturated they are, and how light. */
import type { Rng } from "../../random.ts";
import { between, chance, oneOf, type Range } from "./dice.ts";

/** Red, green and blue of sRGB in [0, 1]. */
export type Color = readonly [red: number, green: number, blue: number];

/** Which colors go together. */
export interface Palette {
  /** In turns of the color circle: 0 is red, 1/3 green. */
  readonly hues: readonly number[];
  readonly saturation: Range;
}

/** How the hues of a palette stand to the first one. */
const SCHEMES: readonly (readonly number[])[] = [
  [0],
  [0, 0.06, -0.07],
  [0, 0.5],
  [0, 0.42, 0.58],
  [0, 0.33, 0.67],
  [0, 0.08, 0.5],
  [0, 0.17, 0.35, 0.5, 0.67, 0.83],
];

const SATURATIONS: readonly Range[] = [
  [0, 0.12],
  [0.1, 0.4],
  [0.15, 0.6],
  [0.3, 0.7],
  [0.35, 0.85],
  [0.6, 1],
];

/** Draws a palette. */
export function drawPalette(source: Rng): Palette {
  const first = source.next();
  const scheme = oneOf(source, SCHEMES);
  return { hues: scheme.map((step) => first + step), saturation: oneOf(source, SATURATIONS) };
}

/** Draws a color of a palette, of a lightness (HSL) in the range. */
export function drawColor(source: Rng, { hues, saturation }: Palette, lightness: Range): Color {
  const hue = oneOf(source, hues) + 0.025 * source.normal();
  return hsl(hue, between(source, ...saturation), between(source, ...lightness));
}

/** Draws a color near a hue: grass, wood and sky have their own, whatever the palette. */
export function nearHue(source: Rng, palette: Palette, hue: number, lightness: Range): Color {
  if (chance(source, 0.3)) return drawColor(source, palette, lightness);
  return hsl(hue + 0.03 * source.normal(), between(source, 0.15, 0.7), between(source, ...lightness));
}

/** Returns the color of a hue in turns, and of a saturation and a lightness in [0, 1]. */
export function hsl(hue: number, saturation: number, lightness: number): Color {
  const turn = 12 * (hue - Math.floor(hue));
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): number => {
    const k = (turn + offset) % 12;
    return lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1));
  };
  return [channel(0), channel(8), channel(4)];
}

/** Returns the color between two: `a` at 0, `b` at 1. */
export function mix(a: Color, b: Color, share: number): Color {
  return [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])];
}

/** Returns a color as SVG writes it, such as #ff8800. */
export function css(color: Color): string {
  const byte = (value: number): string =>
    Math.round(255 * Math.min(Math.max(value, 0), 1))
      .toString(16)
      .padStart(2, "0");
  return `#${color.map(byte).join("")}`;
}
