/** The few elements of SVG (W3C SVG 1.1) that drawings are written in. */

/** A place in the plane; y grows downwards. */
export type Point = readonly [x: number, y: number];

/** Gradients, patterns and filters of one drawing, in the order of their definition. */
export type Definitions = string[];

/** Returns a number with at most three decimals: the same text wherever a last bit differs. */
export function num(value: number): string {
  return String(Math.round(value * 1000) / 1000 || 0);
}

/**
 * Adds a definition and returns the reference to it, such as `url(#d3)`.
 * @param element Its name and attributes, without the id.
 */
export function define(definitions: Definitions, element: string, content: string): string {
  const id = `d${definitions.length}`;
  const name = element.split(" ", 1)[0]!;
  definitions.push(`<${name} id="${id}"${element.slice(name.length)}>${content}</${name}>`);
  return `url(#${id})`;
}

/** Returns the path of straight lines through the points, closed unless said otherwise. */
export function linePath(points: readonly Point[], closed = true): string {
  return `M${points.map(pair).join("L")}${closed ? "Z" : ""}`;
}

/** Returns a smooth path through the points: cubic Béziers with the tangents of Catmull and Rom (1974). */
export function smoothPath(points: readonly Point[], closed = true): string {
  const count = points.length;
  const at = (i: number): Point => points[closed ? (i + count) % count : Math.min(Math.max(i, 0), count - 1)]!;
  const curves = Array.from({ length: closed ? count : count - 1 }, (_, i) => {
    const [before, from, to, after] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    const first: Point = [from[0] + (to[0] - before[0]) / 6, from[1] + (to[1] - before[1]) / 6];
    const second: Point = [to[0] - (after[0] - from[0]) / 6, to[1] - (after[1] - from[1]) / 6];
    return `C${pair(first)} ${pair(second)} ${pair(to)}`;
  });
  return `M${pair(at(0))}${curves.join("")}${closed ? "Z" : ""}`;
}

/** Returns the path of an ellipse. */
export function ellipsePath([x, y]: Point, rx: number, ry = rx): string {
  const arc = (to: number): string => `A${num(rx)} ${num(ry)} 0 1 1 ${num(to)} ${num(y)}`;
  return `M${num(x - rx)} ${num(y)}${arc(x + rx)}${arc(x - rx)}Z`;
}

/** Returns the path of an upright rectangle. */
export function boxPath(left: number, top: number, right: number, bottom: number): string {
  return `M${num(left)} ${num(top)}H${num(right)}V${num(bottom)}H${num(left)}Z`;
}

/** Returns the point at an angle in radians and a distance from the origin. */
export function polar(angle: number, radius: number): Point {
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** Where a thing that was drawn around the origin goes. */
export interface Placement {
  readonly x: number;
  readonly y: number;
  /** Units that one unit of the thing becomes. */
  readonly scale: number;
  /** Clockwise, in degrees. @default 0 */
  readonly turn?: number | undefined;
  /** Shear along x, in degrees. @default 0 */
  readonly shear?: number | undefined;
  /** Width over height of what was a square; negative mirrors. @default 1 */
  readonly stretch?: number | undefined;
}

/** Returns the markup moved, turned, sheared and scaled. */
export function placed(markup: string, { x, y, scale, turn = 0, shear = 0, stretch = 1 }: Placement): string {
  const wide = Math.sqrt(Math.abs(stretch));
  const moves = `translate(${num(x)} ${num(y)}) rotate(${num(turn)}) skewX(${num(shear)})`;
  return `<g transform="${moves} scale(${num(scale * wide * Math.sign(stretch))} ${num(scale / wide)})">${markup}</g>`;
}

/** Returns a drawing of 100 x 100 units as the text of an SVG file of `size` x `size` pixels. */
export function svgFile(definitions: Definitions, body: string, size: number): string {
  const head = `xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 100 100"`;
  return `<svg ${head}><defs>${definitions.join("")}</defs>${body}</svg>`;
}

function pair([x, y]: Point): string {
  return `${num(x)} ${num(y)}`;
}
