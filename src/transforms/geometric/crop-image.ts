/** Takes a rectangle of pixels exactly, also one that reaches outside the picture. */
import { RootstockError } from "../../errors.ts";
import type { Image, Region } from "../image.ts";
import { colorOf, type FillMode, type FillValue, fold } from "../resampling/warp.ts";

/** What is seen outside the picture. */
export interface CropImageOptions {
  /** @default "constant" */
  readonly fill?: FillMode | undefined;
  /** The color of "constant". @default 0 */
  readonly value?: FillValue | undefined;
}

/**
 * Returns a rectangle of the picture, filled where it reaches outside.
 * @throws RootstockError BAD_CONFIG for a rectangle that is not made of whole pixels, at most 32768 wide and high.
 */
export function cropImage(
  { width, height, data }: Image,
  region: Region,
  { fill = "constant", value = 0 }: CropImageOptions = {},
): Image {
  const whole = [region.left, region.top, region.width, region.height].every(Number.isSafeInteger);
  if (!whole || region.width < 1 || region.height < 1 || region.width > 32_768 || region.height > 32_768) {
    throw new RootstockError(
      "BAD_CONFIG",
      `a crop requires whole pixels and a size of 1 to 32768, got ${region.width}x${region.height} at (${region.left}, ${region.top}).`,
    );
  }
  const out = new Uint8Array(region.width * region.height * 3);
  const color = colorOf(value);
  // Columns inside the picture are copied in one go.
  const first = Math.min(Math.max(0, -region.left), region.width);
  const last = Math.max(first, Math.min(region.width, width - region.left));
  const outside = [...range(0, first), ...range(last, region.width)];
  const everywhere = range(0, region.width);
  for (let y = 0; y < region.height; y++) {
    const row = fold(region.top + y, height, fill);
    const from = (row * width + region.left) * 3;
    const to = y * region.width * 3;
    if (row >= 0) out.set(data.subarray(from + first * 3, from + last * 3), to + first * 3);
    for (const x of row >= 0 ? outside : everywhere) {
      const column = row < 0 ? -1 : fold(region.left + x, width, fill);
      const pixel = (row * width + column) * 3;
      out.set(column < 0 ? color : data.subarray(pixel, pixel + 3), to + x * 3);
    }
  }
  return { width: region.width, height: region.height, data: out };
}

function range(begin: number, end: number): number[] {
  return Array.from({ length: end - begin }, (_, i) => begin + i);
}
