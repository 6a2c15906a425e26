/** Regular patterns: tiles that repeat, for cloth, walls, scales and floors. */
import { type Brush, color } from "./brush.ts";
import { between, oneOf } from "./dice.ts";
import { type Color, css } from "./palette.ts";
import { define, num } from "./svg.ts";

/** Markup of a tile of 12 x 12 over its ground, from two colors. */
type Tile = (first: string, second: string, share: number) => string;

/** Kinds of patterns; `share` in [0.2, 0.8] is how much of the ground is covered. */
export const TILES = {
  stripes: (a, _b, share) => rect(0, 0, 12 * share, 12, a),
  pinstripes: (a, b, share) => rect(0, 0, 2 * share, 12, a) + rect(6, 0, 3 * share, 12, b),
  checks: (a) => rect(0, 0, 6, 6, a) + rect(6, 6, 6, 6, a),
  tartan: (a, b, share) => {
    const thick = 12 * share;
    const half = 'fill-opacity="0.5"';
    return (
      rect(0, 0, thick, 12, a, half) + rect(0, 0, 12, thick, a, half) + rect(9, 0, 1, 12, b) + rect(0, 9, 12, 1, b)
    );
  },
  dots: (a, b, share) => disc(3, 3, 3.2 * share + 0.6, a) + disc(9, 9, 3.2 * share + 0.6, b),
  rings: (a, _b, share) =>
    `<circle cx="6" cy="6" r="4" fill="none" stroke="${a}" stroke-width="${num(3 * share + 0.3)}"/>`,
  bricks: (a, b, share) => {
    const gap = 0.4 + share;
    const brick = (x: number, y: number, fill: string): string => rect(x, y, 12 - gap, 6 - gap, fill);
    return brick(0, 0, a) + brick(6, 6, b) + brick(-6, 6, b);
  },
  scales: (a, b) =>
    disc(6, 3, 5.6, a) +
    disc(6, 3, 3.5, b) +
    disc(0, 9, 5.6, a) +
    disc(12, 9, 5.6, a) +
    disc(0, 9, 3.5, b) +
    disc(12, 9, 3.5, b),
  zigzag: (a, _b, share) => line("M-2 8L3 3L9 9L14 4", a, 1 + 3 * share),
  waves: (a, b, share) =>
    line("M-3 3C0 -1 3 -1 6 3S12 7 15 3", a, 1 + 2 * share) + line("M-3 9C0 5 3 5 6 9S12 13 15 9", b, 1 + share),
  weave: (a, b) => rect(0.5, 0, 5, 12, a) + rect(6, 0.5, 6, 5, b) + rect(0, 6.5, 6, 5, b) + rect(6.5, 6, 5, 6, a),
  net: (a, _b, share) => line("M0 0L12 12M12 0L0 12", a, 0.5 + 2 * share),
  hexagons: (a, b, share) =>
    `<path d="M6 0.5L11.5 3.5V8.5L6 11.5L0.5 8.5V3.5Z" fill="${b}" stroke="${a}" stroke-width="${num(2 * share)}"/>`,
  triangles: (a, b) => `<path d="M0 12L6 0L12 12Z" fill="${a}"/><path d="M0 0H6L0 12Z" fill="${b}"/>`,
  grain: (a, b, share) =>
    line("M0 2C4 1 8 3 12 2M0 7C3 8 9 6 12 7", a, 0.4 + share) + line("M0 4.5C4 4 8 5 12 4.5M0 10H12", b, 0.3 + share),
} as const satisfies Readonly<Record<string, Tile>>;

const TILE_KINDS = Object.values(TILES);

/**
 * Defines a pattern and returns the reference to it.
 * @param side Of a tile, in the units of what it fills.
 */
export function patternFill(brush: Brush, side: number, ground: Color = color(brush)): string {
  const { source, definitions } = brush;
  const tile = oneOf(source, TILE_KINDS);
  const [first, second] = [css(color(brush)), css(color(brush))];
  const turn = source.next() < 0.4 ? 0 : between(source, 0, 180);
  const transform = `rotate(${num(turn)}) scale(${num(side / 12)} ${num((side / 12) * between(source, 0.6, 1.4))})`;
  return define(
    definitions,
    `pattern width="12" height="12" patternUnits="userSpaceOnUse" patternTransform="${transform}"`,
    rect(0, 0, 12, 12, css(ground)) + tile(first, second, between(source, 0.2, 0.8)),
  );
}

function rect(x: number, y: number, width: number, height: number, fill: string, more = ""): string {
  return `<rect x="${num(x)}" y="${num(y)}" width="${num(width)}" height="${num(height)}" fill="${fill}" ${more}/>`;
}

function disc(x: number, y: number, radius: number, fill: string): string {
  return `<circle cx="${x}" cy="${y}" r="${num(radius)}" fill="${fill}"/>`;
}

function line(path: string, stroke: string, width: number): string {
  return `<path d="${path}" fill="none" stroke="${stroke}" stroke-width="${num(width)}"/>`;
}
