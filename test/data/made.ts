/** Images and folders that tests make for themselves. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { onTestFinished } from "vitest";

/** Makes a folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rootstock-data-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A small PNG whose color, and so whose content, is decided by `seed`. */
export async function png(seed: number, width = 8, height = 6): Promise<Buffer> {
  const background = { r: seed & 255, g: (seed >> 8) & 255, b: (seed * 37) & 255 };
  return await sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer();
}

/** Writes files below a folder: a number stands for the image `png(number)`. */
export async function writeTree(
  root: string,
  tree: Readonly<Record<string, number | string | Uint8Array>>,
): Promise<void> {
  for (const [path, content] of Object.entries(tree)) {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, typeof content === "number" ? await png(content) : content);
  }
}

/** A tree of `count` different images in each class folder. */
export function classTree(counts: Readonly<Record<string, number>>, first = 1): Record<string, number> {
  const tree: Record<string, number> = {};
  let seed = first;
  for (const [folder, count] of Object.entries(counts)) {
    for (let i = 0; i < count; i++) tree[`${folder}/${i}.png`] = seed++;
  }
  return tree;
}
