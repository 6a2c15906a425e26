/** What every part of a drawing is drawn with: one source of chance, one palette, one light. */
import type { Rng } from "../../random.ts";
import { between, chance, oneOf, type Range } from "./dice.ts";
import { type Color, css, drawColor, drawPalette, mix, type Palette } from "./palette.ts";
import { type Definitions, define, num } from "./svg.ts";

export interface Brush {
  readonly source: Rng;
  readonly definitions: Definitions;
  readonly palette: Palette;
  /** Lightness of the colors that are drawn. */
  readonly lightness: Range;
  /** Where the light comes from: an angle in radians, from 0 at the right through π/2 at the bottom. */
  readonly light: number;
}

/** Draws a thing around the origin, within a radius of about 1, and returns its markup. */
export type Thing = (brush: Brush) => string;

/** Starts a drawing. The light mostly comes from above. */
export function newBrush(source: Rng): Brush {
  const palette = drawPalette(source.fork("palette"));
  const light = chance(source, 0.85) ? between(source, -Math.PI, 0) : between(source, 0, Math.PI);
  const low = between(source, 0.05, 0.4);
  return { source, definitions: [], palette, lightness: [low, between(source, low + 0.25, 0.95)], light };
}

/** Returns the brush with another palette, for something that does not match the rest. */
export function unmatched(brush: Brush): Brush {
  return { ...brush, palette: drawPalette(brush.source) };
}

/** Draws a color of the brush. */
export function color({ source, palette, lightness }: Brush): Color {
  return drawColor(source, palette, lightness);
}

/** Defines a linear gradient through the colors; `angle` in radians says where it leads. */
export function linearFill(brush: Brush, colors: readonly Color[], angle: number): string {
  const [x, y] = [Math.cos(angle) / 2, Math.sin(angle) / 2];
  const ends = `x1="${num(0.5 - x)}" y1="${num(0.5 - y)}" x2="${num(0.5 + x)}" y2="${num(0.5 + y)}"`;
  const stops = colors.map((c, i) => `<stop offset="${num(i / (colors.length - 1))}" stop-color="${css(c)}"/>`);
  return define(brush.definitions, `linearGradient ${ends}`, stops.join(""));
}

/** Defines a radial gradient from the first color at the lit side to the last one at the edge. */
export function radialFill(brush: Brush, colors: readonly Color[]): string {
  const [x, y] = [0.5 + 0.25 * Math.cos(brush.light), 0.5 + 0.25 * Math.sin(brush.light)];
  const stops = colors.map((c, i) => `<stop offset="${num(i / (colors.length - 1))}" stop-color="${css(c)}"/>`);
  return define(brush.definitions, `radialGradient cx="${num(x)}" cy="${num(y)}" r="0.7"`, stops.join(""));
}

/** How light and shadow lie on a form. */
export type Shade = "none" | "ball" | "slope" | "pipe";

/** Defines the light and shadow over a form, or returns undefined for none. */
export function shadeFill(brush: Brush, shade: Shade): string | undefined {
  const { source, definitions, light } = brush;
  const [lit, dark] = [between(source, 0.15, 0.65), between(source, 0.2, 0.65)];
  const stop = (offset: number, tone: "fff" | "000", opacity: number): string =>
    `<stop offset="${num(offset)}" stop-color="#${tone}" stop-opacity="${num(opacity)}"/>`;
  if (shade === "ball") {
    const [x, y] = [0.5 + 0.22 * Math.cos(light), 0.5 + 0.22 * Math.sin(light)];
    const stops = stop(0, "fff", lit) + stop(0.35, "fff", 0.05) + stop(0.5, "000", 0) + stop(1, "000", dark);
    return define(definitions, `radialGradient cx="${num(x)}" cy="${num(y)}" r="0.72"`, stops);
  }
  const [x, y] = [Math.cos(light) / 2, Math.sin(light) / 2];
  if (shade === "slope") {
    const ends = `x1="${num(0.5 + x)}" y1="${num(0.5 + y)}" x2="${num(0.5 - x)}" y2="${num(0.5 - y)}"`;
    return define(
      definitions,
      `linearGradient ${ends}`,
      stop(0, "fff", lit) + stop(0.5, "fff", 0) + stop(0.5, "000", 0) + stop(1, "000", dark),
    );
  }
  if (shade === "pipe") {
    const at = 0.5 + 0.3 * Math.cos(light);
    const stops = stop(0, "000", dark) + stop(at, "fff", lit) + stop(1, "000", dark);
    return define(definitions, 'linearGradient x1="0" y1="0" x2="1" y2="0"', stops);
  }
  return undefined;
}

/** Draws a kind of shade. */
export function drawShade(source: Rng): Shade {
  return oneOf(source, ["none", "ball", "ball", "slope", "slope", "pipe"]);
}

/** Returns a darker or, for a dark color, a lighter one: for edges, veins and eyes. */
export function contrast(c: Color, amount = 0.6): Color {
  const luma = 0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2];
  return mix(c, luma > 0.4 ? [0, 0, 0] : [1, 1, 1], amount);
}
