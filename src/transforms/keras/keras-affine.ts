/** The affine map of Keras's ImageDataGenerator: its parameters, its order of operations, and its ways to draw them. */
import type { Rng } from "../../random.ts";
import { bounds, check, type Draw, warping } from "../geometric/geometric-draw.ts";
import type { Size } from "../picture.ts";
import { uniform, whole } from "../pixels/chance.ts";
import { around, isIdentity, type Matrix, multiply, scaling, translation } from "../resampling/matrix.ts";
import { FILL_MODES, type FillMode } from "../resampling/warp.ts";

/** How far a picture is shifted: a fraction of its side below 1, pixels from 1, or the values to choose from, in both directions. */
export type KerasShift = number | readonly number[];

/** The ranges that Keras draws an affine map from, by its names. */
export interface KerasAffineOptions {
  /** Degrees to either side, at least 0. @default 0 */
  readonly rotationRange?: number | undefined;
  /** Horizontally. A whole number n stands for 0 to n - 1 pixels in steps of 1, as in Keras. @default 0 */
  readonly widthShiftRange?: KerasShift | undefined;
  /** Vertically, likewise. @default 0 */
  readonly heightShiftRange?: KerasShift | undefined;
  /** Degrees to either side, at least 0. @default 0 */
  readonly shearRange?: number | undefined;
  /** r for [1 - r, 1 + r], or the range; drawn for width and height each. Above 1 things get smaller, as in Keras. @default 0 */
  readonly zoomRange?: number | readonly [lowest: number, highest: number] | undefined;
  /** What is seen outside the picture. @default "nearest" */
  readonly fillMode?: FillMode | undefined;
  /** Grey level of "constant", 0 to 255. @default 0 */
  readonly cval?: number | undefined;
  /** 0 reads the nearest pixel, 1 between pixels. @default 1 */
  readonly interpolationOrder?: 0 | 1 | undefined;
}

/** One affine map. A position (x, y) in the result, counted from the centre, shows the source's R S H Z (x, y). */
export interface KerasAffine {
  /** R: rotation in degrees. */
  readonly theta: number;
  /** S: shift in pixels along x, which moves the picture to the left. */
  readonly tx: number;
  /** S: shift in pixels along y, which moves the picture up. */
  readonly ty: number;
  /** H: shear in degrees: x - sin(shear) y and cos(shear) y. */
  readonly shear: number;
  /** Z: factor along x; 2 shows twice as much. */
  readonly zx: number;
  /** Z: factor along y. */
  readonly zy: number;
}

/** Returns the result-to-source matrix about a centre, in the order of Keras: rotation, shift, shear, zoom. */
export function kerasMatrix(
  { theta, tx, ty, shear, zx, zy }: KerasAffine,
  center: { readonly x: number; readonly y: number },
): Matrix {
  const [turn, lean] = [(theta * Math.PI) / 180, (shear * Math.PI) / 180];
  const rotated: Matrix = [Math.cos(turn), -Math.sin(turn), 0, Math.sin(turn), Math.cos(turn), 0, 0, 0, 1];
  const sheared: Matrix = [1, -Math.sin(lean), 0, 0, Math.cos(lean), 0, 0, 0, 1];
  return around(center.x, center.y, [translation(tx, ty), sheared, scaling(zx, zy)].reduce(multiply, rotated));
}

/**
 * Draws a map as Keras does; each parameter from a source of its own, so that one range does not move the others' draws.
 * `widthShiftRange` shifts horizontally, as Keras documents. (Keras 3.15 and TensorFlow 2 exchange the two: keras#17398.)
 * @throws RootstockError BAD_CONFIG for a range that cannot be used.
 */
export function drawKeras(
  { rotationRange = 0, widthShiftRange = 0, heightShiftRange = 0, shearRange = 0, zoomRange = 0 }: KerasAffineOptions,
  { width, height }: Size,
  rng: Rng,
): KerasAffine {
  const either = (name: string, range: number): number => {
    check(range >= 0 && range < 1e6, name, "degrees from 0", range);
    return range === 0 ? 0 : uniform(-range, range, rng.fork(name));
  };
  const [low, high] = zoomEnds(zoomRange);
  const factors = rng.fork("zoomRange");
  return {
    theta: either("rotationRange", rotationRange),
    tx: drawShift("widthShiftRange", widthShiftRange, { side: width, rng }),
    ty: drawShift("heightShiftRange", heightShiftRange, { side: height, rng }),
    shear: either("shearRange", shearRange),
    zx: uniform(low, high, factors),
    zy: uniform(low, high, factors),
  };
}

/** Draws the map of Keras's ImageDataGenerator about the picture's centre. */
export const drawKerasAffine: Draw<KerasAffineOptions> = (
  { fillMode = "nearest", cval = 0, interpolationOrder = 1, ...ranges }: KerasAffineOptions,
  { width, height },
  rng,
) => {
  check(FILL_MODES.includes(fillMode), "fillMode", `one of ${FILL_MODES.join(", ")}`, fillMode);
  check(interpolationOrder === 0 || interpolationOrder === 1, "interpolationOrder", "0 or 1", interpolationOrder);
  const interpolation = interpolationOrder === 0 ? "nearest" : "bilinear";
  const how = warping("keras-affine", { fill: fillMode, value: cval, interpolation });
  const matrix = kerasMatrix(drawKeras(ranges, { width, height }, rng), { x: width / 2, y: height / 2 });
  return isIdentity(matrix) ? undefined : { kind: "warp", matrix, width, height, ...how };
};

/** Returns the lowest and highest zoom. @throws RootstockError BAD_CONFIG unless both are above 0, in order. */
export function zoomEnds(zoomRange: number | readonly [number, number]): readonly [number, number] {
  const range = typeof zoomRange === "number" ? ([1 - zoomRange, 1 + zoomRange] as const) : zoomRange;
  return bounds("zoomRange", range, { least: 1e-3, most: 1e3 });
}

function drawShift(
  name: string,
  range: KerasShift,
  { side, rng }: { readonly side: number; readonly rng: Rng },
): number {
  const values = typeof range === "number" ? [range] : range;
  check(values.length > 0 && values.every(Number.isFinite), name, "a finite number or a list of them", `[${values}]`);
  const unit = Math.max(...values) < 1 ? side : 1;
  const source = rng.fork(name);
  if (typeof range === "number" && !(range >= 1 && Number.isInteger(range))) {
    check(range >= 0, name, "at least 0", range);
    return range === 0 ? 0 : uniform(-range, range, source) * unit;
  }
  const chosen = typeof range === "number" ? whole(range, source) : values[whole(values.length, source)]!;
  return (source.next() < 0.5 ? -chosen : chosen) * unit;
}
