/** What training reads: one row per sample, from memory or computed again whenever an epoch needs it. */
import { ImageLoader, suggestThreads } from "../data/loader.ts";
import type { Sample } from "../data/sample.ts";
import { RootstockError } from "../errors.ts";
import { runImages } from "../models/run-images.ts";
import type { Session } from "../runtime/session.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";

/** Rows of equal width. */
export interface Rows {
  readonly count: number;
  /** Numbers per row. */
  readonly width: number;
  /** The rows in this order, `size` at a time and the rest at the end, as [n, width] arrays that the caller may keep. */
  batches(order: Int32Array, size: number): AsyncIterable<Float32Array>;
}

/** Rows that are in memory. @param values [count, width] row-major. */
export function memoryRows(values: Float32Array, width: number): Rows {
  return {
    count: values.length / width,
    width,
    async *batches(order, size) {
      for (let start = 0; start < order.length; start += size) {
        const chosen = order.subarray(start, start + size);
        const batch = new Float32Array(chosen.length * width);
        for (const [row, index] of chosen.entries())
          batch.set(values.subarray(index * width, (index + 1) * width), row * width);
        yield batch;
      }
    },
  };
}

/** Some of the rows, in a new order: row i is row `indices[i]` of `rows`. */
export function selectRows(rows: Rows, indices: Int32Array): Rows {
  return {
    count: indices.length,
    width: rows.width,
    batches: (order, size) =>
      rows.batches(
        order.map((index) => indices[index]!),
        size,
      ),
  };
}

export interface StreamedRowsOptions {
  /** What makes an image's row: the frozen part of a network. Without it the row is the preprocessed image. */
  readonly prefix?: Session | undefined;
  readonly preprocessing: Preprocessing;
  readonly width: number;
  /** Leaves out files that cannot be read, instead of ending with an error. @default false */
  readonly skipUnreadable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Rows that are computed from the image files anew in every pass: for data whose rows do not fit into memory.
 * `batches` throws RootstockError BAD_DATA if a file can no longer be read as it was when the data were listed.
 */
export function streamedRows(samples: readonly Sample[], options: StreamedRowsOptions): Rows {
  const { width } = options;
  return {
    count: samples.length,
    width,
    async *batches(order, size) {
      let batch = new Float32Array(size * width);
      let filled = 0;
      const chosen = Array.from(order, (index) => samples[index]!);
      for await (const row of images(chosen, options)) {
        batch.set(row, filled++ * width);
        if (filled < size) continue;
        yield batch;
        batch = new Float32Array(size * width);
        filled = 0;
      }
      if (filled > 0) yield batch.slice(0, filled * width);
    },
  };
}

async function* images(
  samples: readonly Sample[],
  { prefix, preprocessing, skipUnreadable = false, signal }: StreamedRowsOptions,
): AsyncGenerator<Float32Array> {
  const files = samples.map(({ file }) => file);
  const sha256 = samples.map((sample) => sample.sha256);
  const loader = new ImageLoader({ threads: suggestThreads(files.length) });
  try {
    if (!prefix) {
      for await (const image of loader.load(files, preprocessing, signal, sha256)) {
        if (!("error" in image)) yield image.pixels;
        else if (!skipUnreadable) throw unreadable(samples[image.index]!, image.error);
      }
      return;
    }
    for await (const result of runImages(prefix, files, { loader, preprocessing, signal, sha256 })) {
      if (!("error" in result)) yield result.row;
      else if (!skipUnreadable) throw unreadable(samples[result.index]!, result.error);
    }
  } finally {
    await loader.close();
  }
}

function unreadable({ file }: Sample, error: string): RootstockError {
  return new RootstockError(
    "BAD_DATA",
    `${file} ${error}: it changed while training was under way. Put it back, or start the run again.`,
  );
}
