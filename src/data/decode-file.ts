/** One image file -> network inputs, one for each view: what the worker threads do, and the calling thread where there are none. */
import { createHash } from "node:crypto";
import { messageOf } from "../errors.ts";
import { rng } from "../random.ts";
import type { Image } from "../transforms/image.ts";
import { bringToSize, normalize } from "../transforms/preprocess.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import type { Augmentation } from "../transforms/transform.ts";
import { decodeOrExplain, pixelProblem } from "./decode.ts";
import {
  type Decoded,
  type DecodeResult,
  type DecodeTask,
  isStopped,
  LARGE_PIXELS,
  PROGRESS,
  TOO_LARGE,
  type ViewRecipe,
} from "./decode-task.ts";
import { readBounded } from "./inspect.ts";
import type { ImageSource } from "./sample.ts";
import { shrunkSize } from "./shrink-on-load.ts";

/** What `decodeFile` asks of a file, and makes of it. */
export interface DecodeFileOptions {
  /** The hash that the file must have. @default undefined, any */
  readonly sha256?: string | undefined;
  /** The largest picture that is decoded. @default MAX_PIXELS of the decoder */
  readonly maxPixels?: number | undefined;
  /** The views to make, one after the other; 0 is the clean image. @default the clean image alone */
  readonly views?: (ViewRecipe & { readonly numbers: readonly number[] }) | undefined;
}

/** Decodes one file of a task and records its progress; does nothing once the list is stopped, when nobody waits. */
export async function decodeOne(task: DecodeTask, index: number): Promise<Decoded> {
  const { files, first, preprocessing, progress } = task;
  if (isStopped(progress)) return "was left out";
  Atomics.store(progress, 1 + first + index, PROGRESS.started);
  const options = { ...optionsOf(task, index), maxPixels: LARGE_PIXELS };
  const result = await decodeFile(files[index]!, preprocessing, options);
  Atomics.store(progress, 1 + first + index, PROGRESS.done);
  return result === pixelProblem(LARGE_PIXELS) ? TOO_LARGE : result;
}

/** Decodes a file of a task whose outcome was `TOO_LARGE`. */
export function decodeLarge(task: DecodeTask, index: number): Promise<Decoded> {
  return decodeFile(task.files[index]!, task.preprocessing, optionsOf(task, index));
}

/** Decodes the files of a task in this thread, all at a time. */
export function decodeHere(task: DecodeTask): Promise<DecodeResult> {
  return Promise.all(task.files.map((_, index) => decodeOne(task, index)));
}

/**
 * Reads and decodes a file once, and makes the network's input of each view from it. Never throws: a failure is a text
 * that reads on from the file's name. With `sha256`, a file of other content is a failure; so is a picture of more
 * than `maxPixels`.
 */
export async function decodeFile(
  file: ImageSource,
  preprocessing: Preprocessing,
  { sha256, maxPixels, views }: DecodeFileOptions = {},
): Promise<Decoded> {
  try {
    const read = readBounded(file);
    if ("problem" in read) return read.problem;
    const known = sha256 !== undefined || views ? createHash("sha256").update(read.content).digest("hex") : "";
    if (sha256 !== undefined && known !== sha256) return "changed while it was read; run again";
    const numbers = views?.numbers ?? [0];
    const size = 3 * preprocessing.inputSize[0] * preprocessing.inputSize[1];
    // Every value is written below: memory that is not cleared first saves up to a tenth of the whole.
    const out = new Float32Array(Buffer.allocUnsafeSlow(4 * numbers.length * size).buffer);
    const decode = decoderOf(read.content, preprocessing, { maxPixels, augmentation: views?.augmentation });
    for (const [i, view] of numbers.entries()) {
      const image = await decode(view);
      if ("problem" in image) return image.problem;
      const sized =
        view === 0 || !views
          ? bringToSize(image, preprocessing)
          : await viewOf(image, preprocessing, views, view, known);
      normalize(sized, preprocessing, out.subarray(i * size, (i + 1) * size));
    }
    return out;
  } catch (error) {
    return `cannot be loaded (${messageOf(error)})`; // out of memory, for example
  }
}

/**
 * Returns a function that gives the decoded picture for a view. Clean and random views may take it at different sizes,
 * by shrink-on-load.ts; it is decoded again only if they do.
 */
function decoderOf(
  content: Uint8Array,
  preprocessing: Preprocessing,
  {
    maxPixels,
    augmentation,
  }: { readonly maxPixels: number | undefined; readonly augmentation?: Augmentation | undefined },
): (view: number) => ReturnType<typeof decodeOrExplain> {
  let last: { readonly clean: boolean; readonly image: ReturnType<typeof decodeOrExplain> } | undefined;
  let same = true; // smaller files are not asked about, and decoded in full for all views
  return (view) => {
    const clean = view === 0;
    if (last && (same || last.clean === clean)) return last.image;
    const image = decodeOrExplain(content, maxPixels, (picture) => {
      const sizes = [shrunkSize(picture, preprocessing), shrunkSize(picture, preprocessing, augmentation)] as const;
      same =
        sizes[0]?.width === sizes[1]?.width &&
        sizes[0]?.height === sizes[1]?.height &&
        sizes[0]?.kernel === sizes[1]?.kernel;
      return clean ? sizes[0] : sizes[1];
    });
    last = { clean, image };
    return image;
  };
}

/** The picture of one random view in the network's input size. What is drawn depends on seed, view and content alone. */
async function viewOf(
  image: Image,
  preprocessing: Preprocessing,
  { augmentation, seed }: ViewRecipe,
  view: number,
  sha256: string,
): Promise<Image> {
  const { augmentImage } = await import("../transforms/augment.ts"); // clean images need none of that code
  return augmentImage(image, preprocessing, augmentation, rng(seed).fork(`view ${view}`).fork(sha256));
}

function optionsOf({ sha256, views }: DecodeTask, index: number): DecodeFileOptions {
  return { sha256: sha256?.[index], views: views && { ...views, numbers: views.views[index]! } };
}
