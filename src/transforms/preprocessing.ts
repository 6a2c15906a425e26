/** How pixels become a network's input: a plain record that travels with the weights. The function is in preprocess.ts. */
import { z } from "zod";
import { INTERPOLATIONS } from "./resampling/resize-taps.ts";

/**
 * The versioned description of a network's input.
 * Networks with one (gray) or more than three channels would be further members of `channels`, with `mean` and `std`
 * of that length; only `preprocess` and `preprocessingSchema` know that there are three.
 */
export interface Preprocessing {
  readonly version: 1;
  /** Height and width of the network's input in pixels, 1 to 8192. */
  readonly inputSize: readonly [height: number, width: number];
  /** How the picture is brought to that size. */
  readonly resize:
    | { readonly kind: "stretch" } // to inputSize; the aspect ratio is not kept
    | { readonly kind: "shortest-edge"; readonly size: number } // shorter side to `size`, then center crop to inputSize
    | { readonly kind: "center-square" }; // the largest centered square, stretched to inputSize
  readonly interpolation: (typeof INTERPOLATIONS)[number];
  /** Order of the channels in the input, and of `mean` and `std`. */
  readonly channels: "RGB" | "BGR";
  readonly layout: "NCHW" | "NHWC";
  /** Input value = ((pixel * scale + offset) - mean[c]) / std[c], with pixel in 0 to 255. */
  readonly scale: number;
  readonly offset: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

const side = z.int().min(1).max(8192);
const finite = z.number();
const nonZero = z.number().refine((value) => value !== 0, "must not be zero");

/** Checks untrusted JSON, such as an exported model's metadata: sizes 1 to 8192, finite numbers, no unknown keys. */
export const preprocessingSchema: z.ZodType<Preprocessing> = z.strictObject({
  version: z.literal(1),
  inputSize: z.tuple([side, side]),
  resize: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("stretch") }),
    z.strictObject({ kind: z.literal("shortest-edge"), size: side }),
    z.strictObject({ kind: z.literal("center-square") }),
  ]),
  interpolation: z.enum(INTERPOLATIONS),
  channels: z.enum(["RGB", "BGR"]),
  layout: z.enum(["NCHW", "NHWC"]),
  scale: nonZero,
  offset: finite,
  mean: z.tuple([finite, finite, finite]),
  std: z.tuple([nonZero, nonZero, nonZero]),
});

/** The same geometry, giving pixels as they are, R, G, B one after the other: grey levels from 0 to 255. */
export function asPixels(preprocessing: Preprocessing): Preprocessing {
  return { ...preprocessing, channels: "RGB", layout: "NHWC", scale: 1, offset: 0, mean: [0, 0, 0], std: [1, 1, 1] };
}

/** One readable line, such as `224x224 RGB, shorter side to 256 (bilinear), center crop, (x * 0.00392 - mean) / std`. */
export function describePreprocessing(preprocessing: Preprocessing): string {
  const { inputSize, resize: how, interpolation, channels, layout, scale, offset, mean, std } = preprocessing;
  const [height, width] = inputSize;
  const sizing = {
    stretch: () => `stretched (${interpolation})`,
    "shortest-edge": () => `shorter side to ${"size" in how ? how.size : 0} (${interpolation}), center crop`,
    "center-square": () => `center square (${interpolation})`,
  }[how.kind]();
  const divisor = Number((1 / scale).toPrecision(6)); // 1/255 reads better as a division
  const scaled = scale === 1 ? "x" : Math.abs(divisor) > 1 ? `x / ${divisor}` : `x * ${scale}`;
  const shifted = offset === 0 ? scaled : `${scaled} ${offset < 0 ? "-" : "+"} ${Math.abs(offset)}`;
  const identity = mean.every((value) => value === 0) && std.every((value) => value === 1);
  const values = identity ? shifted : `(${shifted} - [${mean.join(", ")}]) / [${std.join(", ")}]`;
  return `${width}x${height} ${channels} ${layout}, ${sizing}, ${values}`;
}
