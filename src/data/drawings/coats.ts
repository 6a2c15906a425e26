/** How a form is covered: plain, shaded from color to color, patterned, or with a texture. */
import { type Brush, color, contrast, drawShade, linearFill, radialFill, type Shade, shadeFill } from "./brush.ts";
import { between, chance, oneOf, times, whole } from "./dice.ts";
import { type Color, css } from "./palette.ts";
import { patternFill } from "./patterns.ts";
import { num } from "./svg.ts";
import { frayedFilter, noiseFilter, puffedFilter, roughFilter } from "./textures.ts";

/** What covers a form; it can cover several, so that the parts of a thing belong together. */
export interface Coat {
  /** A color, or the reference to a gradient or a pattern. */
  readonly fill: string;
  /** The color that it has on the whole. */
  readonly main: Color;
  readonly filter?: string | undefined;
  readonly shade: Shade;
}

type CoatKind = (brush: Brush, main: Color) => Pick<Coat, "fill" | "filter">;

const plain: CoatKind = (_brush, main) => ({ fill: css(main) });

const gradient: CoatKind = (brush, main) => {
  const colors = [main, ...times(whole(brush.source, 1, 2), () => color(brush))];
  const angle = between(brush.source, 0, 2 * Math.PI);
  return { fill: chance(brush.source, 0.6) ? linearFill(brush, colors, angle) : radialFill(brush, colors) };
};

const pattern: CoatKind = (brush, main) => ({ fill: patternFill(brush, between(brush.source, 0.12, 0.6), main) });

const textured =
  (filter: (brush: Brush, unit: number) => string): CoatKind =>
  (brush, main) => ({ fill: css(main), filter: filter(brush, 1) });

/** Kinds of coats with how often they are drawn, of 100. */
const KINDS: readonly (readonly [share: number, kind: CoatKind])[] = [
  [18, plain],
  [14, gradient],
  [24, pattern],
  [20, textured(noiseFilter)],
  [14, textured(roughFilter)],
  [7, textured(puffedFilter)],
  [3, textured(frayedFilter)],
];

const CHOICES: readonly CoatKind[] = KINDS.flatMap(([share, kind]) => times(share, () => kind));

/** Draws a coat for a form with a radius of about 1. */
export function drawCoat(brush: Brush, main: Color = color(brush)): Coat {
  const { source } = brush;
  return { ...oneOf(source, CHOICES)(brush, main), main, shade: drawShade(source) };
}

/** Returns a coat without texture, for small parts. */
export function plainCoat(brush: Brush, main: Color = color(brush), shade: Shade = drawShade(brush.source)): Coat {
  return { fill: css(main), main, shade };
}

/** How a form is painted. */
export interface PaintOptions {
  /** Width of the line around the form; 0 for none. @default 0 */
  readonly edge?: number | undefined;
  /** Whether a part of the path inside another one is a hole. @default false */
  readonly holes?: boolean | undefined;
}

/** Returns the form with its coat, its shade and an edge. */
export function paint(brush: Brush, path: string, coat: Coat, { edge = 0, holes = false }: PaintOptions = {}): string {
  const form = `d="${path}"${holes ? ' fill-rule="evenodd"' : ""}`;
  const shade = shadeFill(brush, coat.shade);
  const filter = coat.filter === undefined ? "" : ` filter="${coat.filter}"`;
  const line =
    edge > 0 ? ` stroke="${css(contrast(coat.main))}" stroke-width="${num(edge)}" stroke-linejoin="round"` : "";
  const cover = `<path ${form} fill="${coat.fill}"${filter}/>`;
  return cover + (shade || line ? `<path ${form} fill="${shade ?? "none"}"${line}/>` : "");
}

/** Returns a line of a color; its ends are round. */
export function stroke(path: string, main: Color, width: number, opacity = 1): string {
  const look = opacity < 1 ? ` stroke-opacity="${num(opacity)}"` : "";
  return `<path d="${path}" fill="none" stroke="${css(main)}" stroke-width="${num(width)}" stroke-linecap="round" stroke-linejoin="round"${look}/>`;
}

/** Returns a form of one flat color. */
export function flat(path: string, main: Color, opacity = 1): string {
  const look = opacity < 1 ? ` fill-opacity="${num(opacity)}"` : "";
  return `<path d="${path}" fill="${css(main)}"${look}/>`;
}

/** Draws the width of an edge for a form with a radius of about 1: none for most. */
export function drawEdge({ source }: Brush): number {
  return chance(source, 0.3) ? oneOf(source, [0.02, 0.035, 0.06]) : 0;
}
