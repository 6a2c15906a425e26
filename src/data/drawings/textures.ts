/** Irregular textures: noise (Perlin 1985, feTurbulence of SVG) turned into colors, or into a surface that is lit. */
import { type Brush, color } from "./brush.ts";
import { between, chance, oneOf, whole } from "./dice.ts";
import type { Color } from "./palette.ts";
import { define, num } from "./svg.ts";

/** How a texture is made of noise. */
interface Grain {
  /** Cycles for each unit of what is filled, along x and y, at scale 1. */
  readonly frequency: readonly [number, number];
  readonly octaves: number;
  readonly type: "fractalNoise" | "turbulence";
  /** How far the colors are apart: 1 for soft clouds, 4 for hard veins. */
  readonly gain: number;
  /** Whether noise has steps, as camouflage and maps do. */
  readonly steps?: boolean | undefined;
}

/** Kinds of colored noise. */
export const GRAINS = {
  clouds: { frequency: [1, 1.6], octaves: 3, type: "fractalNoise", gain: 2.2 },
  mottled: { frequency: [4, 4], octaves: 2, type: "fractalNoise", gain: 2.5 },
  speckled: { frequency: [16, 16], octaves: 1, type: "fractalNoise", gain: 2.5 },
  veins: { frequency: [1.5, 1.5], octaves: 3, type: "turbulence", gain: 3 },
  fibers: { frequency: [0.7, 14], octaves: 2, type: "fractalNoise", gain: 2.2 },
  blades: { frequency: [12, 1.6], octaves: 2, type: "fractalNoise", gain: 2.8 },
  ripples: { frequency: [1.2, 6], octaves: 2, type: "turbulence", gain: 2.5 },
  camouflage: { frequency: [2, 2], octaves: 1, type: "fractalNoise", gain: 1.6, steps: true },
  spots: { frequency: [5, 5], octaves: 1, type: "fractalNoise", gain: 1.6, steps: true },
  zebra: { frequency: [5, 0.9], octaves: 1, type: "fractalNoise", gain: 1.6, steps: true },
} as const satisfies Readonly<Record<string, Grain>>;

const GRAIN_KINDS: readonly Grain[] = Object.values(GRAINS);

const FILTER = 'filter x="0" y="0" width="1" height="1" color-interpolation-filters="sRGB"';

/**
 * Defines a filter that fills a form with colored noise.
 * @param unit What one unit of the noise is, in the units of the form: about its radius.
 */
export function noiseFilter(
  brush: Brush,
  unit: number,
  grain: Grain = oneOf(brush.source, GRAIN_KINDS),
  colors: readonly [Color, Color, Color] = [color(brush), color(brush), color(brush)],
): string {
  const rows = [0, 1, 2].map((channel) => row(colors, channel, grain));
  const steps = grain.steps
    ? `<feComponentTransfer>${["R", "G"].map((channel) => `<feFunc${channel} type="discrete" tableValues="0 0 0 0 0.35 0.35 0.65 0.65 1 1 1 1"/>`).join("")}</feComponentTransfer>`
    : "";
  const matrix = `<feColorMatrix values="${rows.join(" ")} 0 0 0 0 1"/>`;
  return define(
    brush.definitions,
    FILTER,
    `${noise(brush, unit, grain)}${steps}${matrix}<feComposite in2="SourceAlpha" operator="in"/>`,
  );
}

/** One row of the matrix: first color + u (second - first) + v (third - first), u and v from two channels of noise. */
function row([a, b, c]: readonly [Color, Color, Color], channel: number, { gain, type }: Grain): string {
  const middle = type === "turbulence" ? 0.1 : 0.5;
  const [u, v] = [gain * (b[channel]! - a[channel]!), gain * (c[channel]! - a[channel]!)];
  const start = a[channel]! + (0.5 - gain * middle) * (b[channel]! - a[channel]!) - v * middle;
  return `${num(u)} ${num(v)} 0 0 ${num(start)}`;
}

/** Kinds of rough surfaces, by frequency along x and y. */
const ROUGH: readonly (readonly [number, number])[] = [
  [3, 3],
  [7, 7],
  [14, 14],
  [1.5, 9],
  [9, 1.2],
  [2, 16],
];

/** Defines a filter that lights a form as if its surface were rough: stone, bark, leather, hair. */
export function roughFilter(brush: Brush, unit: number): string {
  const { source } = brush;
  const grain = {
    frequency: oneOf(source, ROUGH),
    octaves: whole(source, 1, 3),
    type: "fractalNoise",
    gain: 1,
  } as const;
  return define(brush.definitions, FILTER, `${noise(brush, unit, grain)}${lit(brush, between(source, 1.5, 6))}`);
}

/** Defines a filter that lights a form as if it were puffed up: a cushion, a coin, a letter of chocolate. */
export function puffedFilter(brush: Brush, unit: number): string {
  const width = num(unit * between(brush.source, 0.04, 0.14));
  const blur = `<feGaussianBlur in="SourceAlpha" stdDeviation="${width}"/>`;
  return define(brush.definitions, FILTER, blur + lit(brush, between(brush.source, 3, 9)));
}

/** Defines a filter that frays the outline of a form: fur, flames, torn paper. It takes three times as long as others. */
export function frayedFilter(brush: Brush, unit: number): string {
  const { source } = brush;
  const frequency = between(source, 2, 9);
  const grain = { frequency: [frequency, frequency], octaves: 1, type: "fractalNoise", gain: 1 } as const;
  const scale = num(unit * between(source, 0.08, 0.25));
  const shift = `<feDisplacementMap in="SourceGraphic" in2="n" scale="${scale}" xChannelSelector="R" yChannelSelector="G"/>`;
  return define(brush.definitions, FILTER, noise(brush, unit, grain, ' result="n"') + shift);
}

function noise(brush: Brush, unit: number, { frequency, octaves, type }: Grain, more = ""): string {
  const { source } = brush;
  const pace = between(source, 0.6, 1.7) / unit;
  const [x, y] = chance(source, 0.5) ? frequency : [frequency[0] * between(source, 0.8, 1.25), frequency[1]];
  const base = `${num4(x * pace)} ${num4(y * pace)}`;
  return `<feTurbulence type="${type}" baseFrequency="${base}" numOctaves="${octaves}" seed="${whole(source, 1, 9999)}"${more}/>`;
}

/** Lights the height in the alpha channel, and gives the form's own colors that light. */
function lit({ source, light }: Brush, height: number): string {
  const azimuth = num((light * 180) / Math.PI);
  const elevation = between(source, 35, 65);
  const strength = num(1 / Math.sin((elevation * Math.PI) / 180));
  return (
    `<feDiffuseLighting surfaceScale="${num(height)}" diffuseConstant="${strength}" lighting-color="#fff">` +
    `<feDistantLight azimuth="${azimuth}" elevation="${num(elevation)}"/></feDiffuseLighting>` +
    `<feComposite in2="SourceGraphic" operator="arithmetic" k1="1"/><feComposite in2="SourceAlpha" operator="in"/>`
  );
}

/** Frequencies over a whole picture are small. */
function num4(value: number): string {
  return String(Math.round(value * 10_000) / 10_000);
}
