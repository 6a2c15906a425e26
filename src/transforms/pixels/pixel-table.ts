/** Every transform that changes pixels and leaves size, boxes and keypoints as they are. */
import type { Rng } from "../../random.ts";
import type { Image } from "../image.ts";
import {
  type AdjustmentOptions,
  brightness,
  type ColorJitterOptions,
  colorJitter,
  contrast,
  type GrayscaleOptions,
  grayscale,
  hue,
  saturation,
} from "./color.ts";
import { type ErasingOptions, erasing } from "./erase.ts";
import { type GaussianBlurOptions, gaussianBlur, type SharpenOptions, sharpen } from "./filter.ts";
import { type AutoContrastOptions, autoContrast, type EqualizeOptions, equalize } from "./histogram.ts";
import {
  type ChannelShiftOptions,
  channelShift,
  type InvertOptions,
  invert,
  type PosterizeOptions,
  posterize,
  type SolarizeOptions,
  solarize,
} from "./levels.ts";
import {
  type AugMixOptions,
  augMix,
  type RandAugmentOptions,
  randAugment,
  type TrivialAugmentOptions,
  trivialAugment,
} from "./policy.ts";

/** The options of each pixel transform. */
interface PixelOptions {
  readonly brightness: AdjustmentOptions;
  readonly contrast: AdjustmentOptions;
  readonly saturation: AdjustmentOptions;
  readonly hue: AdjustmentOptions;
  readonly "color-jitter": ColorJitterOptions;
  readonly "channel-shift": ChannelShiftOptions;
  readonly grayscale: GrayscaleOptions;
  readonly "gaussian-blur": GaussianBlurOptions;
  readonly sharpen: SharpenOptions;
  readonly posterize: PosterizeOptions;
  readonly solarize: SolarizeOptions;
  readonly equalize: EqualizeOptions;
  readonly "auto-contrast": AutoContrastOptions;
  readonly invert: InvertOptions;
  readonly erasing: ErasingOptions;
  readonly "rand-augment": RandAugmentOptions;
  readonly "trivial-augment": TrivialAugmentOptions;
  readonly "aug-mix": AugMixOptions;
}

/** A pixel transform as a user writes it: `{ name: "posterize", bits: 4 }`. */
export type PixelSpec = {
  [Name in keyof PixelOptions]: { readonly name: Name } & PixelOptions[Name];
}[keyof PixelOptions];

/** The transforms by their names. Each returns a new picture, or the same object where nothing changes. */
export const PIXEL_TRANSFORMS: {
  readonly [Name in keyof PixelOptions]: (image: Image, options: PixelOptions[Name], rng: Rng) => Image;
} = {
  brightness,
  contrast,
  saturation,
  hue,
  "color-jitter": colorJitter,
  "channel-shift": channelShift,
  grayscale,
  "gaussian-blur": gaussianBlur,
  sharpen,
  posterize,
  solarize,
  equalize,
  "auto-contrast": autoContrast,
  invert,
  erasing,
  "rand-augment": randAugment,
  "trivial-augment": trivialAugment,
  "aug-mix": augMix,
};

/** Says whether a transform of this table may move pixels, so that boxes and keypoints would no longer fit. */
export function movesPixels(spec: PixelSpec): boolean {
  const isPolicy = spec.name === "rand-augment" || spec.name === "trivial-augment" || spec.name === "aug-mix";
  return isPolicy && spec.geometric !== false && spec.probability !== 0;
}
