/** What a camera adds to a drawing: uneven light, a cast of color, grain, a picture out of focus. */
import { type Brush, color } from "./brush.ts";
import { between, chance, oneOf, whole } from "./dice.ts";
import { css } from "./palette.ts";
import { boxPath, define, num } from "./svg.ts";

const FULL = boxPath(0, 0, 100, 100);

/** The markup that lies over a drawing, and how blurred the whole is. */
export interface Finish {
  readonly overlay: string;
  /** Standard deviation of the blur as a fraction of the picture's side; 0 for none. */
  readonly blur: number;
}

/** Draws what a camera adds; every second picture has none of one kind or another. */
export function drawFinish(brush: Brush): Finish {
  const { source } = brush;
  const overlay: string[] = [];
  if (chance(source, 0.35)) overlay.push(vignette(brush));
  if (chance(source, 0.3)) overlay.push(slope(brush));
  if (chance(source, 0.25))
    overlay.push(`<path d="${FULL}" fill="${css(color(brush))}" fill-opacity="${num(between(source, 0.05, 0.25))}"/>`);
  if (chance(source, 0.25)) overlay.push(grain(brush));
  return { overlay: overlay.join(""), blur: chance(source, 0.25) ? between(source, 0.003, 0.01) : 0 };
}

function vignette({ source, definitions }: Brush): string {
  const dark = num(between(source, 0.2, 0.75));
  const stops = `<stop offset="0.4" stop-opacity="0"/><stop offset="1" stop-opacity="${dark}"/>`;
  const center = `cx="${num(between(source, 0.35, 0.65))}" cy="${num(between(source, 0.35, 0.65))}"`;
  return `<path d="${FULL}" fill="${define(definitions, `radialGradient ${center} r="0.8"`, stops)}"/>`;
}

/** Light from one side, shadow at the other. */
function slope({ source, definitions, light }: Brush): string {
  const [x, y] = [Math.cos(light) / 2, Math.sin(light) / 2];
  const ends = `x1="${num(0.5 + x)}" y1="${num(0.5 + y)}" x2="${num(0.5 - x)}" y2="${num(0.5 - y)}"`;
  const [lit, dark] = [num(between(source, 0, 0.4)), num(between(source, 0.1, 0.55))];
  const stops = [
    `<stop offset="0" stop-color="#fff" stop-opacity="${lit}"/>`,
    '<stop offset="0.45" stop-color="#fff" stop-opacity="0"/><stop offset="0.45" stop-opacity="0"/>',
    `<stop offset="1" stop-opacity="${dark}"/>`,
  ];
  return `<path d="${FULL}" fill="${define(definitions, `linearGradient ${ends}`, stops.join(""))}"/>`;
}

/** Fine noise over the whole picture, gray or colored. */
function grain({ source, definitions }: Brush): string {
  const strength = num(between(source, 0.06, 0.3));
  const gray = chance(source, 0.6);
  const row = (channel: number): string => [0, 1, 2].map((i) => (i === (gray ? 0 : channel) ? 2 : 0)).join(" ");
  const matrix = `${[0, 1, 2].map((channel) => `${row(channel)} 0 -0.5`).join(" ")} 0 0 0 0 ${strength}`;
  const frequency = num(oneOf(source, [0.7, 1, 1.4]));
  const filter = define(
    definitions,
    'filter x="0" y="0" width="1" height="1" color-interpolation-filters="sRGB"',
    `<feTurbulence type="fractalNoise" baseFrequency="${frequency}" numOctaves="1" seed="${whole(source, 1, 9999)}"/><feColorMatrix values="${matrix}"/>`,
  );
  return `<path d="${FULL}" filter="${filter}"/>`;
}
