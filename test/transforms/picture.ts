/** Pictures that tests compute, the same as test/golden/resize/make.py does. */
import type { Image } from "../../src/transforms/image.ts";

/** Noise in red, a ramp in green, hard edges in blue. */
export function picture(width: number, height: number): Image {
  const data = new Uint8Array(width * height * 3);
  let state = 12345;
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      data[at++] = (state >> 16) & 255;
      data[at++] = (Math.floor((x * 255) / width) + y * 3) & 255;
      data[at++] = (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 1 ? 255 : 0;
    }
  }
  return { width, height, data };
}

/** The rectangle of a picture as a picture of its own. */
export function crop(image: Image, left: number, top: number, width: number, height: number): Image {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { width, height, data };
}
