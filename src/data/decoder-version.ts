/** What decides the pixels that an image file becomes, besides the file: part of every cache key. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";

/** Counts changes of this package's own pixel code (decoding size, resize, crop, transforms) that alter its results. */
const PIXELS = 2;

/** Names the decoder and its version, without loading it: that costs 60 ms, which a fully cached run need not pay. */
export function decoderVersion(): string {
  let folder = dirname(createRequire(import.meta.url).resolve("sharp"));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return `sharp ${z.object({ version: z.string() }).parse(manifest).version}, pixels ${PIXELS}`;
}
