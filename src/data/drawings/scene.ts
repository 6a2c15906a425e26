/** An unlabelled scene: a background, things in some arrangement, and what a camera adds. */
import type { Rng } from "../../random.ts";
import { ANIMALS } from "./animals.ts";
import { drawBackground } from "./backgrounds.ts";
import { type Brush, newBrush, type Thing, unmatched } from "./brush.ts";
import { drawCoat, drawEdge, flat, paint } from "./coats.ts";
import { between, chance, oneOf, times, whole } from "./dice.ts";
import { drawFinish } from "./finish.ts";
import { MADE } from "./made.ts";
import { drawFrame, drawOutline } from "./outlines.ts";
import { PLANTS } from "./plants.ts";
import { ellipsePath, num, type Placement, placed, svgFile } from "./svg.ts";

/** A drawing as SVG, and the blur that it is to get. */
export interface Drawing {
  readonly svg: string;
  /** Standard deviation in pixels; 0 for none. */
  readonly blur: number;
}

/** A form without a name, with one of all the coats. */
export const form: Thing = (brush) => {
  const { source } = brush;
  const holes = chance(source, 0.15);
  const path = holes ? drawFrame(source) : drawOutline(source);
  return paint(brush, path, drawCoat(brush), { edge: drawEdge(brush), holes });
};

const NAMED: readonly Thing[] = [...Object.values(PLANTS), ...Object.values(ANIMALS), ...Object.values(MADE)];

/** Where the things of a scene stand, the farthest first. */
type Layout = (source: Rng) => readonly Placement[];

/** Ways to arrange things. */
export const LAYOUTS = {
  portrait: (source) => [
    { x: between(source, 38, 62), y: between(source, 40, 62), scale: between(source, 26, 46), ...pose(source, 12) },
  ],
  detail: (source) => [
    { x: between(source, 10, 90), y: between(source, 10, 90), scale: between(source, 45, 90), ...pose(source, 40) },
  ],
  ground: (source) => {
    const base = between(source, 65, 90);
    const count = whole(source, 2, 6);
    return times(count, (i) => {
      const scale = between(source, 8, 14) + (14 * i) / count;
      return { x: between(source, 5, 95), y: base + (10 * i) / count - scale, scale, ...pose(source, 5) };
    });
  },
  scattered: (source) =>
    times(whole(source, 3, 10), () => ({
      x: between(source, 0, 100),
      y: between(source, 0, 100),
      scale: between(source, 6, 24),
      ...pose(source, 180),
    })),
  heap: (source) =>
    times(whole(source, 8, 15), () => ({
      x: between(source, 5, 95),
      y: between(source, 10, 95),
      scale: between(source, 12, 28),
      ...pose(source, 60),
    })),
  pair: (source) =>
    times(2, (i) => ({
      x: 28 + 44 * i + between(source, -8, 8),
      y: between(source, 40, 65),
      scale: between(source, 16, 28),
      ...pose(source, 15),
    })),
  grid: (source) => {
    const side = whole(source, 2, 4);
    const turn = between(source, -20, 20);
    return times(side * side, (i) => ({
      x: (100 * ((i % side) + 0.5)) / side,
      y: (100 * (Math.floor(i / side) + 0.5)) / side,
      scale: between(source, 32, 46) / side,
      turn: turn + between(source, -8, 8),
    }));
  },
} as const satisfies Readonly<Record<string, Layout>>;

const LAYOUT_KINDS = [LAYOUTS.portrait, LAYOUTS.portrait, ...Object.values(LAYOUTS)];

/** Draws an unlabelled scene of `size` x `size` pixels. */
export function sceneDrawing(source: Rng, size: number): Drawing {
  const brush = newBrush(source);
  const behind = chance(source, 0.5) ? unmatched(brush) : brush;
  const background = drawBackground(chance(source, 0.5) ? { ...behind, lightness: shifted(brush) } : behind, 0.55);
  const layout = oneOf(source, LAYOUT_KINDS)(source);
  const same = chance(source, 0.4) ? drawThing(source) : undefined; // a crowd of one kind
  const [shadow, motley] = [chance(source, 0.5), chance(source, 0.4)];
  const things = layout.map((placement) => {
    const thing = same ?? drawThing(source);
    return (
      (shadow ? groundShadow(placement, source) : "") + placed(thing(motley ? unmatched(brush) : brush), placement)
    );
  });
  const front = chance(source, 0.2) ? foreground(brush) : "";
  const { overlay, blur } = drawFinish(brush);
  const body = `<g transform="${camera(source)}">${background}${things.join("")}${front}</g>${overlay}`;
  return { svg: svgFile(brush.definitions, body, size), blur: blur * size };
}

function drawThing(source: Rng): Thing {
  return chance(source, 0.3) ? form : oneOf(source, NAMED);
}

/** How far a thing is turned, sheared, stretched and mirrored. */
function pose(source: Rng, degrees: number): Pick<Placement, "turn" | "shear" | "stretch"> {
  return {
    turn: between(source, -degrees, degrees),
    shear: between(source, -14, 14),
    stretch: between(source, 0.72, 1.4) * (chance(source, 0.5) ? 1 : -1),
  };
}

/** Another lightness than that of the things, so that they stand out. */
function shifted({ lightness: [low, high] }: Brush): readonly [number, number] {
  return low + high > 1 ? [0.05, Math.max(0.25, low - 0.1)] : [Math.min(0.75, high), 0.95];
}

function groundShadow({ x, y, scale }: Placement, source: Rng): string {
  return flat(ellipsePath([x, y + scale * 0.98], scale * 0.9, scale * between(source, 0.08, 0.18)), [0, 0, 0], 0.3);
}

/** Something large and near, at an edge of the picture. */
function foreground(brush: Brush): string {
  const { source } = brush;
  const thing = oneOf(source, [PLANTS.grass, PLANTS.bush, form]);
  const [x, y] = oneOf(source, [
    [10, 95],
    [90, 95],
    [50, 108],
    [0, 50],
    [100, 40],
    [50, -5],
  ] as const);
  return placed(thing(brush), { x, y, scale: between(source, 20, 40), ...pose(source, 25) });
}

/** Turns every second picture a little; the background reaches far enough. */
function camera(source: Rng): string {
  const turn = chance(source, 0.5) ? 0 : between(source, -7, 7);
  return `rotate(${num(turn)} 50 50)`;
}
