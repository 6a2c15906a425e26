/** Rotation, shift, shear and zoom about the picture's centre, alone and as one: matrices, resampled once by `carryOut`. */
import { happens } from "../pixels/chance.ts";
import { around, invert, isIdentity, type Matrix, multiply, scaling, translation } from "../resampling/matrix.ts";
import type { GeometricStep } from "../steps.ts";
import {
  type Apply,
  applying,
  bounds,
  check,
  type Draw,
  draw,
  type Frame,
  type Range,
  type WarpingOptions,
  warping,
} from "./geometric-draw.ts";

/** Options of `rotate`. */
export interface RotateOptions extends WarpingOptions {
  /** Angle in degrees, counter-clockwise as in torchvision's `rotate`; 10 means -10 to 10. */
  readonly degrees: Range;
}

/** Options of `shift`. */
export interface ShiftOptions extends WarpingOptions {
  /** To the right; 0.1 means -0.1 to 0.1. @default 0 */
  readonly x?: Range | undefined;
  /** Downwards. @default 0 */
  readonly y?: Range | undefined;
  /** Fractions of the picture's width and height, or pixels. @default "fraction" */
  readonly unit?: "fraction" | "pixels" | undefined;
}

/** Options of `shear`. */
export interface ShearOptions extends WarpingOptions {
  /** Angle in degrees by which upright lines lean, as torchvision's first shear; within -89 to 89. @default 0 */
  readonly x?: Range | undefined;
  /** Angle in degrees by which level lines lean, as torchvision's second shear; within -89 to 89. @default 0 */
  readonly y?: Range | undefined;
}

/** Options of `zoom`. */
export interface ZoomOptions extends WarpingOptions {
  /**
   * How much larger things get: 0.2 means 0.8 to 1.2, [0.5, 1] shrinks by up to 2. Factors are drawn with equal chance
   * on a logarithmic scale, within 0.01 to 100.
   */
  readonly factor: Range;
  /** Whether width and height get the same factor. @default true */
  readonly keepAspect?: boolean | undefined;
}

/** Options of `affine`: all at once, as torchvision's RandomAffine, in its order shear, zoom, rotation, shift. */
export interface AffineOptions extends WarpingOptions {
  /** As of `rotate`. @default 0 */
  readonly degrees?: Range | undefined;
  /** Shift to the right and downwards as fractions of width and height: [0.1, 0.1] means -0.1 to 0.1 each. @default [0, 0] */
  readonly shift?: readonly [x: Range, y: Range] | undefined;
  /** As of `zoom`, with equal factors for width and height. @default 0 */
  readonly zoom?: Range | undefined;
  /** As of `shear`. @default [0, 0] */
  readonly shear?: readonly [x: Range, y: Range] | undefined;
}

/** Returns the result-to-source matrix of a rotation by `degrees`, counter-clockwise, about the centre. */
export function rotation({ width, height }: Pick<Frame, "width" | "height">, degrees: number): Matrix {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return around(width / 2, height / 2, [cos, -sin, 0, sin, cos, 0, 0, 0, 1]);
}

/** Returns the result-to-source matrix of torchvision's shear about the centre: first along x, then along y, in degrees. */
export function shearing({ width, height }: Pick<Frame, "width" | "height">, x: number, y: number): Matrix {
  const [a, b] = [Math.tan((x * Math.PI) / 180), Math.tan((y * Math.PI) / 180)];
  const forward = multiply([1, 0, 0, -b, 1, 0, 0, 0, 1], [1, -a, 0, 0, 1, 0, 0, 0, 1]);
  return around(width / 2, height / 2, invert(forward)!); // the determinant is 1
}

/** Draws a rotation. */
export const drawRotate: Draw<RotateOptions> = (
  { degrees, probability = 1, ...options }: RotateOptions,
  frame,
  rng,
) => {
  const angle = draw("rotate's degrees", degrees, rng);
  return warped("rotate", options, { frame, matrix: rotation(frame, angle), apply: happens(probability, rng) });
};

/** Draws a shift. */
export const drawShift: Draw<ShiftOptions> = (
  { x = 0, y = 0, unit = "fraction", probability = 1, ...options }: ShiftOptions,
  frame,
  rng,
) => {
  check(unit === "fraction" || unit === "pixels", "shift's unit", `"fraction" or "pixels"`, unit);
  const [across, down] = unit === "fraction" ? [frame.width, frame.height] : [1, 1];
  const matrix = translation(-draw("shift's x", x, rng) * across, -draw("shift's y", y, rng) * down);
  return warped("shift", options, { frame, matrix, apply: happens(probability, rng) });
};

/** Draws a shear. */
export const drawShear: Draw<ShearOptions> = (
  { x = 0, y = 0, probability = 1, ...options }: ShearOptions,
  frame,
  rng,
) => {
  const matrix = shearing(frame, draw("shear's x", x, rng, LEAN), draw("shear's y", y, rng, LEAN));
  return warped("shear", options, { frame, matrix, apply: happens(probability, rng) });
};

/** Draws a zoom. */
export const drawZoom: Draw<ZoomOptions> = (
  { factor, keepAspect = true, probability = 1, ...options }: ZoomOptions,
  frame,
  rng,
) => {
  const x = drawFactor("zoom's factor", factor, rng);
  const y = keepAspect ? x : drawFactor("zoom's factor", factor, rng);
  const matrix = around(frame.width / 2, frame.height / 2, scaling(1 / x, 1 / y));
  return warped("zoom", options, { frame, matrix, apply: happens(probability, rng) });
};

/** Draws shear, zoom, rotation and shift as one matrix. */
export const drawAffine: Draw<AffineOptions> = (
  { degrees = 0, shift = [0, 0], zoom = 0, shear = [0, 0], probability = 1, ...options }: AffineOptions,
  frame,
  rng,
) => {
  const x = draw("affine's shift along x", shift[0], rng) * frame.width;
  const y = draw("affine's shift along y", shift[1], rng) * frame.height;
  const turned = rotation(frame, draw("affine's degrees", degrees, rng));
  const factor = 1 / drawFactor("affine's zoom", zoom, rng);
  const zoomed = around(frame.width / 2, frame.height / 2, scaling(factor, factor));
  const sheared = shearing(
    frame,
    draw("affine's shear along x", shear[0], rng, LEAN),
    draw("affine's shear along y", shear[1], rng, LEAN),
  );
  const matrix = [zoomed, turned, translation(-x, -y)].reduce(multiply, sheared);
  return warped("affine", options, { frame, matrix, apply: happens(probability, rng) });
};

/** Turns the picture and its marks about the centre. */
export const rotate: Apply<RotateOptions> = applying(drawRotate);

/** Moves the picture and its marks. */
export const shift: Apply<ShiftOptions> = applying(drawShift);

/** Slants the picture and its marks about the centre. */
export const shear: Apply<ShearOptions> = applying(drawShear);

/** Enlarges or shrinks the picture and its marks about the centre; the picture's size stays. */
export const zoom: Apply<ZoomOptions> = applying(drawZoom);

/** Slants, zooms, turns and moves the picture and its marks. */
export const affine: Apply<AffineOptions> = applying(drawAffine);

const LEAN = { least: -89, most: 89 };

/** A zoom factor: r means 1 - r to 1 + r. */
function drawFactor(option: string, factor: Range, rng: Parameters<Draw<never>>[2]): number {
  const range = typeof factor === "number" ? ([1 - Math.abs(factor), 1 + Math.abs(factor)] as const) : factor;
  const [low, high] = bounds(option, range, { least: 0.01, most: 100 });
  return low === high ? low : low * (high / low) ** rng.next();
}

function warped(
  name: string,
  options: WarpingOptions,
  { frame, matrix, apply }: { readonly frame: Frame; readonly matrix: Matrix; readonly apply: boolean },
): GeometricStep | undefined {
  const how = warping(name, options);
  if (!apply || isIdentity(matrix)) return;
  return { kind: "warp", matrix, width: frame.width, height: frame.height, ...how };
}
