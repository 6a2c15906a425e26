/** Bytes of an image file -> what its header says and a small upright picture; the decoder shrinks while it reads. */
import sharp, { type Metadata } from "sharp";
import { messageOf } from "../errors.ts";
import type { Image } from "../transforms/image.ts";
import { MAX_PIXELS, pixelProblem } from "./decode.ts";
import { type ImageFormat, sniffImage } from "./sniff.ts";

/** What the header of an image file says. */
export interface ImageFacts {
  readonly format: ImageFormat;
  /** Pixels from left to right as a person sees the picture, with its EXIF orientation applied. */
  readonly width: number;
  /** Pixels from top to bottom as a person sees the picture. */
  readonly height: number;
  /** EXIF orientation, 1 to 8; 1 is upright, and so is a file that does not say. */
  readonly orientation: number;
  /** Stored channels, the alpha channel included. */
  readonly channels: number;
  readonly alpha: boolean;
  /** Bits of a stored channel. */
  readonly bits: number;
  /** Whether the stored colors are CMYK. */
  readonly cmyk: boolean;
  /** Frames of an animation, or pages of a TIFF. */
  readonly frames: number;
}

/** A picture made small. */
export interface Thumbnail {
  readonly facts: ImageFacts;
  /** The upright picture in sRGB over white, neither side longer than asked; never enlarged. */
  readonly image: Image;
}

/** How a thumbnail is made. */
export interface ThumbnailOptions {
  /** The longest side allowed, in pixels. @default 256 */
  readonly size?: number | undefined;
  /** The most pixels that are decoded; a larger picture is a problem that its header tells. @default MAX_PIXELS */
  readonly maxPixels?: number | undefined;
}

/**
 * Decodes a picture at a small size.
 *
 * JPEG is decoded at a half, a quarter or an eighth of its size where that is enough; the whole file is still read, so
 * that a cut-off or damaged one is a problem here as it is for `decodeImage`. The pixels are for looking and measuring,
 * not for a network: they are not those of decoding and resizing.
 * @returns A problem, as words that read on from the file's name, where the picture cannot be decoded.
 */
export async function thumbnailOf(
  bytes: Uint8Array,
  { size = 256, maxPixels = MAX_PIXELS }: ThumbnailOptions = {},
): Promise<Thumbnail | { readonly problem: string }> {
  const sniffed = sniffImage(bytes);
  if ("problem" in sniffed) return sniffed;
  try {
    const picture = sharp(bytes, { failOn: "error", limitInputPixels: maxPixels });
    const facts = factsOf(sniffed.format, await picture.metadata());
    const { data, info } = await picture
      .autoOrient()
      .resize({ width: size, height: size, fit: "inside", withoutEnlargement: true, kernel: "linear" })
      .flatten({ background: "#ffffff" })
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) return { problem: `cannot be converted to RGB (it decodes to ${info.channels} channels)` };
    return { facts, image: { width: info.width, height: info.height, data } };
  } catch (error) {
    const tooLarge = messageOf(error).includes("pixel limit");
    return { problem: tooLarge ? pixelProblem(maxPixels) : "is cut off or damaged: it cannot be decoded" };
  }
}

function factsOf(format: ImageFormat, stored: Metadata): ImageFacts {
  const { width, height, orientation = 1, channels, hasAlpha, depth, space, pages = 1 } = stored;
  const turned = orientation >= 5; // stored on its side
  return {
    format,
    width: turned ? height : width,
    height: turned ? width : height,
    orientation,
    channels,
    alpha: hasAlpha,
    bits: BITS.get(depth) ?? 8,
    cmyk: space === "cmyk",
    frames: pages,
  };
}

const BITS: ReadonlyMap<string, number> = new Map([
  ["ushort", 16],
  ["short", 16],
  ["uint", 32],
  ["int", 32],
  ["float", 32],
  ["complex", 64],
  ["double", 64],
  ["dpcomplex", 128],
]);
