/** Pixels -> bytes of an image file: for reports and contact sheets. */
import sharp, { type Sharp } from "sharp";
import { invariant } from "../errors.ts";
import type { Image } from "../transforms/image.ts";

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

/** Returns a `data:` URL of a JPEG file, for a page that has its pictures in itself. */
export async function jpegUrl(image: Image, options: JpegOptions = {}): Promise<string> {
  return `data:image/jpeg;base64,${Buffer.from(await encodeJpeg(image, options)).toString("base64")}`;
}

function raw({ width, height, data }: Image): Sharp {
  invariant(data.length === 3 * width * height, () => `${width} x ${height} pixels in ${data.length} bytes`);
  return sharp(data, { raw: { width, height, channels: 3 } });
}
