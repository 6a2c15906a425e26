/** Draws the numbers of geometric transforms from their options, and says which option cannot be used. */
import { RootstockError } from "../../errors.ts";
import type { Rng } from "../../random.ts";
import type { Picture, Size } from "../picture.ts";
import { uniform } from "../pixels/chance.ts";
import type { Interpolation } from "../resampling/resize-taps.ts";
import { FILL_MODES, type FillMode, type FillValue, type WarpInterpolation } from "../resampling/warp.ts";
import { type CarryOutOptions, carryOut, type GeometricStep } from "../steps.ts";

/** A number r for values from -r to r, or the lowest and the highest value; every value between is equally likely. */
export type Range = number | readonly [lowest: number, highest: number];

/** What a geometric transform knows when it draws. */
export interface Frame extends Size {
  /** The size that sizing transforms make unless they name one: the network's input. */
  readonly target: Size;
  /** The filter that sizing transforms use unless they name one: that of the network's preprocessing. */
  readonly interpolation: Interpolation;
}

/** Draws one step for a picture of the frame's size; undefined where nothing is to be done. */
export type Draw<Options> = (options: Options, frame: Frame, rng: Rng) => GeometricStep | undefined;

/** Applies one geometric transform to a picture. Without a probability or range to draw from, `rng` is not used. */
export type Apply<Options> = (picture: Picture, options: Options, rng: Rng, boxes?: CarryOutOptions) => Picture;

/** Options of every transform that reads pixels between pixels and beyond the picture's edge. */
export interface WarpingOptions {
  /** Chance of being applied, in [0, 1]. @default 1 */
  readonly probability?: number | undefined;
  /** What is seen outside the picture. @default "constant" */
  readonly fill?: FillMode | undefined;
  /** Grey level or R, G, B of "constant", 0 to 255. @default 0 */
  readonly value?: FillValue | undefined;
  /** @default "bilinear" */
  readonly interpolation?: WarpInterpolation | undefined;
}

/** Returns the function that applies what `draw` draws. The picture's own size is the target. */
export function applying<Options>(draw: Draw<Options>): Apply<Options> {
  return (picture, options, rng, boxes) => {
    const { width, height } = picture.image;
    const step = draw(options, { width, height, target: { width, height }, interpolation: "bilinear" }, rng);
    return carryOut(picture, step ? [step] : [], boxes);
  };
}

/** The values that an option may have. */
export interface Limits {
  /** @default Number.NEGATIVE_INFINITY */
  readonly least?: number | undefined;
  /** @default Number.POSITIVE_INFINITY */
  readonly most?: number | undefined;
}

/**
 * Returns a number of a range, uniformly.
 * @param option The transform and the option, such as `rotate's degrees`, for the message.
 * @throws RootstockError BAD_CONFIG for a range that is not made of finite numbers within the limits, in order.
 */
export function draw(option: string, range: Range, rng: Rng, limits: Limits = {}): number {
  const [low, high] = bounds(option, range, limits);
  return uniform(low, high, rng);
}

/** Returns the ends of a range. @throws RootstockError BAD_CONFIG as `draw` does. */
export function bounds(
  option: string,
  range: Range,
  { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY }: Limits = {},
): readonly [number, number] {
  const isPair = Array.isArray(range) && range.length === 2; // what JavaScript and JSON hand over may be neither
  const [low, high] = typeof range === "number" ? [-Math.abs(range), Math.abs(range)] : isPair ? range : [1, 0];
  const fits = Number.isFinite(low) && Number.isFinite(high) && low <= high && low >= least && high <= most;
  const limit = Number.isFinite(least) || Number.isFinite(most) ? ` from ${least} to ${most}` : "";
  check(fits, option, `a number, or [lowest, highest],${limit || " of finite numbers"}`, JSON.stringify(range));
  return [low, high];
}

/** Returns the checked fill, its color and the interpolation. */
export function warping(
  name: string,
  { fill = "constant", value = 0, interpolation = "bilinear" }: WarpingOptions,
): Required<Pick<WarpingOptions, "fill" | "value" | "interpolation">> & {
  readonly fill: FillMode;
  readonly value: FillValue;
  readonly interpolation: WarpInterpolation;
} {
  check(FILL_MODES.includes(fill), `${name}'s fill`, `one of ${FILL_MODES.join(", ")}`, fill);
  const levels = typeof value === "number" ? [value] : value;
  const fits = [1, 3].includes(levels.length) && levels.every((level) => level >= 0 && level <= 255);
  check(fits, `${name}'s value`, "a grey level from 0 to 255, or [R, G, B]", JSON.stringify(value));
  const known = interpolation === "bilinear" || interpolation === "nearest";
  check(known, `${name}'s interpolation`, `"bilinear" or "nearest"`, interpolation);
  return { fill, value, interpolation };
}

/** Throws BAD_CONFIG unless `holds`: "rotate's degrees requires …, got …". */
export function check(holds: boolean, option: string, wanted: string, got: unknown): void {
  if (!holds) throw new RootstockError("BAD_CONFIG", `${option} requires ${wanted}, got ${String(got)}.`);
}
