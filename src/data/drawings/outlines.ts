/** Simple closed outlines within a radius of 1: what fills a scene beside things that have a name. */
import type { Rng } from "../../random.ts";
import { between, chance, oneOf, times, whole } from "./dice.ts";
import { boxPath, ellipsePath, linePath, type Point, polar, smoothPath } from "./svg.ts";

/** An outline, as the path of an SVG file. */
export type Outline = (source: Rng) => string;

/** Kinds of outlines. None of them is, or looks like, a class of the labelled drawings. */
export const OUTLINES = {
  disc: () => ellipsePath([0, 0], 1),
  ellipse: (source) => ellipsePath([0, 0], 1, between(source, 0.3, 0.9)),
  box: (source) => {
    const [x, y] = [between(source, 0.5, 0.9), between(source, 0.4, 0.9)];
    return boxPath(-x, -y, x, y);
  },
  polygon: (source) => {
    const count = whole(source, 3, 8);
    const start = between(source, 0, 2 * Math.PI);
    return linePath(times(count, (i) => polar(start + (2 * Math.PI * i) / count, 1)));
  },
  shard: (source) => linePath(around(source, whole(source, 4, 7), 0.35)),
  blob: (source) => smoothPath(around(source, whole(source, 4, 8), 0.5)),
  pebble: (source) => smoothPath(around(source, whole(source, 6, 9), 0.8)),
  cloud: (source) => {
    const bumps = times(whole(source, 4, 7), (): [Point, number] => [
      [between(source, -0.6, 0.6), between(source, -0.2, 0.2)],
      between(source, 0.25, 0.42),
    ]);
    return bumps.map(([center, radius]) => ellipsePath(center, radius)).join("");
  },
  cushion: (source) => {
    const [wide, high, pinch] = [between(source, 0.7, 1), between(source, 0.5, 0.9), between(source, 0.88, 1.1)];
    const points: readonly Point[] = [
      [-wide, -high],
      [0, -high * pinch],
      [wide, -high],
      [wide * pinch, 0],
      [wide, high],
      [0, high * pinch],
      [-wide, high],
      [-wide * pinch, 0],
    ];
    return smoothPath(points);
  },
  drop: (source) => {
    const width = between(source, 0.4, 0.7);
    return smoothPath([
      [0, -1],
      [width * 0.45, -0.3],
      [width, 0.4],
      [0, 1],
      [-width, 0.4],
      [-width * 0.45, -0.3],
    ]);
  },
  steps: (source) => {
    const count = whole(source, 2, 5);
    const stairs = times(count, (i): Point[] => [
      [-1 + (2 * i) / count, 1 - (2 * (i + 1)) / count],
      [-1 + (2 * (i + 1)) / count, 1 - (2 * (i + 1)) / count],
    ]);
    return linePath([[-1, 1], ...stairs.flat(), [1, 1]]);
  },
  cross: (source) => {
    const arm = between(source, 0.15, 0.4);
    return boxPath(-1, -arm, 1, arm) + boxPath(-arm, -1, arm, 1);
  },
  bar: (source) => {
    const half = between(source, 0.06, 0.25);
    return boxPath(-1, -half, 1, half);
  },
  petals: (source) => {
    const count = whole(source, 3, 7);
    const reach = between(source, 0.4, 0.6);
    return times(count, (i) => ellipsePath(polar((2 * Math.PI * i) / count, reach), 1 - reach)).join("");
  },
} as const satisfies Readonly<Record<string, Outline>>;

const KINDS: readonly Outline[] = Object.values(OUTLINES);

/** Draws one of the outlines. */
export function drawOutline(source: Rng): string {
  return oneOf(source, KINDS)(source);
}

/** Draws one of the outlines with a hole in it: a window, a ring, a frame. To be painted with holes. */
export function drawFrame(source: Rng): string {
  const inner = between(source, 0.4, 0.8);
  if (chance(source, 0.5)) return ellipsePath([0, 0], 1) + ellipsePath([0, 0], inner);
  const high = between(source, 0.5, 1);
  return boxPath(-1, -high, 1, high) + boxPath(-inner, -high * inner, inner, high * inner);
}

/** Points around the origin at uneven angles, with distances from `least` to 1. */
export function around(source: Rng, count: number, least: number): Point[] {
  const start = between(source, 0, 2 * Math.PI);
  return times(count, (i) => {
    const angle = start + (2 * Math.PI * (i + between(source, -0.3, 0.3))) / count;
    return polar(angle, between(source, least, 1));
  });
}
