/** Transforms that read the histogram of each channel: as Pillow's ImageOps. */
import type { Rng } from "../../random.ts";
import type { Image } from "../image.ts";
import { happens } from "./chance.ts";
import { type Levels, levelsOf, mapLevels, SAME_LEVELS } from "./levels.ts";

/** Stretches each channel so that its darkest level becomes 0 and its brightest 255. */
export function stretchContrast(image: Image): Image {
  return mapChannels(image, (counts) => {
    const low = counts.findIndex((count) => count > 0);
    const high = counts.findLastIndex((count) => count > 0);
    if (high <= low) return SAME_LEVELS;
    const scale = 255 / (high - low);
    const offset = -low * scale;
    return levelsOf((level) => level * scale + offset);
  });
}

/** Spreads the levels of each channel so that each range of them holds about the same number of pixels. */
export function equalizeHistogram(image: Image): Image {
  const pixels = image.width * image.height;
  return mapChannels(image, (counts) => {
    const last = counts.findLastIndex((count) => count > 0);
    // Pixels per level of the result; those of the brightest level do not count, so that it becomes 255.
    const step = Math.floor((pixels - counts[last]!) / 255);
    if (step === 0) return SAME_LEVELS; // one level only, or too few pixels
    let below = Math.floor(step / 2);
    return levelsOf((level) => {
      const result = Math.floor(below / step);
      below += counts[level]!;
      return result;
    });
  });
}

function mapChannels(image: Image, levelsFor: (counts: Uint32Array) => Levels): Image {
  const counts = [new Uint32Array(256), new Uint32Array(256), new Uint32Array(256)] as const;
  const [red, green, blue] = counts;
  const { data } = image;
  for (let i = 0; i + 2 < data.length; i += 3) {
    red[data[i]!]!++;
    green[data[i + 1]!]!++;
    blue[data[i + 2]!]!++;
  }
  return mapLevels(image, levelsFor(red), levelsFor(green), levelsFor(blue));
}

export interface AutoContrastOptions {
  /** Chance of stretching, in [0, 1]. @default 0.5 */
  readonly probability?: number | undefined;
}

/** Stretches the contrast of each channel to the full range, as torchvision's RandomAutocontrast. */
export function autoContrast(image: Image, { probability = 0.5 }: AutoContrastOptions, rng: Rng): Image {
  return happens(probability, rng) ? stretchContrast(image) : image;
}

export interface EqualizeOptions {
  /** Chance of equalizing, in [0, 1]. @default 0.5 */
  readonly probability?: number | undefined;
}

/** Equalizes the histogram of each channel, as torchvision's RandomEqualize. */
export function equalize(image: Image, { probability = 0.5 }: EqualizeOptions, rng: Rng): Image {
  return happens(probability, rng) ? equalizeHistogram(image) : image;
}
