/** Mirrors pixels exactly. */
import type { Image } from "../image.ts";
import { mirrorPixels } from "../pixels/pixel-passes.ts";

/** Returns the picture mirrored left to right (`horizontal`), top to bottom (`vertical`), or both. */
export function flipImage(
  { width, height, data }: Image,
  { horizontal, vertical }: { readonly horizontal: boolean; readonly vertical: boolean },
): Image {
  const out = new Uint8Array(data.length);
  // Both ways, the last pixel of all becomes the first, as if the picture were one row.
  if (horizontal) mirrorPixels(data, vertical ? width * height : width, out);
  else {
    const stride = width * 3;
    for (let y = 0; y < height; y++) {
      const from = (vertical ? height - 1 - y : y) * stride;
      out.set(data.subarray(from, from + stride), y * stride);
    }
  }
  return { width, height, data: out };
}
