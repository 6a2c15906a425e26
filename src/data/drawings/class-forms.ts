/** The classes of the labelled drawings: forms that a person knows at once, each drawn anew every time. */
import type { Rng } from "../../random.ts";
import { between, chance, times, whole } from "./dice.ts";
import { ellipsePath, linePath, type Point, polar, smoothPath } from "./svg.ts";

/** A form around the origin, within a radius of about 1. */
export interface ClassForm {
  /** The outline; a part inside another one is a hole. */
  readonly outline: string;
  /** Lines on it, such as the veins of a leaf. */
  readonly lines?: string | undefined;
}

const FORMS = {
  arrow: (source) => {
    const [shaft, head, neck] = [between(source, 0.1, 0.24), between(source, 0.45, 0.75), between(source, 0, 0.35)];
    const [bend, notch] = [chance(source, 0.4) ? between(source, -0.45, 0.45) : 0, between(source, -0.05, 0.15)];
    /** The shaft is a parabola; the head follows its end. */
    const lower = times(6, (i): Point => at(i, shaft));
    const upper = times(6, (i): Point => at(i, -shaft)).reverse();
    function at(i: number, offset: number): Point {
      const x = -1 + ((1 + neck) * i) / 5;
      return [x, offset + bend * ((x - neck) / (1 + neck)) ** 2];
    }
    const tip: readonly Point[] = [
      [neck - notch, head],
      [1, 0],
      [neck - notch, -head],
    ];
    return { outline: linePath([...lower, ...tip, ...upper]) };
  },
  gear: (source) => {
    const teeth = whole(source, 7, 13);
    const [root, base, top] = [between(source, 0.68, 0.82), between(source, 0.28, 0.36), between(source, 0.14, 0.25)];
    const rim = times(teeth, (i): Point[] => {
      const corner = (offset: number, radius: number): Point => polar((2 * Math.PI * (i + offset)) / teeth, radius);
      return [corner(-base, root), corner(-top, 1), corner(top, 1), corner(base, root)];
    });
    return { outline: linePath(rim.flat()) + ellipsePath([0, 0], between(source, 0.15, 0.42)) };
  },
  leaf: (source) => {
    const [wide, belly, bend] = [between(source, 0.32, 0.6), between(source, -0.05, 0.3), between(source, -0.25, 0.25)];
    const count = 9;
    const middle = (t: number): Point => [bend * Math.sin(Math.PI * t), -1 + 1.6 * t];
    const half = (t: number): number => wide * Math.max(0, Math.sin(Math.PI * t ** (1 - belly))) ** 0.9;
    const side = (sign: number): Point[] =>
      times(count, (i) => [middle(i / (count - 1))[0] + sign * half(i / (count - 1)), middle(i / (count - 1))[1]]);
    const rib = smoothPath([...times(5, (i) => middle(i / 4)), [between(source, -0.2, 0.2), 1]], false);
    const veins = times(whole(source, 3, 5), (i) => {
      const t = 0.25 + 0.15 * i;
      const [x, y] = middle(t);
      const reach = 0.75 * half(t - 0.08);
      return linePath(
        [
          [x - reach, y - 0.25],
          [x, y],
          [x + reach, y - 0.25],
        ],
        false,
      );
    });
    return { outline: smoothPath([...side(1), ...side(-1).slice(1, -1).reverse()]), lines: rib + veins.join("") };
  },
  moon: (source) => {
    const [shift, inner] = [between(source, 0.3, 0.62), between(source, 0.74, 0.9)];
    // The horns are where the circles of radius 1 around 0 and of radius `inner` around `shift` meet.
    const x = (1 - inner * inner + shift * shift) / (2 * shift);
    const y = Math.sqrt(1 - x * x);
    const [top, bottom] = [`${x.toFixed(3)} ${(-y).toFixed(3)}`, `${x.toFixed(3)} ${y.toFixed(3)}`];
    return { outline: `M${top}A1 1 0 1 0 ${bottom}A${inner.toFixed(3)} ${inner.toFixed(3)} 0 1 1 ${top}Z` };
  },
  spiral: (source) => {
    const [turns, width] = [between(source, 1.9, 3), between(source, 0.4, 0.62)];
    const steps = 40;
    const wall = (sign: number): Point[] =>
      times(steps + 1, (i) => {
        const along = i / steps;
        const pitch = 0.92 / turns;
        const taper = Math.min(1, 8 * along + 0.3) * (pitch * width) * 0.5;
        return polar(2 * Math.PI * turns * along, 0.06 + 0.86 * along + sign * taper);
      });
    return { outline: smoothPath([...wall(1), ...wall(-1).reverse()]) };
  },
  star: (source) => {
    const points = whole(source, 4, 7);
    const inner = points === 4 ? between(source, 0.25, 0.42) : between(source, 0.36, 0.56);
    const corners = times(2 * points, (i) =>
      polar((Math.PI * i) / points - Math.PI / 2, i % 2 === 0 ? between(source, 0.92, 1) : inner),
    );
    return { outline: linePath(corners) };
  },
} as const satisfies Readonly<Record<string, (source: Rng) => ClassForm>>;

/** Name of a class of the labelled drawings. */
export type DrawnClass = keyof typeof FORMS;

/** The classes of the labelled drawings, sorted. */
export const DRAWN_CLASSES: readonly DrawnClass[] = Object.keys(FORMS) as DrawnClass[]; // the keys of a literal

/** Draws the form of a class. */
export function drawClassForm(source: Rng, name: DrawnClass): ClassForm {
  return FORMS[name](source);
}
