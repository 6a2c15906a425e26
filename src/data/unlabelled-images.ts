/** Photographs without labels -> a dataset: what distillation reads. */
import { RootstockError } from "../errors.ts";
import { DRAWING_SIZE } from "./drawings/draw.ts";
import { checkHeld } from "./drawings/drawn-examples.ts";
import { drawnScenes } from "./drawings/drawn-scenes.ts";
import { type InMemoryImage, inMemoryDataset } from "./in-memory.ts";
import { checkSignal } from "./inspect-files.ts";
import { listImages } from "./list-images.ts";
import type { Dataset } from "./sample.ts";

export interface UnlabelledImagesOptions {
  /** Share of the images to hold out, in (0, 1): they are measured on and never trained on. @default 0.03 */
  readonly validation?: number | undefined;
  /** Scenes to draw beside the images, as `drawnScenes` draws them; no images are needed then. @default 0 */
  readonly drawings?: number | undefined;
  /** Decides which are held out and what is drawn, a whole number. @default 0 */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Name of the one target, a 0 for every image. */
const NOTHING = "unlabelled";

/**
 * Returns a dataset of all images in files and folders, whatever the names of the folders; files that are no images are in
 * `skipped`.
 * @throws RootstockError BAD_DATA if there are fewer than two images; BAD_CONFIG; ABORTED.
 */
export async function unlabelledImages(
  paths: readonly string[],
  { validation = 0.03, drawings = 0, seed = 0, signal }: UnlabelledImagesOptions = {},
): Promise<Dataset> {
  const { files, failed } = await listImages(paths);
  const images = files.map((image): InMemoryImage => ({ image, values: [0] }));
  checkHeld("drawings", drawings, DRAWING_SIZE);
  if (drawings !== 0)
    for await (const { name, bytes } of drawnScenes({ count: drawings, seed })) {
      checkSignal(signal);
      images.push({ image: bytes, name, values: [0] });
    }
  if (images.length < 2) {
    const problem = failed[0] ? `: ${failed[0].file} ${failed[0].reason}` : "";
    throw new RootstockError(
      "BAD_DATA",
      `unlabelledImages requires at least two images, got ${images.length} in ${paths.join(", ")}${problem}.`,
    );
  }
  const data = await inMemoryDataset(images, { targets: [NOTHING], validation, seed, signal });
  return { ...data, root: paths.join(", "), skipped: [...failed, ...data.skipped] };
}
