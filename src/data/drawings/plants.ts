/** Plants, within a radius of about 1, upright. */
import { type Brush, contrast, type Thing } from "./brush.ts";
import { drawCoat, drawEdge, flat, paint, plainCoat, stroke } from "./coats.ts";
import { between, chance, oneOf, times, whole } from "./dice.ts";
import { nearHue } from "./palette.ts";
import { boxPath, ellipsePath, linePath, type Point, placed, polar, smoothPath } from "./svg.ts";

/** Hues in turns of the color circle. */
const [GREEN, BROWN] = [0.29, 0.08];

/** Kinds of plants and fruits. */
export const PLANTS = {
  flower: (brush) => {
    const { source } = brush;
    const head = between(source, 0.4, 0.95);
    const middle: Point = [0, head - 1];
    const stem = head < 0.8 ? stalk(brush, [0, 1], middle) : "";
    const coat = drawCoat(brush);
    const count = whole(source, 4, 14);
    const [length, width] = [head * between(source, 0.5, 0.62), (between(source, 0.5, 1.3) * (head * 1.8)) / count];
    const petals = times(count, (i) => {
      const turn = (360 * i) / count;
      return placed(petal(brush, length, width, coat), { x: 0, y: middle[1], scale: 1, turn });
    });
    const heart = paint(brush, ellipsePath(middle, head * between(source, 0.15, 0.4)), drawCoat(brush));
    return stem + petals.join("") + heart;
  },
  tree: (brush) => {
    const { source } = brush;
    const bark = nearHue(source, brush.palette, BROWN, [0.1, 0.4]);
    const green = nearHue(source, brush.palette, GREEN, [0.2, 0.6]);
    const boughs: string[] = [];
    const tips: Point[] = [];
    const spread = between(source, 0.3, 0.7);
    const grow = (from: Point, angle: number, length: number, depth: number): void => {
      const [dx, dy] = polar(angle, length);
      const to: Point = [from[0] + dx, from[1] + dy];
      boughs.push(stroke(linePath([from, to], false), bark, 0.03 + 0.035 * depth));
      if (depth === 0) tips.push(to);
      else
        for (const side of [-1, 1])
          grow(to, angle + side * spread * between(source, 0.5, 1.4), length * between(source, 0.65, 0.85), depth - 1);
    };
    grow([0, 1], -Math.PI / 2, between(source, 0.45, 0.6), 4);
    if (chance(source, 0.2)) return boughs.join("");
    const crown = tips.map((tip) => ellipsePath(tip, between(source, 0.1, 0.28))).join("");
    return boughs.join("") + paint(brush, crown, drawCoat(brush, green));
  },
  fir: (brush) => {
    const { source } = brush;
    const green = nearHue(source, brush.palette, GREEN, [0.15, 0.5]);
    const coat = drawCoat(brush, green);
    const count = whole(source, 2, 6);
    const tiers = times(count, (i) => {
      const [top, half] = [-1 + (1.5 * i) / count, 0.2 + (0.55 * (i + 1)) / count];
      return linePath([
        [0, top],
        [half, top + 2 / count],
        [-half, top + 2 / count],
      ]);
    });
    const trunk = flat(boxPath(-0.07, 0.4, 0.07, 1), nearHue(source, brush.palette, BROWN, [0.1, 0.35]));
    return trunk + paint(brush, tiers.reverse().join(""), coat);
  },
  bush: (brush) => {
    const { source } = brush;
    const green = nearHue(source, brush.palette, GREEN, [0.15, 0.6]);
    const [length, width] = [between(source, 0.2, 0.5), between(source, 0.05, 0.14)];
    return times(whole(source, 14, 40), () => {
      const [x, y] = polar(between(source, 0, 2 * Math.PI), 0.8 * Math.sqrt(source.next()));
      const shade = contrast(green, between(source, 0, 0.5));
      const turn = between(source, 0, 360);
      return placed(flat(ellipsePath([0, 0], length, width), shade), { x, y, scale: 1, turn });
    }).join("");
  },
  grass: (brush) => {
    const { source } = brush;
    const green = nearHue(source, brush.palette, GREEN, [0.2, 0.6]);
    return times(whole(source, 8, 26), () => {
      const [foot, tip] = [between(source, -0.7, 0.7), between(source, -0.6, 0.6)];
      const points: Point[] = [
        [foot, 1],
        [foot + 0.1 * tip, 0.2],
        [foot + tip, between(source, -1, 0.1)],
      ];
      return stroke(smoothPath(points, false), contrast(green, between(source, 0, 0.5)), between(source, 0.03, 0.09));
    }).join("");
  },
  fruit: (brush) => {
    const { source } = brush;
    const [wide, dent] = [between(source, 0.7, 1), between(source, 0, 0.25)];
    const body = smoothPath([
      [0, -0.75 + dent],
      [wide * 0.6, -0.75],
      [wide, 0],
      [wide * 0.5, 0.8],
      [0, 0.85],
      [-wide * 0.5, 0.8],
      [-wide, 0],
      [-wide * 0.6, -0.75],
    ]);
    const stem = stroke(
      linePath(
        [
          [0, -0.65 + dent],
          [between(source, -0.2, 0.2), -1],
        ],
        false,
      ),
      [0.25, 0.18, 0.1],
      0.07,
    );
    return paint(brush, body, { ...drawCoat(brush), shade: "ball" }, { edge: drawEdge(brush) }) + stem;
  },
  mushroom: (brush) => {
    const { source } = brush;
    const [wide, foot] = [between(source, 0.6, 1), between(source, 0.12, 0.3)];
    const stem = smoothPath([
      [-foot, -0.1],
      [foot, -0.1],
      [foot * 1.4, 1],
      [-foot * 1.4, 1],
    ]);
    const cap = `M${-wide} 0C${-wide} -1.3 ${wide} -1.3 ${wide} 0Q0 ${between(source, -0.2, 0.3).toFixed(2)} ${-wide} 0Z`;
    return paint(brush, stem, { ...plainCoat(brush), shade: "pipe" }) + paint(brush, cap, drawCoat(brush));
  },
} as const satisfies Readonly<Record<string, Thing>>;

/** A petal that points up from the origin; without the texture of its coat, which would take long on many. */
function petal(brush: Brush, length: number, width: number, coat: ReturnType<typeof drawCoat>): string {
  return paint(brush, ellipsePath([0, -length], width, length), { ...coat, filter: undefined }, { edge: 0.015 });
}

/** A stem with two leaves. */
function stalk(brush: Brush, foot: Point, top: Point): string {
  const { source } = brush;
  const green = nearHue(source, brush.palette, GREEN, [0.2, 0.55]);
  const bend = between(source, -0.2, 0.2);
  const stem = stroke(
    smoothPath([foot, [bend, (foot[1] + top[1]) / 2], top], false),
    green,
    between(source, 0.04, 0.09),
  );
  const leaves = oneOf(source, [[], [-50], [60], [-55, 65]]).map((turn) =>
    placed(flat(ellipsePath([0, -0.3], 0.1, 0.3), contrast(green, 0.2)), { x: bend * 0.6, y: 0.75, scale: 1, turn }),
  );
  return stem + leaves.join("");
}
