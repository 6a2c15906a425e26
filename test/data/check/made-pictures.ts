/** Pictures that tests draw: each seed another one, with shapes large enough to survive any encoding. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { rng } from "../../../src/random.ts";
import type { Image } from "../../../src/transforms/image.ts";

/** A colored background with forty rectangles, decided by `seed`. */
export function drawn(seed: number | string, width = 160, height = 120): Image {
  const source = rng(seed);
  const data = new Uint8Array(3 * width * height);
  const whole = (below: number): number => Math.floor(source.next() * below);
  for (let shape = 0; shape < 41; shape++) {
    const color = [whole(256), whole(256), whole(256)];
    const [left, top] = shape === 0 ? [0, 0] : [whole(width), whole(height)];
    const right = shape === 0 ? width : Math.min(width, left + 4 + whole(width / 3));
    const bottom = shape === 0 ? height : Math.min(height, top + 4 + whole(height / 3));
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) data.set(color, 3 * (y * width + x));
  }
  return { width, height, data };
}

/** The decoder's way to change and save such a picture. */
export function editing({ width, height, data }: Image): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

export async function jpeg(image: Image, quality = 90): Promise<Uint8Array> {
  return await editing(image).jpeg({ quality }).toBuffer();
}

/** Writes files below a folder; a number stands for the JPEG of `drawn(number)`. */
export async function writePictures(
  root: string,
  tree: Readonly<Record<string, number | string | Uint8Array>>,
): Promise<void> {
  for (const [path, content] of Object.entries(tree)) {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, typeof content === "number" ? await jpeg(drawn(content)) : content);
  }
}
