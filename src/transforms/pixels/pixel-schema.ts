/** Checks of pixel transforms that come as JSON: names, options and their ranges, no unknown keys. */
import { z } from "zod";
import { FILL_MODES } from "../resampling/warp.ts";
import type { PixelSpec } from "./pixel-table.ts";

const probability = z.number().min(0).max(1).optional();
const level = z.number().min(0).max(255);
const color = z.tuple([level, level, level]);

/** A pair of numbers in order, each inside [least, most]. */
function ends(least: number, most: number) {
  const end = z.number().min(least).max(most);
  return z.tuple([end, end]).refine(([low, high]) => low <= high, "must be [low, high] with low <= high");
}

/** An amount to both sides of `center`, or the two ends. */
function spread(center: number, least: number, most: number) {
  return z.union([
    z
      .number()
      .min(0)
      .max(most - center),
    ends(least, most),
  ]);
}

// Pillow's factors have no upper bound; beyond 100 every level is black or white.
const factor = spread(1, 0, 100);
const turn = spread(0, -0.5, 0.5);
const moving = {
  geometric: z.boolean().optional(),
  fill: z.enum(FILL_MODES).optional(),
  value: z.union([level, color]).optional(),
  interpolation: z.enum(["nearest", "bilinear"]).optional(),
  probability,
};
const oneToSixteen = z.int().min(1).max(16).optional();

/** One schema for each transform of `PIXEL_TRANSFORMS`, for a discriminated union by `name`. */
export const pixelSchemas = [
  z.strictObject({ name: z.literal("brightness"), range: factor, probability }),
  z.strictObject({ name: z.literal("contrast"), range: factor, probability }),
  z.strictObject({ name: z.literal("saturation"), range: factor, probability }),
  z.strictObject({ name: z.literal("hue"), range: turn, probability }),
  z.strictObject({
    name: z.literal("color-jitter"),
    brightness: factor.optional(),
    contrast: factor.optional(),
    saturation: factor.optional(),
    hue: turn.optional(),
    probability,
  }),
  z.strictObject({
    name: z.literal("channel-shift"),
    range: spread(0, -255, 255).optional(),
    channels: z.enum(["each", "together"]).optional(),
    probability,
  }),
  z.strictObject({ name: z.literal("grayscale"), probability }),
  z.strictObject({
    name: z.literal("gaussian-blur"),
    sigma: z.union([z.number().min(0.01).max(170), ends(0.01, 170)]).optional(),
    kernelSize: z
      .int()
      .min(1)
      .max(1023)
      .refine((size) => size % 2 === 1, "must be odd")
      .optional(),
    probability,
  }),
  z.strictObject({ name: z.literal("sharpen"), range: factor.optional(), probability }),
  z.strictObject({ name: z.literal("posterize"), bits: z.int().min(1).max(8).optional(), probability }),
  z.strictObject({ name: z.literal("solarize"), threshold: z.number().min(0).max(256).optional(), probability }),
  z.strictObject({ name: z.literal("equalize"), probability }),
  z.strictObject({ name: z.literal("auto-contrast"), probability }),
  z.strictObject({ name: z.literal("invert"), probability }),
  z.strictObject({
    name: z.literal("erasing"),
    scale: ends(0, 1).optional(),
    ratio: ends(0.001, 1000).optional(),
    value: z.union([level, color, z.literal("random"), z.literal("mean")]).optional(),
    probability,
  }),
  z.strictObject({
    name: z.literal("rand-augment"),
    operations: oneToSixteen,
    magnitude: z.int().min(0).max(30).optional(),
    ...moving,
  }),
  z.strictObject({ name: z.literal("trivial-augment"), ...moving }),
  z.strictObject({
    name: z.literal("aug-mix"),
    severity: z.int().min(1).max(10).optional(),
    width: oneToSixteen,
    depth: oneToSixteen,
    alpha: z.number().min(1e-6).max(1e6).optional(),
    enhancements: z.boolean().optional(),
    ...moving,
  }),
] as const;

/** Checks one pixel transform. */
export const pixelSchema: z.ZodType<PixelSpec> = z.discriminatedUnion("name", pixelSchemas);
