/** Things that people make: vessels, furniture, houses and vehicles, within a radius of about 1, upright. */
import { type Brush, color, contrast, drawShade, type Thing } from "./brush.ts";
import { drawCoat, drawEdge, flat, paint, plainCoat, stroke } from "./coats.ts";
import { between, chance, times, whole } from "./dice.ts";
import { mix } from "./palette.ts";
import { boxPath, ellipsePath, linePath, type Point, polar, smoothPath } from "./svg.ts";

/** Kinds of things that people make. */
export const MADE = {
  vase: (brush) => {
    const { source } = brush;
    const half = times(5, (i): Point => [between(source, 0.2, 0.75), -1 + i * 0.5]);
    const mirrored = half.map(([x, y]): Point => [-x, y]).reverse();
    const [rim] = half[0]!;
    const body = smoothPath([...half, ...mirrored]);
    const coat = drawCoat(brush);
    const mouth = flat(ellipsePath([0, -0.98], rim * 0.9, 0.07), contrast(coat.main, 0.7));
    return paint(brush, body, { ...coat, shade: "pipe" }, { edge: drawEdge(brush) }) + mouth;
  },
  bottle: (brush) => {
    const { source } = brush;
    const [wide, neck, shoulder] = [
      between(source, 0.28, 0.5),
      between(source, 0.08, 0.18),
      between(source, -0.4, 0.1),
    ];
    const body = `M${-neck} -0.85V${shoulder - 0.3}C${-neck} ${shoulder} ${-wide} ${shoulder - 0.15} ${-wide} ${shoulder + 0.2}V1H${wide}V${shoulder + 0.2}C${wide} ${shoulder - 0.15} ${neck} ${shoulder} ${neck} ${shoulder - 0.3}V-0.85Z`;
    const label = paint(brush, boxPath(-wide, shoulder + 0.35, wide, 0.8), drawCoat(brush));
    const cap = flat(boxPath(-neck * 1.15, -1, neck * 1.15, -0.8), color(brush));
    return paint(brush, body, { ...drawCoat(brush), shade: "pipe" }) + label + cap;
  },
  mug: (brush) => {
    const { source } = brush;
    const [wide, foot, high] = [between(source, 0.5, 0.7), between(source, 0.35, 0.65), between(source, 0.5, 0.8)];
    const coat = drawCoat(brush);
    const handle = stroke(
      `M${wide * 0.9} ${-high * 0.5}C1.1 ${-high * 0.6} 1.1 ${high * 0.6} ${foot * 0.9} ${high * 0.5}`,
      coat.main,
      0.13,
    );
    const body = `M${-wide} ${-high}L${-foot} ${high}Q0 ${high + 0.2} ${foot} ${high}L${wide} ${-high}Z`;
    const drink = flat(ellipsePath([0, -high], wide * 0.88, 0.11), contrast(coat.main, 0.65));
    const rim = flat(ellipsePath([0, -high], wide, 0.15), mix(coat.main, [1, 1, 1], 0.3));
    return handle + paint(brush, body, { ...coat, shade: "pipe" }) + rim + drink;
  },
  carton: (brush) => {
    const { source } = brush;
    const [left, right, high] = [between(source, 0.3, 0.9), between(source, 0.3, 0.9), between(source, 0.3, 0.9)];
    const rise = between(source, 0.2, 0.5);
    const coat = drawCoat(brush);
    const a: Point = [0, 1 - rise * 0.2];
    const up = ([x, y]: Point): Point => [x, y - high * 1.2];
    const [b, c]: [Point, Point] = [
      [-left, a[1] - rise * left],
      [right, a[1] - rise * right],
    ];
    const d: Point = [right - left, a[1] - rise * (left + right)];
    const dim = { fill: "#000", opacity: between(source, 0.2, 0.5) };
    const face = (points: readonly Point[]): string =>
      paint(brush, linePath(points), { ...coat, shade: "none" }, { edge: drawEdge(brush) });
    const shadowed = `<path d="${linePath([a, c, up(c), up(a)])}" fill="${dim.fill}" fill-opacity="${dim.opacity.toFixed(2)}"/>`;
    const lit = flat(linePath([up(a), up(b), up(d), up(c)]), [1, 1, 1], between(source, 0.1, 0.4));
    return (
      face([a, b, up(b), up(a)]) + face([a, c, up(c), up(a)]) + shadowed + face([up(a), up(b), up(d), up(c)]) + lit
    );
  },
  house: (brush) => {
    const { source } = brush;
    const [wide, eaves] = [between(source, 0.5, 0.85), between(source, -0.4, 0.1)];
    const wall = paint(brush, boxPath(-wide, eaves, wide, 1), drawCoat(brush));
    const roof = paint(
      brush,
      linePath([
        [-wide - 0.15, eaves],
        [between(source, -0.3, 0.3), -1],
        [wide + 0.15, eaves],
      ]),
      drawCoat(brush),
    );
    const [columns, rows] = [whole(source, 2, 4), whole(source, 1, 3)];
    const pane = color(brush);
    return (
      wall +
      roof +
      windows(brush, { left: -wide, top: eaves, right: wide, bottom: 0.65 }, columns, rows) +
      flat(boxPath(-0.12, 0.6, 0.14, 1), pane)
    );
  },
  tower: (brush) => {
    const { source } = brush;
    const wide = between(source, 0.25, 0.55);
    const wall = paint(brush, boxPath(-wide, -1, wide, 1), drawCoat(brush));
    return (
      wall + windows(brush, { left: -wide, top: -1, right: wide, bottom: 1 }, whole(source, 2, 6), whole(source, 4, 11))
    );
  },
  car: (brush) => {
    const { source } = brush;
    const [roof, front, back] = [
      between(source, -0.65, -0.25),
      between(source, -0.7, -0.35),
      between(source, 0.3, 0.75),
    ];
    const belt = between(source, -0.1, 0.1);
    const body = `M-1 0.4V${belt + 0.12}Q-0.95 ${belt} ${front - 0.1} ${belt}L${front + 0.25} ${roof}H${back - 0.2}L${back + 0.1} ${belt}H0.9Q1 ${belt} 1 ${belt + 0.2}V0.4Z`;
    const glass = linePath([
      [front + 0.08, belt],
      [front + 0.31, roof + 0.08],
      [back - 0.24, roof + 0.08],
      [back - 0.02, belt],
    ]);
    const pillar = boxPath(-0.04, roof, 0.03, belt);
    const coat = drawCoat(brush);
    const wheel = between(source, 0.16, 0.28);
    const wheels = [-0.58, 0.58].map(
      (x) =>
        flat(ellipsePath([x, 0.42], wheel), [0.08, 0.08, 0.09]) +
        flat(ellipsePath([x, 0.42], wheel * 0.5), [0.6, 0.6, 0.62]),
    );
    return (
      paint(brush, body, coat, { edge: drawEdge(brush) }) +
      flat(glass, mix(contrast(coat.main, 0.8), [0.5, 0.7, 0.85], 0.5)) +
      flat(pillar, coat.main) +
      wheels.join("")
    );
  },
  boat: (brush) => {
    const { source } = brush;
    const [mast, bow] = [between(source, -0.3, 0.3), between(source, 0.7, 1)];
    const hull = `M${-bow} 0.45H${bow}Q${bow * 0.7} 0.95 0.2 0.95H-0.5Q${-bow * 0.8} 0.9 ${-bow} 0.45Z`;
    const sail = linePath([
      [mast + 0.05, -1],
      [mast + between(source, 0.4, 0.8), 0.3],
      [mast + 0.05, 0.3],
    ]);
    const jib = linePath([
      [mast - 0.05, -0.8],
      [mast - between(source, 0.3, 0.6), 0.3],
      [mast - 0.05, 0.3],
    ]);
    const pole = stroke(`M${mast} -1V0.5`, [0.3, 0.22, 0.15], 0.05);
    return (
      pole +
      paint(brush, sail, drawCoat(brush)) +
      paint(brush, jib, drawCoat(brush)) +
      paint(brush, hull, drawCoat(brush))
    );
  },
  table: (brush) => {
    const { source } = brush;
    const coat = drawCoat(brush);
    const [top, leg, thick] = [between(source, -0.5, 0.2), between(source, 0.05, 0.12), between(source, 0.08, 0.2)];
    const legs = boxPath(-0.85, top, -0.85 + leg, 1) + boxPath(0.85 - leg, top, 0.85, 1);
    const back = chance(source, 0.5) ? boxPath(0.85 - leg, -1, 0.85, top) : "";
    return (
      paint(brush, legs + back, plainCoat(brush, coat.main)) + paint(brush, boxPath(-1, top, 1, top + thick), coat)
    );
  },
  lamp: (brush) => {
    const { source } = brush;
    const [upper, lower] = [between(source, 0.15, 0.4), between(source, 0.45, 0.8)];
    const shade = linePath([
      [-upper, -1],
      [upper, -1],
      [lower, -0.2],
      [-lower, -0.2],
    ]);
    const foot = ellipsePath([0, 0.92], between(source, 0.25, 0.5), 0.09);
    return (
      stroke("M0 -0.3V0.9", color(brush), between(source, 0.05, 0.16)) +
      paint(brush, foot, plainCoat(brush)) +
      paint(brush, shade, drawCoat(brush))
    );
  },
  dial: (brush) => {
    const { source } = brush;
    const coat = drawCoat(brush);
    const ink = contrast(coat.main, 0.85);
    const count = whole(source, 4, 24);
    const ticks = times(count, (i) =>
      linePath([polar((2 * Math.PI * i) / count, 0.8), polar((2 * Math.PI * i) / count, 0.68)], false),
    );
    const hands = times(whole(source, 1, 3), () =>
      linePath([[0, 0], polar(between(source, 0, 2 * Math.PI), between(source, 0.3, 0.7))], false),
    );
    return (
      paint(brush, ellipsePath([0, 0], 1), drawCoat(brush)) +
      paint(brush, ellipsePath([0, 0], 0.86), coat) +
      stroke(ticks.join(""), ink, between(source, 0.02, 0.06)) +
      stroke(hands.join(""), ink, between(source, 0.03, 0.08))
    );
  },
  wheel: (brush) => {
    const { source } = brush;
    const count = whole(source, 5, 16);
    const spokes = times(count, (i) => linePath([[0, 0], polar((2 * Math.PI * i) / count, 0.85)], false));
    const rim = ellipsePath([0, 0], 1) + ellipsePath([0, 0], between(source, 0.65, 0.88));
    const main = color(brush);
    return (
      stroke(spokes.join(""), main, between(source, 0.02, 0.08)) +
      paint(brush, rim, drawCoat(brush), { holes: true }) +
      flat(ellipsePath([0, 0], 0.15), main)
    );
  },
  fence: (brush) => {
    const { source } = brush;
    const count = whole(source, 3, 9);
    const width = between(source, 0.3, 0.8) / count;
    const tip = between(source, 0, 0.25);
    const pickets = times(count, (i) => {
      const x = -1 + (2 * (i + 0.5)) / count;
      return linePath([
        [x - width, 1],
        [x - width, -0.7],
        [x, -0.7 - tip],
        [x + width, -0.7],
        [x + width, 1],
      ]);
    });
    return paint(brush, pickets.join("") + boxPath(-1, -0.4, 1, -0.25) + boxPath(-1, 0.4, 1, 0.55), drawCoat(brush));
  },
  rope: (brush) => {
    const { source } = brush;
    const path = smoothPath(
      times(whole(source, 4, 8), (): Point => [between(source, -1, 1), between(source, -1, 1)]),
      false,
    );
    const main = color(brush);
    const width = between(source, 0.06, 0.3);
    const layers = [contrast(main, 0.5), main, mix(main, [1, 1, 1], 0.45)];
    return layers.map((tone, i) => stroke(path, tone, width * (1 - 0.36 * i))).join("");
  },
  book: (brush) => {
    const { source } = brush;
    const [wide, high] = [between(source, 0.5, 0.8), between(source, 0.7, 1)];
    const cover = paint(brush, boxPath(-wide, -high, wide, high), { ...drawCoat(brush), shade: drawShade(source) });
    const spine = flat(boxPath(-wide, -high, -wide + 0.14, high), [0, 0, 0], 0.35);
    const ink = color(brush);
    const lines = times(whole(source, 1, 6), (i) =>
      boxPath(-wide + 0.3, -high * 0.7 + i * 0.2, between(source, 0, wide - 0.1), -high * 0.7 + i * 0.2 + 0.08),
    );
    return cover + spine + flat(lines.join(""), ink);
  },
} as const satisfies Readonly<Record<string, Thing>>;

interface Wall {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Rows of windows, some of them lit. */
function windows(brush: Brush, { left, top, right, bottom }: Wall, columns: number, rows: number): string {
  const { source } = brush;
  const [off, on] = [color(brush), color(brush)];
  const [dx, dy, fill] = [(right - left) / columns, (bottom - top) / rows, between(source, 0.25, 0.4)];
  const panes: [string[], string[]] = [[], []];
  for (let i = 0; i < columns * rows; i++) {
    const [x, y] = [left + dx * ((i % columns) + 0.5), top + dy * (Math.floor(i / columns) + 0.5)];
    panes[chance(source, 0.3) ? 1 : 0].push(boxPath(x - fill * dx, y - fill * dy, x + fill * dx, y + fill * dy));
  }
  return flat(panes[0].join(""), contrast(off, 0.4)) + flat(panes[1].join(""), on);
}
