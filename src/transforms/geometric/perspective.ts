/** Perspective: the picture as seen from the side, by moving its corners as torchvision's RandomPerspective does. */
import { RootstockError } from "../../errors.ts";
import type { Rng } from "../../random.ts";
import { happens } from "../pixels/chance.ts";
import { invert, isIdentity, type Matrix, multiply } from "../resampling/matrix.ts";
import { type Apply, applying, check, type Draw, type WarpingOptions, warping } from "./geometric-draw.ts";

/** Four positions, clockwise from the top left. */
export type Corners = readonly [Corner, Corner, Corner, Corner];

/** A position in pixels. */
export type Corner = readonly [x: number, y: number];

/** Options of `perspective`. */
export interface PerspectiveOptions extends Omit<WarpingOptions, "probability"> {
  /** Corners move inwards by up to this fraction of half the width and height, in [0, 1]. @default 0.5 */
  readonly distortion?: number | undefined;
  /** Chance of being applied, in [0, 1]. @default 0.5 */
  readonly probability?: number | undefined;
}

/**
 * Returns the result-to-source matrix that takes the corners `from` in the source to the corners `to` in the result.
 * @throws RootstockError BAD_CONFIG if three of four corners are on one line.
 */
export function perspectiveMatrix(from: Corners, to: Corners): Matrix {
  const back = invert(squareTo(to));
  if (!back) {
    throw new RootstockError(
      "BAD_CONFIG",
      `a perspective requires corners that are not on one line, got [${to.join("], [")}].`,
    );
  }
  const matrix = multiply(squareTo(from), back);
  const [[x, y]] = to;
  const [a, b, c, d, e, f, g, h, i] = matrix;
  const w = g * x + h * y + i; // made positive in front of the horizon, where the corners are
  return [a / w, b / w, c / w, d / w, e / w, f / w, g / w, h / w, i / w];
}

/** Draws a perspective. */
export const drawPerspective: Draw<PerspectiveOptions> = (
  { distortion = 0.5, probability = 0.5, ...options }: PerspectiveOptions,
  { width, height },
  rng,
) => {
  check(distortion >= 0 && distortion <= 1, "perspective's distortion", "a fraction from 0 to 1", distortion);
  const corners = drawCorners(width, height, { distortion, rng });
  const how = warping("perspective", options);
  if (!happens(probability, rng)) return;
  const matrix = perspectiveMatrix(
    [
      [0, 0],
      [width, 0],
      [width, height],
      [0, height],
    ],
    corners,
  );
  return isIdentity(matrix) ? undefined : { kind: "warp", matrix, width, height, ...how };
};

/** Shows the picture and its marks from the side. */
export const perspective: Apply<PerspectiveOptions> = applying(drawPerspective);

/**
 * Corners moved inwards. Far ones can make a shape that is not convex, of which a part would lie behind the viewer: they
 * are drawn again, and after ten times by half as much, which is always convex.
 */
function drawCorners(
  width: number,
  height: number,
  { distortion, rng }: { readonly distortion: number; readonly rng: Rng },
): Corners {
  for (let attempt = 0; ; attempt++) {
    const inwards = (side: number) => (distortion * side * rng.next()) / (attempt < 10 ? 2 : 4);
    const corners: Corners = [
      [inwards(width), inwards(height)],
      [width - inwards(width), inwards(height)],
      [width - inwards(width), height - inwards(height)],
      [inwards(width), height - inwards(height)],
    ];
    if (attempt >= 10 || isConvex(corners, (width * height) / 100)) return corners;
  }
}

/** Whether every corner turns right, by a triangle of at least this area. */
function isConvex(corners: Corners, least: number): boolean {
  return corners.every(([x, y], i) => {
    const [[x0, y0], [x1, y1]] = [corners[(i + 3) % 4]!, corners[(i + 1) % 4]!];
    return ((x - x0) * (y1 - y) - (y - y0) * (x1 - x)) / 2 >= least;
  });
}

/** The matrix that takes the unit square to four corners (Heckbert 1989, Fundamentals of Texture Mapping, section 2.2.3). */
function squareTo([[x0, y0], [x1, y1], [x2, y2], [x3, y3]]: Corners): Matrix {
  const [dx1, dx2, sx] = [x1 - x2, x3 - x2, x0 - x1 + x2 - x3];
  const [dy1, dy2, sy] = [y1 - y2, y3 - y2, y0 - y1 + y2 - y3];
  const determinant = dx1 * dy2 - dx2 * dy1;
  const g = (sx * dy2 - dx2 * sy) / determinant;
  const h = (dx1 * sy - sx * dy1) / determinant;
  return [x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h, 1];
}
