/** The arguments of Keras's ImageDataGenerator: checked, with those that switch others applied, and as augmentation. */
import { rng } from "../../random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { bounds, check } from "../geometric/geometric-draw.ts";
import { checkKeys } from "../known-options.ts";
import { FILL_MODES } from "../resampling/warp.ts";
import type { Augmentation, TransformSpec } from "../transform.ts";
import type { DataFormat } from "./float-pixels.ts";
import { drawKeras, type KerasAffineOptions, zoomEnds } from "./keras-affine.ts";

/** Keras's arguments, in camelCase, with Keras's defaults. */
export interface ImageDataGeneratorOptions extends KerasAffineOptions {
  /** Subtract the mean of each channel over the images given to `fit`. @default false */
  readonly featurewiseCenter?: boolean | undefined;
  /** Subtract each image's own mean. @default false */
  readonly samplewiseCenter?: boolean | undefined;
  /** Divide by the deviation of each channel over the images given to `fit`; switches centering on. @default false */
  readonly featurewiseStdNormalization?: boolean | undefined;
  /** Divide by each image's own deviation; switches centering on. @default false */
  readonly samplewiseStdNormalization?: boolean | undefined;
  /** Remove the correlation between pixels; switches featurewise centering on and its division off. @default false */
  readonly zcaWhitening?: boolean | undefined;
  /** Added to the singular values. @default 1e-6 */
  readonly zcaEpsilon?: number | undefined;
  /** Lowest and highest factor on 8-bit pixels, at least 0; none without it. */
  readonly brightnessRange?: readonly [lowest: number, highest: number] | undefined;
  /** Added to all channels, at most this much to either side. @default 0 */
  readonly channelShiftRange?: number | undefined;
  /** Mirror left to right with chance 1/2. @default false */
  readonly horizontalFlip?: boolean | undefined;
  /** Mirror top to bottom with chance 1/2. @default false */
  readonly verticalFlip?: boolean | undefined;
  /** Factor on the values after all augmentation; 0 is none. @default 0 */
  readonly rescale?: number | undefined;
  /** Called with the augmented image before rescaling; returns one of the same shape. */
  readonly preprocessingFunction?: ((image: Tensor<"float32">) => Tensor<"float32">) | undefined;
  /** Shape of tensors: [h, w, c] or [c, h, w]. @default "channels_last" */
  readonly dataFormat?: DataFormat | undefined;
  /** Share of the images kept for validation, 0 to below 1: hand it to the reader of the data. @default 0 */
  readonly validationSplit?: number | undefined;
  /** @default "float32" */
  readonly dtype?: "float32" | undefined;
}

/** Every argument: others are refused, so that none is overlooked silently. */
const ARGUMENTS: Readonly<Record<keyof ImageDataGeneratorOptions, true>> = {
  featurewiseCenter: true,
  samplewiseCenter: true,
  featurewiseStdNormalization: true,
  samplewiseStdNormalization: true,
  zcaWhitening: true,
  zcaEpsilon: true,
  rotationRange: true,
  widthShiftRange: true,
  heightShiftRange: true,
  brightnessRange: true,
  shearRange: true,
  zoomRange: true,
  channelShiftRange: true,
  fillMode: true,
  cval: true,
  horizontalFlip: true,
  verticalFlip: true,
  rescale: true,
  preprocessingFunction: true,
  dataFormat: true,
  validationSplit: true,
  interpolationOrder: true,
  dtype: true,
};

/** What `standardize` does, and what training gets. */
export interface GeneratorSettings {
  readonly rescale: number;
  readonly samplewiseCenter: boolean;
  readonly samplewiseStdNormalization: boolean;
  readonly featurewiseCenter: boolean;
  readonly featurewiseStdNormalization: boolean;
  readonly zcaWhitening: boolean;
  readonly validationSplit: number;
  readonly augmentation: Augmentation;
  readonly notes: readonly string[];
}

/**
 * Returns the arguments after checking, with those that switch others applied as Keras does.
 * @throws RootstockError BAD_CONFIG for an argument that does not exist, or a value that cannot be used.
 */
export function generatorSettings(options: ImageDataGeneratorOptions): GeneratorSettings {
  checkKeys("imageDataGenerator", options, ARGUMENTS);
  const {
    fillMode = "nearest",
    interpolationOrder = 1,
    dataFormat = "channels_last",
    dtype = "float32",
    validationSplit = 0,
    channelShiftRange = 0,
    brightnessRange,
    horizontalFlip = false,
    verticalFlip = false,
    featurewiseCenter = false,
    samplewiseCenter = false,
    featurewiseStdNormalization = false,
    samplewiseStdNormalization = false,
    zcaWhitening: zca = false,
    rescale = 0,
  } = options;
  check(FILL_MODES.includes(fillMode), "fillMode", `one of ${FILL_MODES.join(", ")}`, fillMode);
  check(interpolationOrder === 0 || interpolationOrder === 1, "interpolationOrder", "0 or 1", interpolationOrder);
  const known = dataFormat === "channels_last" || dataFormat === "channels_first";
  check(known, "dataFormat", `"channels_last" or "channels_first"`, dataFormat);
  check(dtype === "float32", "dtype", `"float32"`, dtype);
  check(validationSplit >= 0 && validationSplit < 1, "validationSplit", "a share from 0 to below 1", validationSplit);
  check(Number.isFinite(rescale), "rescale", "a finite factor", rescale);
  check(channelShiftRange >= 0 && channelShiftRange < 1e6, "channelShiftRange", "at least 0", channelShiftRange);
  if (brightnessRange) bounds("brightnessRange", brightnessRange, { least: 0, most: 1e6 });
  drawKeras(options, { width: 1, height: 1 }, rng(0)); // checks the ranges
  return {
    rescale,
    validationSplit,
    featurewiseCenter: featurewiseCenter || zca || featurewiseStdNormalization,
    featurewiseStdNormalization: featurewiseStdNormalization && !zca,
    samplewiseCenter: samplewiseCenter || samplewiseStdNormalization,
    samplewiseStdNormalization,
    zcaWhitening: zca,
    notes: notesOf(options),
    augmentation: {
      version: 1,
      transforms: [
        ...affinePart(options),
        ...(horizontalFlip ? [{ name: "horizontal-flip" as const }] : []),
        ...(verticalFlip ? [{ name: "vertical-flip" as const }] : []),
        ...(channelShiftRange > 0
          ? [{ name: "channel-shift" as const, range: channelShiftRange, channels: "together" as const }]
          : []),
        ...(brightnessRange ? [{ name: "brightness" as const, range: brightnessRange }] : []),
      ],
    },
  };
}

/** The geometric arguments as one transform, where any of them does something. */
function affinePart(options: ImageDataGeneratorOptions): TransformSpec[] {
  const { rotationRange, widthShiftRange, heightShiftRange, shearRange, zoomRange } = options;
  const { fillMode, cval, interpolationOrder } = options;
  const shifts = [rotationRange, widthShiftRange, heightShiftRange, shearRange].flat();
  const [low, high] = zoomEnds(zoomRange ?? 0);
  if (shifts.every((range) => (range ?? 0) === 0) && low === 1 && high === 1) return [];
  const all = {
    rotationRange,
    widthShiftRange,
    heightShiftRange,
    shearRange,
    zoomRange,
    fillMode,
    cval,
    interpolationOrder,
  };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)); // JSON has no undefined
  return [{ name: "keras-affine", ...given }];
}

function notesOf(options: ImageDataGeneratorOptions): string[] {
  const { rescale = 0, preprocessingFunction, fillMode, channelShiftRange = 0 } = options;
  const {
    zcaWhitening: zca,
    featurewiseStdNormalization,
    featurewiseCenter,
    samplewiseStdNormalization,
    samplewiseCenter,
  } = options;
  const own = "In training the pretrained weights' own preprocessing scales and centers";
  const standardizing = [
    featurewiseCenter,
    samplewiseCenter,
    featurewiseStdNormalization,
    samplewiseStdNormalization,
    zca,
  ];
  return [
    ...(rescale !== 0 ? [`${own}: rescale acts in standardize only.`] : []),
    ...(standardizing.some(Boolean)
      ? [`${own}: featurewise and samplewise arguments and ZCA act in standardize only.`]
      : []),
    ...(preprocessingFunction
      ? ["preprocessingFunction is code and cannot be recorded: it acts in standardize only, not in training."]
      : []),
    ...(channelShiftRange !== 0
      ? ["In training the channel shift keeps values in 0 to 255, not between the picture's own extremes."]
      : []),
    ...(fillMode === "wrap"
      ? ["In training wrap tiles whole pictures; Keras lets the first and the last pixel coincide."]
      : []),
    ...(zca && !featurewiseCenter ? ["zcaWhitening switches featurewiseCenter on."] : []),
    ...(zca && featurewiseStdNormalization ? ["zcaWhitening switches featurewiseStdNormalization off."] : []),
    ...(featurewiseStdNormalization && !featurewiseCenter
      ? ["featurewiseStdNormalization switches featurewiseCenter on."]
      : []),
    ...(samplewiseStdNormalization && !samplewiseCenter
      ? ["samplewiseStdNormalization switches samplewiseCenter on."]
      : []),
  ];
}
