/** Image files → rows of a network's output, in order: the one path that training, evaluation and prediction share. */
import type { FileViews } from "../data/decode-task.ts";
import type { ImageLoader } from "../data/loader.ts";
import type { ImageSource } from "../data/sample.ts";
import { RootstockError } from "../errors.ts";
import type { Session } from "../runtime/session.ts";
import { float16ToFloat32 } from "../tensor/float16.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { sizeOf, tensor } from "../tensor/tensor.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import { imageInput } from "./image-input.ts";
import { mirrorPixels } from "./mirror-pixels.ts";

/** The most memory that one batch of inputs may take: 256 MB, 400 images of 224 by 224. */
const BATCH_BYTES = 256e6;

export interface RunImagesOptions {
  readonly loader: ImageLoader;
  readonly preprocessing: Preprocessing;
  /** Images per run; a file with a fixed batch overrides it. @default 16 */
  readonly batchSize?: number | undefined;
  /** The hash that each file must have; see `ImageLoader.load`. */
  readonly sha256?: readonly string[] | undefined;
  /** The views of each file; see `ImageLoader.load`. @default the clean image of each */
  readonly views?: FileViews | undefined;
  /** Whether the mirror image of each image follows it. @default false */
  readonly mirrored?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The output for one image, a copy of its row, or the reason why the file could not be decoded. */
export type ImageResult =
  | { readonly index: number; readonly view?: number | undefined; readonly row: Float32Array }
  | { readonly index: number; readonly error: string };

/** Runs every file through the session's first output, reading ahead on worker threads. Results come in file order, views in theirs. */
export async function* runImages(
  session: Session,
  files: readonly ImageSource[],
  { loader, preprocessing, batchSize = 16, sha256, views, mirrored = false, signal }: RunImagesOptions,
): AsyncGenerator<ImageResult> {
  const input = imageInput(session.graph);
  const [height, width] = preprocessing.inputSize;
  const shape = input.layout === "NCHW" ? [3, height, width] : [height, width, 3];
  const size = sizeOf(shape);
  const fitting = Math.floor(BATCH_BYTES / (4 * size));
  if (fitting < (input.batch ?? 1)) {
    throw new RootstockError(
      "BAD_MODEL",
      `the model's input [${[input.batch ?? 1, ...shape].join(", ")}] takes more than ${BATCH_BYTES / 1e9} GB. Export it with a smaller batch or size.`,
    );
  }
  const images = views ? views.views.reduce((sum, numbers) => sum + numbers.length, 0) : files.length;
  const count = mirrored ? 2 * images : images;
  const capacity = Math.max(1, Math.min(input.batch ?? Math.min(batchSize, fitting), count));
  const batch = new Float32Array((input.batch ?? capacity) * size);
  let waiting: ({ index: number; view: number | undefined; slot: number } | { index: number; error: string })[] = [];
  let used = 0;

  const flush = async (): Promise<ImageResult[]> => {
    // A file with a fixed batch gets full batches: slots that no image uses hold what was there before.
    const images = input.batch ?? used;
    const rows =
      used === 0
        ? []
        : await runBatch(session, input.name, tensor("float32", [images, ...shape], batch.subarray(0, images * size)));
    const results = waiting.map((item) => {
      if ("error" in item) return item;
      const { index, view, slot } = item;
      return view === undefined ? { index, row: rows[slot]! } : { index, view, row: rows[slot]! };
    });
    waiting = [];
    used = 0;
    return results;
  };

  for await (const image of loader.load(files, preprocessing, signal, sha256, views)) {
    if ("error" in image) {
      waiting.push(image);
      continue;
    }
    batch.set(image.pixels, used * size);
    waiting.push({ index: image.index, view: image.view, slot: used++ });
    if (used === capacity) yield* await flush();
    if (!mirrored) continue;
    mirrorPixels(image.pixels, batch.subarray(used * size, (used + 1) * size), { layout: input.layout, height, width });
    waiting.push({ index: image.index, view: image.view, slot: used++ });
    if (used === capacity) yield* await flush();
  }
  yield* await flush();
}

async function runBatch(session: Session, name: string, images: Tensor): Promise<Float32Array[]> {
  const output = session.graph.outputs[0]!.name;
  const result = (await session.run({ [name]: images }, [output]))[output]!;
  const count = images.shape[0]!;
  if (result.shape[0] !== count) {
    throw new RootstockError(
      "BAD_MODEL",
      `the model gives "${output}" [${result.shape.join(", ")}] for ${count} images: it mixes the images of a batch. Export it with a batch of 1.`,
    );
  }
  const data = toFloat32(result, output);
  const width = data.length / count;
  return Array.from({ length: count }, (_, i) => data.slice(i * width, (i + 1) * width));
}

/** The elements as float32. @throws RootstockError BAD_MODEL for whole numbers: they are no scores or features. */
function toFloat32(t: Tensor, name: string): Float32Array {
  if (t.data instanceof Float32Array) return t.data;
  if (t.data instanceof Float64Array) return Float32Array.from(t.data);
  if (t.dtype === "float16" && t.data instanceof Uint16Array) return float16ToFloat32(t.data);
  throw new RootstockError(
    "BAD_MODEL",
    `the model's output "${name}" requires floating point numbers, got ${t.dtype}.`,
  );
}
