/** Pixels, or a drawing in SVG, -> bytes of an image file: for reports, contact sheets and drawn pictures. */
import sharp, { type Sharp } from "sharp";
import { invariant } from "../errors.ts";
import type { Image } from "../transforms/image.ts";

/** The smallest standard deviation that the encoder blurs with; less would not be seen. */
const LEAST_BLUR = 0.3;

/** Returns the bytes of a PNG file with exactly these pixels. */
export async function encodePng(image: Image): Promise<Uint8Array> {
  return await raw(image).png({ compressionLevel: 6 }).toBuffer();
}

/** How a JPEG file is written. */
export interface JpegOptions {
  /** 1 to 100. @default 80 */
  readonly quality?: number | undefined;
}

/** Returns the bytes of a JPEG file with about these pixels. */
export async function encodeJpeg(image: Image, { quality = 80 }: JpegOptions = {}): Promise<Uint8Array> {
  return await raw(image).jpeg({ quality }).toBuffer();
}

/** How a drawing becomes a JPEG file. */
export interface DrawingOptions extends JpegOptions {
  /** Standard deviation of a Gaussian blur over the whole, in pixels; less than 0.3 is none. @default 0 */
  readonly blur?: number | undefined;
}

/**
 * Returns the bytes of a JPEG file with a drawing over white; it has the size that the SVG file gives itself.
 *
 * The text must be our own: what it refers to outside of itself is not loaded, but its size is not limited either.
 */
export async function svgToJpeg(svg: string, { quality = 80, blur = 0 }: DrawingOptions = {}): Promise<Uint8Array> {
  const picture = sharp(Buffer.from(svg)).flatten({ background: "#ffffff" });
  if (blur >= LEAST_BLUR) picture.blur(blur);
  return await picture.jpeg({ quality }).toBuffer();
}

/** Returns a `data:` URL of a JPEG file, for a page that has its pictures in itself. */
export async function jpegUrl(image: Image, options: JpegOptions = {}): Promise<string> {
  return `data:image/jpeg;base64,${Buffer.from(await encodeJpeg(image, options)).toString("base64")}`;
}

function raw({ width, height, data }: Image): Sharp {
  invariant(data.length === 3 * width * height, () => `${width} x ${height} pixels in ${data.length} bytes`);
  return sharp(data, { raw: { width, height, channels: 3 } });
}
