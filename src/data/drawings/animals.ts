/** Animals, within a radius of about 1, upright. */
import { color, contrast, type Thing } from "./brush.ts";
import { drawCoat, drawEdge, flat, paint, plainCoat, stroke } from "./coats.ts";
import { between, chance } from "./dice.ts";
import type { Color } from "./palette.ts";
import { boxPath, ellipsePath, linePath, type Point, placed, smoothPath } from "./svg.ts";

/** Kinds of animals. */
export const ANIMALS = {
  fish: (brush) => {
    const { source } = brush;
    const high = between(source, 0.25, 0.6);
    const body = smoothPath([
      [-0.95, 0],
      [-0.4, -high],
      [0.3, -high * 0.6],
      [0.6, -0.08],
      [0.6, 0.08],
      [0.3, high * 0.6],
      [-0.4, high],
    ]);
    const fin = between(source, 0.25, 0.5);
    const tail = `M0.5 0L1 ${-fin}L0.88 0L1 ${fin}Z`;
    const back = `M-0.3 ${-high * 0.8}L0.1 ${-high - 0.25}L0.3 ${-high * 0.5}Z`;
    const coat = drawCoat(brush);
    return (
      paint(brush, tail + back, plainCoat(brush)) +
      paint(brush, body, coat) +
      eye(coat.main, [-0.65, -high * 0.2], 0.09)
    );
  },
  beast: (brush) => {
    const { source } = brush;
    const coat = drawCoat(brush);
    const [long, deep, leg] = [between(source, 0.45, 0.65), between(source, 0.2, 0.38), between(source, 0.06, 0.12)];
    const size = between(source, 0.18, 0.33);
    const head: Point = [-long - between(source, 0, 0.2), -deep - between(source, 0, 0.35)];
    const floor = between(source, 0.55, 1);
    const legs = [-0.85, -0.6, 0.55, 0.85].map((at) => {
      const x = at * long;
      return boxPath(x - leg, 0, x + leg, floor);
    });
    const neck = linePath([
      [head[0] - size * 0.3, head[1]],
      [head[0] + size * 0.7, head[1] - size * 0.5],
      [-long * 0.3, -deep * 0.8],
      [-long, deep * 0.5],
    ]);
    const ear = between(source, 0.15, 0.45);
    const ears = [-0.5, 0.55].map((at) =>
      smoothPath([
        [head[0] + at * size - 0.07, head[1] - size * 0.6],
        [head[0] + at * size * 1.4, head[1] - size * 0.7 - ear],
        [head[0] + at * size + 0.09, head[1] - size * 0.6],
      ]),
    );
    const muzzle = ellipsePath([head[0] - size * 0.8, head[1] + size * 0.3], size * 0.55, size * 0.42);
    const body = ellipsePath([0, 0], long * 1.15, deep) + neck + ellipsePath(head, size, size * 0.9) + muzzle;
    const tail = stroke(
      smoothPath(
        [
          [long, -deep * 0.4],
          [long + 0.25, between(source, -0.8, 0.3)],
          [long + 0.35, between(source, -0.9, 0.7)],
        ],
        false,
      ),
      coat.main,
      between(source, 0.04, 0.14),
    );
    const nose = flat(ellipsePath([head[0] - size * 1.25, head[1] + size * 0.2], size * 0.15), [0.1, 0.08, 0.08]);
    const face = eye(coat.main, [head[0] - size * 0.25, head[1] - size * 0.2], size * 0.18) + nose;
    return tail + paint(brush, legs.join("") + ears.join("") + body, coat) + face;
  },
  face: (brush) => {
    const { source } = brush;
    const coat = drawCoat(brush);
    const [ear, apart, inner] = [between(source, 0.25, 0.6), between(source, 0.45, 0.75), color(brush)];
    const pointed = chance(source, 0.5);
    const ears = [-1, 1].map((side) => {
      const [x, y] = [side * apart, -0.6];
      return pointed
        ? linePath([
            [x - 0.28, y + 0.15],
            [x + side * 0.15, y - ear],
            [x + 0.28, y + 0.15],
          ])
        : ellipsePath([x, y], ear * 0.6, ear * 0.8);
    });
    const head = smoothPath([
      [0, -0.75],
      [0.75, -0.35],
      [0.7, 0.4],
      [0, between(source, 0.75, 1)],
      [-0.7, 0.4],
      [-0.75, -0.35],
    ]);
    const muzzle = paint(brush, ellipsePath([0, 0.42], between(source, 0.2, 0.42), 0.28), plainCoat(brush, inner));
    const nose = flat(
      linePath([
        [-0.13, 0.22],
        [0.13, 0.22],
        [0, 0.38],
      ]),
      [0.1, 0.07, 0.08],
    );
    const mouth = stroke("M0 0.38V0.5M-0.18 0.56Q0 0.6 0 0.5Q0 0.6 0.18 0.56", [0.1, 0.07, 0.08], 0.03);
    const gaze = between(source, 0.22, 0.38);
    const size = between(source, 0.08, 0.15);
    const eyes = eye(coat.main, [-gaze, -0.1], size) + eye(coat.main, [gaze, -0.1], size);
    return paint(brush, ears.join("") + head, coat) + muzzle + nose + mouth + eyes;
  },
  bird: (brush) => {
    const { source } = brush;
    const coat = drawCoat(brush);
    const [size, plump] = [between(source, 0.2, 0.32), between(source, 0.3, 0.5)];
    const body = smoothPath([
      [-0.5, -0.35],
      [0.1, -plump],
      [0.6, 0],
      [0.1, plump],
      [-0.45, 0.2],
    ]);
    const tail = linePath([
      [0.4, -0.15],
      [1, between(source, -0.5, 0.4)],
      [0.9, 0.35],
      [0.4, 0.15],
    ]);
    const head = ellipsePath([-0.5, -0.4], size);
    const beak = linePath([
      [-0.5 - size * 0.8, -0.5],
      [-0.6 - size - between(source, 0.05, 0.3), -0.36],
      [-0.5 - size * 0.8, -0.28],
    ]);
    const legs = stroke("M0 0.3L-0.05 0.85M0.18 0.3L0.2 0.85", [0.35, 0.25, 0.1], 0.04);
    const wing = smoothPath([
      [-0.25, -0.2],
      [0.3, -0.2],
      [0.75, between(source, -0.6, 0.25)],
      [0.1, 0.2],
    ]);
    const parts = legs + flat(beak, [0.85, 0.6, 0.15]) + paint(brush, tail + body + head, coat);
    return (
      parts + paint(brush, wing, drawCoat(brush), { edge: drawEdge(brush) }) + eye(coat.main, [-0.58, -0.45], 0.06)
    );
  },
  insect: (brush) => {
    const { source } = brush;
    const dark = contrast(color(brush), 0.5);
    const legs = [-0.35, 0, 0.3].map(
      (y) => `M0 ${y}L0.45 ${y - 0.2}L0.75 ${y + 0.15}M0 ${y}L-0.45 ${y - 0.2}L-0.75 ${y + 0.15}`,
    );
    const feelers = `M-0.08 -0.6Q-0.15 -0.9 -0.4 -0.95M0.08 -0.6Q0.15 -0.9 0.4 -0.95`;
    const [slim, hind] = [between(source, 0.15, 0.5), between(source, 0.25, 0.55)];
    const abdomen = paint(brush, ellipsePath([0, 0.4], slim, hind), drawCoat(brush));
    const front = paint(
      brush,
      ellipsePath([0, -0.1], slim * 0.8, 0.25) + ellipsePath([0, -0.5], 0.17),
      drawCoat(brush),
    );
    return stroke(legs.join("") + feelers, dark, between(source, 0.025, 0.06)) + abdomen + front;
  },
  butterfly: (brush) => {
    const { source } = brush;
    const [upper, lower] = [between(source, 0.6, 0.95), between(source, 0.4, 0.8)];
    const half = smoothPath([
      [0, -0.1],
      [0.3, -upper],
      [0.95, -upper],
      [0.8, -0.1],
      [0.2, 0.05],
    ]);
    const hind = smoothPath([
      [0, 0],
      [0.7, 0.05],
      [0.65, lower],
      [0.25, lower],
      [0.02, 0.2],
    ]);
    const spot = flat(ellipsePath([0.6, -upper * 0.55], between(source, 0.08, 0.2)), color(brush));
    const wing = paint(brush, half + hind, drawCoat(brush), { edge: 0.04 }) + spot;
    const mirrored = placed(wing, { x: 0, y: 0, scale: 1, stretch: -1 });
    return wing + mirrored + flat(ellipsePath([0, 0], 0.07, 0.5), [0.12, 0.1, 0.1]);
  },
} as const satisfies Readonly<Record<string, Thing>>;

/** An eye that can be seen on a coat of this color. */
function eye(around: Color, at: Point, radius: number): string {
  const glint: Point = [at[0] - radius * 0.3, at[1] - radius * 0.3];
  const white = flat(ellipsePath(at, radius * 1.25), contrast(around, 0.8));
  return (
    white + flat(ellipsePath(at, radius * 0.9), [0.05, 0.05, 0.06]) + flat(ellipsePath(glint, radius * 0.3), [1, 1, 1])
  );
}
