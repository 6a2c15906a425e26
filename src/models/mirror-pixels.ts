/** The mirror image of a network's input, left to right: exact, numbers are copied. */

/** How the numbers of an image lie in memory. */
export interface PixelLayout {
  readonly layout: "NCHW" | "NHWC";
  readonly height: number;
  readonly width: number;
}

/**
 * Writes the mirror image of `pixels`, 3 * height * width numbers, into `out`, which must be other memory.
 * The image is mirrored after it was resized and cropped, as timm and fastai do.
 */
export function mirrorPixels(pixels: Float32Array, out: Float32Array, { layout, height, width }: PixelLayout): void {
  const step = layout === "NHWC" ? 3 : 1; // numbers that stay together
  const rows = layout === "NHWC" ? height : 3 * height;
  for (let row = 0; row < rows; row++) {
    const start = row * width * step;
    for (let x = 0; x < width; x++) {
      const from = start + x * step;
      const to = start + (width - 1 - x) * step;
      for (let c = 0; c < step; c++) out[to + c] = pixels[from + c]!;
    }
  }
}
