/** Tables that give each of the 256 grey levels another one, and the transforms that are no more than such a table. */
import { RootstockError } from "../../errors.ts";
import type { Rng } from "../../random.ts";
import type { Image } from "../image.ts";
import { happens, type Spread, spreadEnds, uniform } from "./chance.ts";
import { changePixels } from "./pixel-passes.ts";

/** 256 bytes: the new level of each level. */
export type Levels = Uint8Array;

/** Makes a table from a function of the level; results are truncated to whole numbers and kept in 0 to 255. */
export function levelsOf(level: (from: number) => number): Levels {
  const levels = new Uint8ClampedArray(256);
  for (let i = 0; i < 256; i++) levels[i] = Math.trunc(level(i));
  return new Uint8Array(levels.buffer);
}

/** Leaves every level as it is. */
export const SAME_LEVELS: Levels = levelsOf((level) => level);

/** Returns the picture with its levels replaced, each channel by its own table. */
export function mapLevels(image: Image, red: Levels, green: Levels = red, blue: Levels = red): Image {
  const data = new Uint8Array(image.data.length);
  changePixels(image.data, [{ kind: "levels", tables: [red, green, blue] }], data);
  return { width: image.width, height: image.height, data };
}

/**
 * What a blend adds for each difference of two levels, -255 to 255 (at index 0 to 510).
 *
 * Pillow's `Blend.c` computes `from + factor * (to - from)` in float32 and truncates; factors above 1 extrapolate.
 */
export function blendSteps(factor: number): Float32Array {
  const steps = new Float32Array(511);
  const single = Math.fround(factor);
  for (let i = 0; i < 511; i++) steps[i] = single * (i - 255);
  return steps;
}

/** Blends one level into all others, as Pillow's ImageEnhance does: factor 0 gives `from`, 1 what was there. */
export function blendLevels(from: number, factor: number): Levels {
  const steps = blendSteps(factor);
  return levelsOf((level) => Math.fround(from + steps[level - from + 255]!));
}

/** Keeps the highest `bits` bits of each level, 1 to 8. */
export function posterizeTo(image: Image, bits: number): Image {
  if (!(Number.isInteger(bits) && bits >= 1 && bits <= 8)) {
    throw new RootstockError("BAD_CONFIG", `posterize requires 1 to 8 bits, got ${bits}.`);
  }
  const mask = 256 - 2 ** (8 - bits);
  return mapLevels(
    image,
    levelsOf((level) => level & mask),
  );
}

/** Inverts the levels from `threshold` up; 0 inverts all, 256 none. */
export function solarizeFrom(image: Image, threshold: number): Image {
  return mapLevels(
    image,
    levelsOf((level) => (level < threshold ? level : 255 - level)),
  );
}

/** Adds whole numbers to the channels; results are kept in [low, high], 0 to 255 unless told. */
export function shiftChannels(
  image: Image,
  shifts: readonly [red: number, green: number, blue: number],
  [low, high]: readonly [number, number] = [0, 255],
): Image {
  const [red, green, blue] = shifts.map((shift) =>
    levelsOf((level) => Math.min(Math.max(level + shift, low), high)),
  ) as [Levels, Levels, Levels]; // map keeps the length
  return mapLevels(image, red, green, blue);
}

export interface PosterizeOptions {
  /** Bits that are kept of each channel, 1 to 8. @default 4 */
  readonly bits?: number | undefined;
  /** Chance of posterizing, in [0, 1]. @default 0.5 */
  readonly probability?: number | undefined;
}

/** Keeps the highest bits of each channel, as torchvision's RandomPosterize. */
export function posterize(image: Image, { bits = 4, probability = 0.5 }: PosterizeOptions, rng: Rng): Image {
  return happens(probability, rng) ? posterizeTo(image, bits) : image;
}

export interface SolarizeOptions {
  /** The lowest level that is inverted, 0 to 256. @default 128 */
  readonly threshold?: number | undefined;
  /** Chance of solarizing, in [0, 1]. @default 0.5 */
  readonly probability?: number | undefined;
}

/** Inverts the bright levels, as torchvision's RandomSolarize. */
export function solarize(image: Image, { threshold = 128, probability = 0.5 }: SolarizeOptions, rng: Rng): Image {
  if (!(threshold >= 0 && threshold <= 256)) {
    throw new RootstockError("BAD_CONFIG", `solarize requires a threshold in [0, 256], got ${threshold}.`);
  }
  return happens(probability, rng) ? solarizeFrom(image, threshold) : image;
}

export interface InvertOptions {
  /** Chance of inverting, in [0, 1]. @default 0.5 */
  readonly probability?: number | undefined;
}

/** Replaces each level by 255 minus it, as torchvision's RandomInvert. */
export function invert(image: Image, { probability = 0.5 }: InvertOptions, rng: Rng): Image {
  return happens(probability, rng) ? solarizeFrom(image, 0) : image;
}

export interface ChannelShiftOptions {
  /** Grey levels that a channel moves by at most, 0 to 255, or [low, high]. @default 20 */
  readonly range?: Spread | undefined;
  /**
   * Whether each channel draws its own shift, or one moves all: Keras's `channel_shift_range` moves all. (Keras also
   * keeps the result between the picture's own extremes; `imageDataGenerator` does that.) @default "each"
   */
  readonly channels?: "each" | "together" | undefined;
  /** Chance of shifting, in [0, 1]. @default 1 */
  readonly probability?: number | undefined;
}

/** Adds a random number of grey levels to the channels. */
export function channelShift(
  image: Image,
  { range = 20, channels = "each", probability = 1 }: ChannelShiftOptions,
  rng: Rng,
): Image {
  const [low, high] = spreadEnds(range, { name: "channel-shift", center: 0, least: -255, most: 255 });
  if (!happens(probability, rng)) return image;
  const draw = (): number => Math.round(uniform(low, high, rng));
  const red = draw();
  return shiftChannels(image, channels === "together" ? [red, red, red] : [red, draw(), draw()]);
}
