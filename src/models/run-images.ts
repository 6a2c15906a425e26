/** Image files → rows of a network's output, in order: the one path that training, evaluation and prediction share. */
import type { ImageLoader } from "../data/loader.ts";
import type { Session } from "../runtime/session.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { sizeOf, tensor } from "../tensor/tensor.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import { imageInput } from "./image-input.ts";

export interface RunImagesOptions {
  readonly loader: ImageLoader;
  readonly preprocessing: Preprocessing;
  /** Images per run; a file with a fixed batch overrides it. @default 16 */
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The output for one image: a copy of its row, or the reason why the file could not be decoded. */
export type ImageResult =
  | { readonly index: number; readonly row: Float32Array }
  | { readonly index: number; readonly error: string };

/** Runs every file through the session's first output, reading ahead on worker threads. Results come in file order. */
export async function* runImages(
  session: Session,
  files: readonly string[],
  { loader, preprocessing, batchSize = 16, signal }: RunImagesOptions,
): AsyncGenerator<ImageResult> {
  const input = imageInput(session.graph);
  const [height, width] = preprocessing.inputSize;
  const shape = input.layout === "NCHW" ? [3, height, width] : [height, width, 3];
  const size = sizeOf(shape);
  const capacity = Math.max(1, Math.min(input.batch ?? batchSize, files.length));
  const batch = new Float32Array((input.batch ?? capacity) * size);
  let waiting: ({ index: number; slot: number } | { index: number; error: string })[] = [];
  let used = 0;

  const flush = async (): Promise<ImageResult[]> => {
    // A file with a fixed batch gets full batches: slots that no image uses hold what was there before.
    const count = input.batch ?? used;
    const rows =
      used === 0
        ? []
        : await runBatch(session, input.name, tensor("float32", [count, ...shape], batch.subarray(0, count * size)));
    const results = waiting.map((item) => ("slot" in item ? { index: item.index, row: rows[item.slot]! } : item));
    waiting = [];
    used = 0;
    return results;
  };

  for await (const image of loader.load(files, preprocessing, signal)) {
    if ("error" in image) {
      waiting.push(image);
      continue;
    }
    batch.set(image.pixels, used * size);
    waiting.push({ index: image.index, slot: used++ });
    if (used === capacity) yield* await flush();
  }
  yield* await flush();
}

async function runBatch(session: Session, name: string, images: Tensor): Promise<Float32Array[]> {
  const output = session.graph.outputs[0]!.name;
  const result = (await session.run({ [name]: images }, [output]))[output]!;
  const count = images.shape[0]!;
  const width = result.data.length / count;
  const data = result.data as Float32Array; // the graphs run here have float32 outputs
  return Array.from({ length: count }, (_, i) => data.slice(i * width, (i + 1) * width));
}
