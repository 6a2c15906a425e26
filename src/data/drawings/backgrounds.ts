/** What stands behind everything: walls, skies, landscapes, rooms, all over a picture of 100 x 100 units. */
import { type Brush, color, contrast, linearFill, radialFill } from "./brush.ts";
import { flat } from "./coats.ts";
import { between, chance, oneOf, times, whole } from "./dice.ts";
import { type Color, css, mix, nearHue } from "./palette.ts";
import { patternFill } from "./patterns.ts";
import { boxPath, ellipsePath, linePath, num, type Point, smoothPath } from "./svg.ts";
import { GRAINS, noiseFilter, roughFilter } from "./textures.ts";

/** Draws a background and returns its markup. It reaches over the edges of the picture, which may be turned. */
export type Background = (brush: Brush) => string;

/** Left and top, right and bottom of what a background covers. */
const [NEAR, FAR] = [-15, 115];
const FULL = boxPath(NEAR, NEAR, FAR, FAR);

/** Backgrounds without things in them. */
export const PLAIN_BACKGROUNDS = {
  plain: (brush) => cover(css(color(brush))),
  gradient: (brush) => {
    const colors = times(whole(brush.source, 2, 3), () => color(brush));
    return cover(linearFill(brush, colors, between(brush.source, 0, 2 * Math.PI)));
  },
  spotlight: (brush) => {
    const main = color(brush);
    return cover(radialFill(brush, [mix(main, [1, 1, 1], 0.4), main, mix(main, [0, 0, 0], 0.6)]));
  },
  noise: (brush) => cover("#000", noiseFilter(brush, between(brush.source, 20, 60))),
  rough: (brush) => cover(css(color(brush)), roughFilter(brush, between(brush.source, 20, 60))),
  pattern: (brush) => cover(patternFill(brush, between(brush.source, 4, 28))),
  bokeh: (brush) => {
    const { source } = brush;
    const lights = times(whole(source, 6, 22), () => {
      const fill = radialFill(brush, [color(brush), color(brush)]);
      const path = ellipsePath([between(source, 0, 100), between(source, 0, 100)], between(source, 3, 18));
      return `<path d="${path}" fill="${fill}" fill-opacity="${num(between(source, 0.2, 0.7))}"/>`;
    });
    return cover(css(color(brush))) + lights.join("");
  },
  rays: (brush) => {
    const { source } = brush;
    const center: Point = [between(source, 10, 90), between(source, 10, 110)];
    const count = whole(source, 5, 24);
    const rays = times(count, (i) => {
      const reach = (angle: number): Point => [center[0] + 190 * Math.cos(angle), center[1] + 190 * Math.sin(angle)];
      return linePath([center, reach((2 * Math.PI * i) / count), reach((2 * Math.PI * (i + 0.5)) / count)]);
    });
    return cover(css(color(brush))) + flat(rays.join(""), color(brush), between(source, 0.2, 1));
  },
  patches: (brush) => {
    const { source } = brush;
    const turn = between(source, 0, 90);
    const fields = times(whole(source, 5, 16), () => {
      const [x, y] = [between(source, -20, 100), between(source, -20, 100)];
      return flat(
        boxPath(x, y, x + between(source, 10, 70), y + between(source, 10, 70)),
        color(brush),
        between(source, 0.4, 1),
      );
    });
    return `${cover(css(color(brush)))}<g transform="rotate(${num(turn)} 50 50)">${fields.join("")}</g>`;
  },
  planks: (brush) => {
    const { source } = brush;
    const width = between(source, 8, 30);
    const wood = nearHue(source, brush.palette, 0.08, brush.lightness);
    const dark = contrast(wood, 0.35);
    const grain = noiseFilter(brush, 30, GRAINS.blades, [wood, dark, mix(wood, [1, 1, 1], 0.2)]);
    const gaps = times(Math.ceil(130 / width), (i) => boxPath(NEAR + i * width, NEAR, NEAR + i * width + 0.8, FAR));
    const turn = chance(source, 0.5) ? 90 : 0;
    return `<g transform="rotate(${turn} 50 50)">${cover(css(wood), grain)}${flat(gaps.join(""), contrast(wood, 0.75), 0.8)}</g>`;
  },
} as const satisfies Readonly<Record<string, Background>>;

/** Backgrounds that are places. */
export const PLACES = {
  landscape: (brush) => {
    const { source } = brush;
    const sky = nearHue(source, brush.palette, 0.57, [0.45, 0.9]);
    const land = nearHue(source, brush.palette, oneOf(source, [0.28, 0.1, 0.6]), [0.15, 0.5]);
    const count = whole(source, 1, 5);
    const top = between(source, 15, 60);
    const ridges = times(count, (i) => {
      const level = top + ((95 - top) * i) / count;
      return flat(ridge(brush, level, between(source, 1, 16)), mix(sky, land, (i + 1) / count));
    });
    return skyOver(brush, sky) + ridges.join("");
  },
  meadow: (brush) => {
    const { source } = brush;
    const horizon = between(source, 20, 75);
    const green = nearHue(source, brush.palette, oneOf(source, [0.28, 0.14]), [0.2, 0.55]);
    const colors: [Color, Color, Color] = [green, contrast(green, 0.4), color(brush)];
    const ground = noiseFilter(
      brush,
      between(source, 20, 40),
      oneOf(source, [GRAINS.mottled, GRAINS.blades, GRAINS.speckled]),
      colors,
    );
    return skyOver(brush, nearHue(source, brush.palette, 0.57, [0.5, 0.9])) + floor(horizon, "#000", ground);
  },
  shore: (brush) => {
    const { source } = brush;
    const horizon = between(source, 25, 70);
    const sea = nearHue(source, brush.palette, 0.55, [0.2, 0.6]);
    const colors: [Color, Color, Color] = [sea, mix(sea, [1, 1, 1], 0.6), contrast(sea, 0.3)];
    const water = noiseFilter(brush, between(source, 20, 45), GRAINS.ripples, colors);
    const sand = chance(source, 0.4)
      ? flat(ridge(brush, between(source, 75, 95), 4), nearHue(source, brush.palette, 0.11, [0.5, 0.85]))
      : "";
    return skyOver(brush, nearHue(source, brush.palette, 0.57, [0.5, 0.9])) + floor(horizon, "#000", water) + sand;
  },
  room: (brush) => {
    const { source } = brush;
    const horizon = between(source, 45, 85);
    const wall = chance(source, 0.4)
      ? cover(patternFill(brush, between(source, 5, 20)))
      : cover(linearFill(brush, [color(brush), color(brush)], brush.light));
    const main = color(brush);
    const boards = times(14, (i) =>
      linePath([
        [50 + (i - 7) * 8, horizon],
        [50 + (i - 7) * 26, FAR],
        [50 + (i - 7) * 26 + 1.5, FAR],
      ]),
    );
    const skirting = flat(boxPath(NEAR, horizon - between(source, 1, 4), FAR, horizon), contrast(main, 0.3));
    return wall + floor(horizon, css(main)) + flat(boards.join(""), contrast(main, 0.4), 0.7) + skirting;
  },
  street: (brush) => {
    const { source } = brush;
    const blocks: string[] = [];
    for (let x = NEAR; x < FAR; ) {
      const width = between(source, 8, 26);
      const top = between(source, 5, 60);
      const main = color(brush);
      const [columns, rows] = [whole(source, 2, 5), whole(source, 4, 10)];
      const panes = times(columns * rows, (i) => {
        const [px, py] = [
          x + (width * ((i % columns) + 0.3)) / columns,
          top + (80 * (Math.floor(i / columns) + 0.3)) / rows,
        ];
        return boxPath(px, py, px + (width * 0.45) / columns, py + 36 / rows);
      });
      blocks.push(
        flat(boxPath(x, top, x + width, FAR), main) + flat(panes.join(""), contrast(main, between(source, 0.2, 0.7))),
      );
      x += width + (chance(source, 0.2) ? 4 : 0);
    }
    return skyOver(brush, color(brush)) + blocks.join("") + floor(between(source, 75, 92), css(color(brush)));
  },
  forest: (brush) => {
    const { source } = brush;
    const haze = nearHue(source, brush.palette, 0.3, [0.4, 0.85]);
    const bark = nearHue(source, brush.palette, 0.08, [0.1, 0.35]);
    const count = whole(source, 8, 22);
    const trunks = times(count, (i) => {
      const near = (i + 1) / count;
      const [x, half] = [between(source, -5, 105), between(source, 0.6, 1.2) + 4 * near * near];
      const lean = between(source, -5, 5);
      return flat(
        linePath([
          [x - half, 70 + 35 * near],
          [x - half * 0.7 + lean, NEAR],
          [x + half * 0.7 + lean, NEAR],
          [x + half, 70 + 35 * near],
        ]),
        mix(haze, bark, near),
      );
    });
    const ground = noiseFilter(brush, 25, GRAINS.mottled, [mix(haze, bark, 0.5), bark, haze]);
    return (
      cover(linearFill(brush, [mix(haze, [1, 1, 1], 0.5), haze], Math.PI / 2)) +
      floor(between(source, 65, 80), "#000", ground) +
      trunks.join("")
    );
  },
} as const satisfies Readonly<Record<string, Background>>;

const PLAIN_KINDS: readonly Background[] = Object.values(PLAIN_BACKGROUNDS);
const PLACE_KINDS: readonly Background[] = Object.values(PLACES);

/** Draws a background, a place with the given probability. */
export function drawBackground(brush: Brush, places: number): string {
  return oneOf(brush.source, chance(brush.source, places) ? PLACE_KINDS : PLAIN_KINDS)(brush);
}

function cover(fill: string, filter?: string): string {
  return `<path d="${FULL}" fill="${fill}"${filter === undefined ? "" : ` filter="${filter}"`}/>`;
}

function floor(top: number, fill: string, filter?: string): string {
  return `<path d="${boxPath(NEAR, top, FAR, FAR)}" fill="${fill}"${filter === undefined ? "" : ` filter="${filter}"`}/>`;
}

/** A sky that is lighter at the horizon, with or without clouds. */
function skyOver(brush: Brush, sky: Color): string {
  const pale = mix(sky, [1, 1, 1], between(brush.source, 0.2, 0.8));
  if (chance(brush.source, 0.4))
    return cover(
      "#000",
      noiseFilter(brush, between(brush.source, 30, 70), GRAINS.clouds, [sky, pale, mix(sky, pale, 0.5)]),
    );
  return cover(linearFill(brush, [sky, pale], Math.PI / 2));
}

/** A line of hills at a height, with everything below it. */
function ridge({ source }: Brush, level: number, rough: number): string {
  const count = whole(source, 4, 14);
  const points = times(
    count + 1,
    (i): Point => [NEAR + ((FAR - NEAR) * i) / count, level + rough * (2 * source.next() - 1)],
  );
  const line = chance(source, 0.6) ? smoothPath(points, false) : linePath(points, false);
  return `${line}L${FAR} ${FAR}L${NEAR} ${FAR}Z`;
}
