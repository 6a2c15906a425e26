/** Brightness, contrast, saturation and hue, alone and as one jitter, with the arithmetic that torchvision has from Pillow. */
import { RootstockError } from "../../errors.ts";
import { type Rng, shuffle } from "../../random.ts";
import type { Image } from "../image.ts";
import { happens, type Spread, spreadEnds, uniform } from "./chance.ts";
import { blendLevels, type Levels } from "./levels.ts";
import { changeAndMeanGray, changePixels, type PixelChange } from "./pixel-passes.ts";

/**
 * One change of color. "brightness" blends with black, "contrast" with the mean gray, "saturation" with the gray picture:
 * factor 0 gives what is blended with, 1 the picture as it is, more goes beyond. "hue" turns by `factor` of the circle.
 */
export interface Adjustment {
  readonly kind: "brightness" | "contrast" | "saturation" | "hue";
  readonly factor: number;
}

/** What is allowed of each kind, and what changes nothing. */
const LIMITS = {
  brightness: { center: 1, least: 0, most: Number.MAX_VALUE },
  contrast: { center: 1, least: 0, most: Number.MAX_VALUE },
  saturation: { center: 1, least: 0, most: Number.MAX_VALUE },
  hue: { center: 0, least: -0.5, most: 0.5 },
} as const satisfies Record<Adjustment["kind"], object>;

/**
 * Makes the adjustments one after another; the argument is left as it is.
 *
 * Bit for bit what torchvision's `adjust_brightness`, `adjust_contrast`, `adjust_saturation` and `adjust_hue` make of a
 * PIL image. One difference: a turn of the hue by less than 1/255 changes nothing, where torchvision still converts to
 * HSV and back, which costs some levels. Contrast needs the mean of what the adjustments before it make,
 * so it begins a new pass over the pixels; a brightness that follows is one table of levels with it.
 * @throws RootstockError BAD_CONFIG if a factor is negative, or that of the hue outside [-0.5, 0.5].
 */
export function adjustColor(image: Image, adjustments: readonly Adjustment[]): Image {
  const effective = adjustments.filter(({ kind, factor }) => !changesNothing(kind, factor));
  if (effective.length === 0) return image;
  const out = new Uint8Array(image.data.length);
  let { data } = image;
  let changes: PixelChange[] = []; // not made yet
  for (const { kind, factor } of effective) {
    if (kind === "saturation") changes.push({ kind: "saturate", factor });
    else if (kind === "hue") changes.push({ kind: "hue", shift: Math.trunc(factor * 255) });
    else if (kind === "brightness") changes = withLevels(changes, blendLevels(0, factor));
    else {
      const mean = Math.floor(changeAndMeanGray(data, changes, out) + 0.5);
      if (changes.length > 0) data = out;
      changes = withLevels([], blendLevels(mean, factor));
    }
  }
  changePixels(data, changes, out);
  return { width: image.width, height: image.height, data: out };
}

/** Appends a table of levels; if there is one at the end already, both become one. */
function withLevels(changes: readonly PixelChange[], levels: Levels): PixelChange[] {
  const last = changes.at(-1);
  if (last?.kind !== "levels") return [...changes, { kind: "levels", tables: [levels, levels, levels] }];
  const chained = last.tables[0].map((level) => levels[level]!);
  return [...changes.slice(0, -1), { kind: "levels", tables: [chained, chained, chained] }];
}

/** Checks a factor, and says whether it leaves the picture as it is. */
function changesNothing(kind: Adjustment["kind"], factor: number): boolean {
  const { center, least, most } = LIMITS[kind];
  if (!(factor >= least && factor <= most)) {
    throw new RootstockError("BAD_CONFIG", `${kind} requires a factor in [${least}, ${most}], got ${factor}.`);
  }
  return factor === center || (kind === "hue" && Math.trunc(factor * 255) === 0);
}

/** Returns the picture in gray, three equal channels: ITU-R 601 weights of 16 bits, as Pillow's mode "L". */
export function toGrayscale(image: Image): Image {
  return adjustColor(image, [{ kind: "saturation", factor: 0 }]);
}

export interface ColorJitterOptions {
  /** Factor in [max(0, 1 - amount), 1 + amount], or [low, high]; 0 is off. @default 0 */
  readonly brightness?: Spread | undefined;
  /** Factor in [max(0, 1 - amount), 1 + amount], or [low, high]; 0 is off. @default 0 */
  readonly contrast?: Spread | undefined;
  /** Factor in [max(0, 1 - amount), 1 + amount], or [low, high]; 0 is off. @default 0 */
  readonly saturation?: Spread | undefined;
  /** Turn in [-amount, amount] of the circle, or [low, high], inside [-0.5, 0.5]; 0 is off. @default 0 */
  readonly hue?: Spread | undefined;
  /** Chance of any change, in [0, 1]. @default 1 */
  readonly probability?: number | undefined;
}

/** Changes brightness, contrast, saturation and hue by random amounts in random order, as torchvision's ColorJitter. */
export function colorJitter(
  image: Image,
  { brightness = 0, contrast = 0, saturation = 0, hue = 0, probability = 1 }: ColorJitterOptions,
  rng: Rng,
): Image {
  const spreads = { brightness, contrast, saturation, hue };
  const kinds = ["brightness", "contrast", "saturation", "hue"] as const;
  const ends = kinds.map((kind) => ({ kind, ends: endsOf(kind, spreads[kind]) }));
  if (!happens(probability, rng)) return image;
  const adjustments = ends.map(
    ({ kind, ends: [low, high] }): Adjustment => ({ kind, factor: uniform(low, high, rng) }),
  );
  return adjustColor(image, shuffle(adjustments, rng));
}

export interface AdjustmentOptions {
  /** How far to go to both sides of "no change", or [low, high]: factors, and for the hue parts of the circle. */
  readonly range: Spread;
  /** Chance of any change, in [0, 1]. @default 1 */
  readonly probability?: number | undefined;
}

/** A transform that draws the factor of one kind of adjustment. */
function adjuster(kind: Adjustment["kind"]): (image: Image, options: AdjustmentOptions, rng: Rng) => Image {
  return (image, { range, probability = 1 }: AdjustmentOptions, rng) => {
    const [low, high] = endsOf(kind, range);
    return happens(probability, rng) ? adjustColor(image, [{ kind, factor: uniform(low, high, rng) }]) : image;
  };
}

function endsOf(kind: Adjustment["kind"], spread: Spread): readonly [number, number] {
  return spreadEnds(spread, { name: kind, ...LIMITS[kind] });
}

/** Blends the picture with black: range 0.2 draws a factor in [0.8, 1.2]. */
export const brightness = adjuster("brightness");
/** Blends the picture with its mean gray: range 0.2 draws a factor in [0.8, 1.2]. */
export const contrast = adjuster("contrast");
/** Blends the picture with itself in gray: range 0.2 draws a factor in [0.8, 1.2]. */
export const saturation = adjuster("saturation");
/** Turns the hue: range 0.1 draws a turn in [-0.1, 0.1] of the circle. */
export const hue = adjuster("hue");

export interface GrayscaleOptions {
  /** Chance of the picture in gray, in [0, 1]. @default 0.1 */
  readonly probability?: number | undefined;
}

/** Takes the color out of some pictures, as torchvision's RandomGrayscale. */
export function grayscale(image: Image, { probability = 0.1 }: GrayscaleOptions, rng: Rng): Image {
  return happens(probability, rng) ? toGrayscale(image) : image;
}
