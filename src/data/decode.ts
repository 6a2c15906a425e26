/** Bytes of an image file -> upright 8-bit RGB pixels. The only file that knows the decoder, sharp (libvips). */
import sharp from "sharp";
import { messageOf, RootstockError } from "../errors.ts";
import type { Image } from "../transforms/image.ts";
import { SHRINK_BYTES, type ShrunkSize } from "./shrink-on-load.ts";
import { sniffImage } from "./sniff.ts";

/** The largest picture that is decoded, in pixels: 2^27, 134 megapixels, 403 MB of RGB. */
export const MAX_PIXELS = 2 ** 27;

/**
 * Decodes JPEG, PNG, GIF, WebP, TIFF and AVIF files.
 *
 * EXIF orientation is applied; transparency is composited over white; gray, 16-bit, CMYK and palette pictures become
 * 8-bit sRGB; the first frame of an animation, the first page of a TIFF and the primary item of an AVIF are taken.
 * @throws RootstockError BAD_DATA if the file is cut off, damaged, larger than `MAX_PIXELS`, or of another format.
 */
export async function decodeImage(bytes: Uint8Array): Promise<Image> {
  const decoded = await decodeOrExplain(bytes);
  if ("problem" in decoded) throw new RootstockError("BAD_DATA", `the picture ${decoded.problem}.`);
  return decoded;
}

/**
 * As `decodeImage`, but returns a problem, as words that read on from the file's name, instead of throwing.
 * A picture of more than `maxPixels` is refused by its header, without being decoded.
 * @param shrink Says for a large JPEG file, by its upright size, at which smaller one to decode it; see shrink-on-load.ts.
 */
export async function decodeOrExplain(
  bytes: Uint8Array,
  maxPixels = MAX_PIXELS,
  shrink?: (picture: { readonly width: number; readonly height: number }) => ShrunkSize | undefined,
): Promise<Image | { readonly problem: string }> {
  const sniffed = sniffImage(bytes);
  if ("problem" in sniffed) return sniffed;
  try {
    // failOn "error": cut-off files fail, while warnings, such as stray bytes between JPEG markers, pass as in Pillow.
    const source = sharp(bytes, { failOn: "error", limitInputPixels: maxPixels }).autoOrient();
    if (shrink && sniffed.format === "jpeg" && bytes.length >= SHRINK_BYTES) {
      const size = shrink((await source.metadata()).autoOrient);
      if (size) source.resize({ ...size, fit: "fill", fastShrinkOnLoad: true });
    }
    const { data, info } = await source
      .flatten({ background: "#ffffff" })
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) return { problem: `cannot be converted to RGB (it decodes to ${info.channels} channels)` };
    return { width: info.width, height: info.height, data };
  } catch (error) {
    return { problem: explain(messageOf(error), maxPixels) };
  }
}

/** The problem of a picture with more than `maxPixels`. */
export function pixelProblem(maxPixels: number): string {
  return `has more than ${maxPixels} pixels (${Math.round(maxPixels / 1e6)} megapixels); make it smaller`;
}

/**
 * Makes the decoder use one thread per picture and keep nothing between pictures.
 * The setting is global to the process: libvips is shared by all its threads.
 */
export function useOneThreadPerImage(): void {
  sharp.concurrency(1);
  sharp.cache(false);
}

/**
 * Why a picture could not be decoded. The decoder keeps one error text for the whole process: with several pictures
 * under way it may be another's, so only what sharp says itself is told apart.
 */
function explain(message: string, maxPixels: number): string {
  return message.includes("pixel limit") ? pixelProblem(maxPixels) : "is cut off or damaged: it cannot be decoded";
}
