/** Blurring and sharpening: the transforms that read the neighbours of a pixel. */
import { RootstockError } from "../../errors.ts";
import type { Rng } from "../../random.ts";
import type { Image } from "../image.ts";
import { happens, type Spread, spreadEnds, uniform } from "./chance.ts";
import { blendSteps } from "./levels.ts";

/** The largest kernel that is computed, in pixels. */
const LARGEST_KERNEL = 1023;

/**
 * Blurs with a Gaussian kernel of `kernelSize` x `kernelSize` pixels and standard deviation `sigma`; the border reflects.
 *
 * torchvision's `gaussian_blur`: its weights, its padding (without repeating the edge) and its rounding to nearest. It
 * convolves with the square kernel in float32, we with its two factors: the results differ by 1 grey level at most.
 * @throws RootstockError BAD_CONFIG if `kernelSize` is not an odd number from 1 to 1023, or `sigma` is not above 0.
 */
export function blurGaussian(image: Image, kernelSize: number, sigma: number): Image {
  if (!(Number.isInteger(kernelSize) && kernelSize % 2 === 1 && kernelSize >= 1 && kernelSize <= LARGEST_KERNEL)) {
    throw new RootstockError(
      "BAD_CONFIG",
      `gaussian-blur requires an odd kernelSize from 1 to ${LARGEST_KERNEL} pixels, got ${kernelSize}.`,
    );
  }
  if (!(sigma > 0 && sigma < Number.POSITIVE_INFINITY)) {
    throw new RootstockError("BAD_CONFIG", `gaussian-blur requires a sigma above 0 pixels, got ${sigma}.`);
  }
  const { width, height } = image;
  const weights = gaussianWeights((kernelSize - 1) / 2, sigma);
  if (weights.length === 1) return image;
  return { width, height, data: blurColumns(blurRows(image, weights), width * 3, height, weights) };
}

/** The weights of the center and of its neighbours to one side; all of them, both sides counted, sum to 1. */
function gaussianWeights(radius: number, sigma: number): Float64Array {
  const weights = Float64Array.from({ length: radius + 1 }, (_, distance) => Math.exp(-0.5 * (distance / sigma) ** 2));
  const sum = weights.reduce((total, weight) => total + 2 * weight, -weights[0]!);
  return weights.map((weight) => weight / sum);
}

function blurRows({ width, height, data }: Image, weights: Float64Array): Float32Array {
  const radius = weights.length - 1;
  const out = new Float32Array(data.length);
  const row = new Float64Array((width + 2 * radius) * 3); // one row with its reflected ends
  const center = weights[0]!;
  let at = 0;
  for (let y = 0; y < height; y++) {
    const begin = y * width * 3;
    for (let x = -radius; x < width + radius; x++) {
      const from = begin + reflected(x, width) * 3;
      const to = (x + radius) * 3;
      row[to] = data[from]!;
      row[to + 1] = data[from + 1]!;
      row[to + 2] = data[from + 2]!;
    }
    for (let i = radius * 3; i < (radius + width) * 3; i++) {
      let sum = center * row[i]!;
      for (let tap = 1; tap <= radius; tap++) sum += weights[tap]! * (row[i - tap * 3]! + row[i + tap * 3]!);
      out[at++] = sum;
    }
  }
  return out;
}

function blurColumns(rows: Float32Array, stride: number, height: number, weights: Float64Array): Uint8Array {
  const radius = weights.length - 1;
  const out = new Uint8ClampedArray(rows.length); // rounds to nearest, ties to even
  const center = weights[0]!;
  const above = new Int32Array(radius + 1);
  const below = new Int32Array(radius + 1);
  for (let y = 0; y < height; y++) {
    for (let tap = 1; tap <= radius; tap++) {
      above[tap] = reflected(y - tap, height) * stride;
      below[tap] = reflected(y + tap, height) * stride;
    }
    const begin = y * stride;
    for (let i = 0; i < stride; i++) {
      let sum = center * rows[begin + i]!;
      for (let tap = 1; tap <= radius; tap++) sum += weights[tap]! * (rows[above[tap]! + i]! + rows[below[tap]! + i]!);
      out[begin + i] = sum;
    }
  }
  return new Uint8Array(out.buffer);
}

/** The position of a padded pixel: reflected at the ends without repeating them, as often as needed. */
function reflected(position: number, length: number): number {
  if (position >= 0 && position < length) return position;
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const within = ((position % period) + period) % period;
  return within < length ? within : period - within;
}

/**
 * Blends the picture with itself smoothed: factor 0 gives the smoothed one, 1 the picture, 2 a sharper one.
 *
 * Bit for bit Pillow's ImageEnhance.Sharpness: a 3 x 3 kernel of ones with 5 in the center; the border stays.
 * @throws RootstockError BAD_CONFIG if `factor` is negative.
 */
export function adjustSharpness(image: Image, factor: number): Image {
  if (!(factor >= 0 && factor < Number.POSITIVE_INFINITY)) {
    throw new RootstockError("BAD_CONFIG", `sharpen requires a factor of at least 0, got ${factor}.`);
  }
  if (factor === 1) return image;
  const { width, height, data } = image;
  const stride = width * 3;
  const out = new Uint8ClampedArray(data);
  const steps = blendSteps(factor);
  const columns = new Int32Array(stride); // sums of three rows
  for (let y = 1; y < height - 1; y++) {
    const begin = y * stride;
    for (let i = 0; i < stride; i++)
      columns[i] = data[begin - stride + i]! + data[begin + i]! + data[begin + stride + i]!;
    for (let i = 3; i < stride - 3; i++) {
      const level = data[begin + i]!;
      const sum = columns[i - 3]! + columns[i]! + columns[i + 3]! + 4 * level;
      const smooth = ((sum + 6.5) / 13) | 0; // to nearest: there are no ties
      out[begin + i] = Math.fround(smooth + steps[level - smooth + 255]!) | 0;
    }
  }
  return { width, height, data: new Uint8Array(out.buffer) };
}

export interface GaussianBlurOptions {
  /** Standard deviation in pixels, fixed or drawn from [low, high], above 0. @default [0.1, 2] */
  readonly sigma?: number | readonly [low: number, high: number] | undefined;
  /** Side of the kernel in pixels, odd, 1 to 1023. @default the smallest that reaches three times sigma to both sides */
  readonly kernelSize?: number | undefined;
  /** Chance of blurring, in [0, 1]. @default 1 */
  readonly probability?: number | undefined;
}

/** Blurs by a random amount, as torchvision's GaussianBlur. */
export function gaussianBlur(
  image: Image,
  { sigma = [0.1, 2], kernelSize, probability = 1 }: GaussianBlurOptions,
  rng: Rng,
): Image {
  const [low, high] = typeof sigma === "number" ? [sigma, sigma] : sigma;
  if (!(low > 0 && low <= high && high < Number.POSITIVE_INFINITY)) {
    throw new RootstockError("BAD_CONFIG", `gaussian-blur requires 0 < low <= high for sigma, got [${low}, ${high}].`);
  }
  if (!happens(probability, rng)) return image;
  const drawn = uniform(low, high, rng);
  const size = kernelSize ?? Math.min(2 * Math.ceil(3 * drawn) + 1, LARGEST_KERNEL);
  return blurGaussian(image, size, drawn);
}

export interface SharpenOptions {
  /** How far to go to both sides of factor 1, or [low, high]; 0 smooths, 2 sharpens. @default [1, 2] */
  readonly range?: Spread | undefined;
  /** Chance of sharpening, in [0, 1]. @default 0.5 */
  readonly probability?: number | undefined;
}

/** Sharpens by a random amount: torchvision's RandomAdjustSharpness with a factor that is drawn. */
export function sharpen(image: Image, { range = [1, 2], probability = 0.5 }: SharpenOptions, rng: Rng): Image {
  const [low, high] = spreadEnds(range, { name: "sharpen", center: 1, least: 0, most: Number.MAX_VALUE });
  return happens(probability, rng) ? adjustSharpness(image, uniform(low, high, rng)) : image;
}
