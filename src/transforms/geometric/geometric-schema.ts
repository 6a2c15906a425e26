/** Checks of geometric transforms that come as JSON: names, options and their ranges, no unknown keys. */
import { z } from "zod";
import { INTERPOLATIONS } from "../resampling/resize-taps.ts";
import { FILL_MODES } from "../resampling/warp.ts";
import type { GeometricSpec } from "./geometric-table.ts";

const probability = z.number().min(0).max(1).optional();
const level = z.number().min(0).max(255);
const side = z.int().min(1).max(8192).optional();
const pixels = z.int().min(0).max(8192);
const fill = z.enum(FILL_MODES).optional();
const value = z.union([level, z.tuple([level, level, level])]).optional();
const filter = z.enum(INTERPOLATIONS).optional();
const warping = { probability, fill, value, interpolation: z.enum(["nearest", "bilinear"]).optional() };

/** A pair of numbers in order, each inside [least, most]. */
function ends(least: number, most: number) {
  const end = z.number().min(least).max(most);
  return z.tuple([end, end]).refine(([low, high]) => low <= high, "must be [lowest, highest] with lowest <= highest");
}

/** An amount to both sides of 0, or the two ends, inside [-most, most]. */
function range(most: number) {
  return z.union([z.number().min(-most).max(most), ends(-most, most)]);
}

const degrees = range(36_000);
const lean = range(89);
const distance = range(32_768);
const factor = z.union([z.number().min(0).max(0.99), ends(0.01, 100)]);
const atLeast0 = z.number().min(0).max(32_768);
const kerasShift = z.union([atLeast0, z.array(z.number().min(-32_768).max(32_768)).min(1).max(1000)]).optional();

/** One schema for each transform of `GEOMETRIC`, for a discriminated union by `name`. */
export const geometricSchemas = [
  z
    .strictObject({ name: z.literal("resize"), width: side, height: side, shorterSide: side, interpolation: filter })
    .refine((spec) => spec.shorterSide === undefined || (spec.width === undefined && spec.height === undefined), {
      message: "must have a shorterSide or a width and height, not both",
    }),
  z.strictObject({ name: z.literal("center-crop"), width: side, height: side, fill, value }),
  z.strictObject({
    name: z.literal("random-crop"),
    width: side,
    height: side,
    padding: z.union([pixels, z.tuple([pixels, pixels])]).optional(),
    padIfNeeded: z.boolean().optional(),
    fill,
    value,
  }),
  z.strictObject({
    name: z.literal("random-resized-crop"),
    width: side,
    height: side,
    scale: ends(1e-6, 1).optional(),
    ratio: ends(0.001, 1000).optional(),
    interpolation: filter,
  }),
  z.strictObject({ name: z.literal("horizontal-flip"), probability }),
  z.strictObject({ name: z.literal("vertical-flip"), probability }),
  z.strictObject({ name: z.literal("rotate"), degrees, ...warping }),
  z.strictObject({
    name: z.literal("shift"),
    x: distance.optional(),
    y: distance.optional(),
    unit: z.enum(["fraction", "pixels"]).optional(),
    ...warping,
  }),
  z.strictObject({ name: z.literal("shear"), x: lean.optional(), y: lean.optional(), ...warping }),
  z.strictObject({ name: z.literal("zoom"), factor, keepAspect: z.boolean().optional(), ...warping }),
  z.strictObject({
    name: z.literal("affine"),
    degrees: degrees.optional(),
    shift: z.tuple([distance, distance]).optional(),
    zoom: factor.optional(),
    shear: z.tuple([lean, lean]).optional(),
    ...warping,
  }),
  z.strictObject({ name: z.literal("perspective"), distortion: z.number().min(0).max(1).optional(), ...warping }),
  z.strictObject({
    name: z.literal("keras-affine"),
    rotationRange: atLeast0.optional(),
    widthShiftRange: kerasShift,
    heightShiftRange: kerasShift,
    shearRange: atLeast0.optional(),
    zoomRange: z.union([z.number().min(0).max(0.999), ends(0.001, 1000)]).optional(),
    fillMode: fill,
    cval: level.optional(),
    interpolationOrder: z.union([z.literal(0), z.literal(1)]).optional(),
  }),
] as const;

/** Checks one geometric transform. */
export const geometricSchema: z.ZodType<GeometricSpec> = z.discriminatedUnion("name", geometricSchemas);
