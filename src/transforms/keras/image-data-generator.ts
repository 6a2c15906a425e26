/** Keras's ImageDataGenerator for people who arrive from it: its arguments, its numbers, and its augmentation for training. */
import { listed, RootstockError } from "../../errors.ts";
import { type Rng, rng } from "../../random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { check } from "../geometric/geometric-draw.ts";
import type { Image } from "../image.ts";
import type { Size } from "../picture.ts";
import { uniform } from "../pixels/chance.ts";
import type { Augmentation } from "../transform.ts";
import { type ChannelStatistics, channelStatistics, type Whitening, whiten, zcaWhitening } from "./featurewise.ts";
import { momentsOf, pixelsOf, scaleBy, standardizeChannels, tensorOf } from "./float-pixels.ts";
import type { FloatPixels } from "./float-warp.ts";
import { type GeneratorSettings, generatorSettings, type ImageDataGeneratorOptions } from "./generator-arguments.ts";
import { drawKeras } from "./keras-affine.ts";
import { applyKeras, type KerasTransform } from "./keras-apply.ts";

/** Options of `fit`. */
export interface FitGeneratorOptions {
  /** Whether the statistics are of randomly transformed images. @default false */
  readonly augment?: boolean | undefined;
  /** How many transformed copies of each image are used then, 1 to 1000. @default 1 */
  readonly rounds?: number | undefined;
  /** Decides the transformations. @default 0 */
  readonly seed?: number | string | undefined;
}

/** What `imageDataGenerator` returns. Images are 8-bit pictures or float32 tensors of rank 3 in the data format. */
export interface ImageDataGenerator {
  /** The random part as a list of transforms, for training: the same maps, on 8-bit pictures of the network's size. */
  readonly augmentation: Augmentation;
  /** What the augmentation leaves out or does differently, and arguments that switched others. One sentence each. */
  readonly notes: readonly string[];
  readonly validationSplit: number;
  /** Returns random parameters for an image of this size; equal seeds give equal parameters. */
  getRandomTransform(size: Size, seed: Rng | number | string): KerasTransform;
  /** Returns the transformed image; parameters that are left out change nothing. */
  applyTransform(image: Image | Tensor<"float32">, parameters: Partial<KerasTransform>): Tensor<"float32">;
  /** Returns the image with random parameters applied. */
  randomTransform(image: Image | Tensor<"float32">, seed: Rng | number | string): Tensor<"float32">;
  /** Returns the image with preprocessing function, rescaling, centering, division and whitening applied. */
  standardize(image: Image | Tensor<"float32">): Tensor<"float32">;
  /** Computes what featurewise standardizing needs from images of one size. */
  fit(images: readonly (Image | Tensor<"float32">)[], options?: FitGeneratorOptions): void;
}

/**
 * Makes Keras's ImageDataGenerator (Keras 3.15, keras.src.legacy.preprocessing.image).
 *
 * In training, `augmentation` is what counts: scaling and centering belong to the pretrained weights' preprocessing.
 * The other methods give Keras's own numbers: explicit parameters give its pixels within rounding; random parameters
 * have its distributions, not its random numbers.
 * @throws RootstockError BAD_CONFIG for an argument that does not exist, or a value that cannot be used.
 */
export function imageDataGenerator(options: ImageDataGeneratorOptions = {}): ImageDataGenerator {
  const settings = generatorSettings(options);
  const {
    fillMode = "nearest",
    cval = 0,
    interpolationOrder = 1,
    dataFormat = "channels_last",
    zcaEpsilon = 1e-6,
  } = options;
  let fitted: Fitted = {};

  const transformed = (pixels: FloatPixels, parameters: Partial<KerasTransform>): FloatPixels => {
    const data = applyKeras(pixels, parameters, { fill: fillMode, value: cval, order: interpolationOrder });
    return { ...pixels, data };
  };

  const randomly = (pixels: FloatPixels, seed: Rng | number | string): FloatPixels =>
    transformed(pixels, drawTransform(options, { width: pixels.columns, height: pixels.rows }, seed));

  /** A copy with the preprocessing function and the factor applied. */
  const rescaled = (image: Image | Tensor<"float32">, prepare = (tensor: Tensor<"float32">) => tensor): FloatPixels => {
    const given = pixelsOf(image, dataFormat);
    const pixels = pixelsOf(prepare(tensorOf({ ...given, data: given.data.slice() }, dataFormat)), dataFormat);
    const data = pixels.data.slice();
    if (settings.rescale !== 0) scaleBy(data, settings.rescale);
    return { ...pixels, data };
  };

  return {
    augmentation: settings.augmentation,
    notes: settings.notes,
    validationSplit: settings.validationSplit,
    getRandomTransform: (size, seed) => drawTransform(options, size, seed),
    applyTransform: (image, parameters) => tensorOf(transformed(pixelsOf(image, dataFormat), parameters), dataFormat),
    randomTransform: (image, seed) => tensorOf(randomly(pixelsOf(image, dataFormat), seed), dataFormat),
    standardize: (image) => {
      const pixels = rescaled(image, options.preprocessingFunction);
      if (settings.samplewiseCenter) centerSample(pixels.data, settings.samplewiseStdNormalization);
      return tensorOf(standardized(pixels, settings, fitted), dataFormat);
    },
    fit: (images, { augment = false, rounds = 1, seed = 0 }: FitGeneratorOptions = {}) => {
      check(Number.isInteger(rounds) && rounds >= 1 && rounds <= 1000, "fit's rounds", "1 to 1000", rounds);
      const plain = images.map((image) => rescaled(image));
      checkAlike(plain);
      const source = rng(seed);
      const repeated = Array.from({ length: augment ? rounds : 0 }, (_, round) =>
        plain.map((pixels, i) => randomly(pixels, source.fork(`${round}/${i}`))),
      );
      const used = augment ? repeated.flat() : plain;
      if (!settings.featurewiseCenter) return;
      const statistics = channelStatistics(used);
      fitted = { statistics };
      if (!settings.zcaWhitening) return;
      for (const pixels of used) standardizeChannels(pixels, statistics, { divide: false });
      const values = used.map(({ data }) => data);
      fitted = { statistics, whitening: zcaWhitening(values, zcaEpsilon) };
    },
  };
}

/** What `fit` computed. */
interface Fitted {
  readonly statistics?: ChannelStatistics;
  readonly whitening?: Whitening;
}

function drawTransform(options: ImageDataGeneratorOptions, size: Size, seed: Rng | number | string): KerasTransform {
  const source = typeof seed === "object" ? seed : rng(seed);
  const { horizontalFlip = false, verticalFlip = false, channelShiftRange: shift = 0, brightnessRange } = options;
  const between = (name: string, [low, high]: readonly [number, number]) => uniform(low, high, source.fork(name));
  return {
    ...drawKeras(options, size, source),
    flipHorizontal: horizontalFlip && source.fork("horizontalFlip").next() < 0.5,
    flipVertical: verticalFlip && source.fork("verticalFlip").next() < 0.5,
    ...(shift !== 0 && { channelShiftIntensity: between("channelShiftRange", [-shift, shift]) }),
    ...(brightnessRange && { brightness: between("brightnessRange", brightnessRange) }),
  };
}

/** Subtracts the image's own mean in place, and with `divide` divides by its deviation. */
function centerSample(data: Float32Array, divide: boolean): void {
  const { mean, std } = momentsOf(data);
  const divisor = divide ? std + 1e-6 : 1;
  for (let i = 0; i < data.length; i++) data[i] = (data[i]! - mean) / divisor;
}

/** Centers, divides and whitens with what `fit` computed. */
function standardized(
  pixels: FloatPixels,
  settings: GeneratorSettings,
  { statistics, whitening }: Fitted,
): FloatPixels {
  if (!settings.featurewiseCenter) return pixels;
  if (!statistics || statistics.mean.length !== pixels.channels) throw unfitted(statistics);
  standardizeChannels(pixels, statistics, { divide: settings.featurewiseStdNormalization });
  if (!settings.zcaWhitening) return pixels;
  const { directions, scales } = whitening ?? { directions: [], scales: [0] };
  if (!whitening || directions.length !== scales.length * pixels.data.length) throw unfitted(whitening);
  return { ...pixels, data: whiten(pixels.data, whitening) };
}

function checkAlike(images: readonly FloatPixels[]): void {
  const sizes = new Set(images.map(({ rows, columns, channels }) => `${columns}x${rows}x${channels}`));
  if (sizes.size === 1) return;
  throw new RootstockError(
    "SHAPE_MISMATCH",
    `fit requires images of one size, at least one, got ${images.length} images${sizes.size > 0 ? ` of ${listed([...sizes])}` : ""}.`,
  );
}

function unfitted(statistics: unknown): RootstockError {
  const state = statistics ? "was fitted to images of another size" : "was not fitted";
  return new RootstockError(
    "BAD_CONFIG",
    `standardize requires the statistics of images of the same size, but the generator ${state}. Call fit first.`,
  );
}
