/** Random erasing: a rectangle of the picture is hidden. */
import { RootstockError } from "../../errors.ts";
import type { Rng } from "../../random.ts";
import type { Image, Region } from "../image.ts";
import { happens, uniform, whole } from "./chance.ts";

export interface ErasingOptions {
  /** Part of the picture's area that is erased, inside [0, 1]. @default [0.02, 0.33] */
  readonly scale?: readonly [low: number, high: number] | undefined;
  /** Height / width of the rectangle, above 0; drawn evenly on a logarithmic scale. @default [0.3, 3.3] */
  readonly ratio?: readonly [low: number, high: number] | undefined;
  /**
   * What is put there: one grey level, red, green and blue, "random" levels for each pixel, or the "mean" color of the
   * picture. (torchvision erases after normalization, where its 0 is the mean color of ImageNet.) @default "mean"
   */
  readonly value?: number | readonly [red: number, green: number, blue: number] | "random" | "mean" | undefined;
  /** Chance of erasing, in [0, 1]. @default 0.5 */
  readonly probability?: number | undefined;
}

/**
 * Erases a random rectangle (Zhong et al. 2017, arXiv:1708.04896), drawn as torchvision's RandomErasing draws it: ten
 * tries to find one that is smaller than the picture in both directions, else the picture is left as it is.
 * @throws RootstockError BAD_CONFIG if a range is out of order or out of bounds.
 */
export function erasing(
  image: Image,
  { scale = [0.02, 0.33], ratio = [0.3, 3.3], value = "mean", probability = 0.5 }: ErasingOptions,
  rng: Rng,
): Image {
  if (!(scale[0] >= 0 && scale[0] <= scale[1] && scale[1] <= 1)) {
    throw new RootstockError(
      "BAD_CONFIG",
      `erasing requires 0 <= low <= high <= 1 for scale, got [${scale.join(", ")}].`,
    );
  }
  if (!(ratio[0] > 0 && ratio[0] <= ratio[1] && ratio[1] < Number.POSITIVE_INFINITY)) {
    throw new RootstockError("BAD_CONFIG", `erasing requires 0 < low <= high for ratio, got [${ratio.join(", ")}].`);
  }
  if (!happens(probability, rng)) return image;
  const region = drawRegion(image, scale, ratio, rng);
  if (region === undefined) return image;
  return eraseRegion(image, region, value === "random" ? rng : value === "mean" ? meanColor(image) : value);
}

function drawRegion(
  { width, height }: Image,
  scale: readonly [number, number],
  ratio: readonly [number, number],
  rng: Rng,
): Region | undefined {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * uniform(...scale, rng);
    const aspect = Math.exp(uniform(Math.log(ratio[0]), Math.log(ratio[1]), rng));
    const tall = Math.round(Math.sqrt(area * aspect));
    const wide = Math.round(Math.sqrt(area / aspect));
    if (tall >= height || wide >= width) continue;
    return { left: whole(width - wide + 1, rng), top: whole(height - tall + 1, rng), width: wide, height: tall };
  }
  return undefined;
}

/** Returns the picture with a rectangle inside it filled: with one level, a color, or levels that `value` draws. */
export function eraseRegion(
  image: Image,
  { left, top, width, height }: Region,
  value: number | readonly [red: number, green: number, blue: number] | Rng,
): Image {
  const data = image.data.slice();
  const color = typeof value === "number" ? [value, value, value] : "next" in value ? undefined : value;
  const clamped = new Uint8ClampedArray(data.buffer); // rounds, and keeps values in 0 to 255
  for (let y = top; y < top + height; y++) {
    let at = (y * image.width + left) * 3;
    for (let i = 0; i < width * 3; i++) {
      clamped[at++] = color === undefined ? (value as Rng).next() * 256 - 0.5 : color[i % 3]!; // no color: an Rng
    }
  }
  return { width: image.width, height: image.height, data };
}

function meanColor({ data }: Image): readonly [number, number, number] {
  const sums: [number, number, number] = [0, 0, 0];
  for (let i = 0; i + 2 < data.length; i += 3) {
    sums[0] += data[i]!;
    sums[1] += data[i + 1]!;
    sums[2] += data[i + 2]!;
  }
  const pixels = data.length / 3;
  return [sums[0] / pixels, sums[1] / pixels, sums[2] / pixels];
}
