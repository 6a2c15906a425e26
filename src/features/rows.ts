/** What training reads: one row per sample, from memory or computed again whenever an epoch needs it. */
import type { ViewRecipe } from "../data/decode-task.ts";
import { ImageLoader, suggestThreads } from "../data/loader.ts";
import { type Sample, sourceOf } from "../data/sample.ts";
import { RootstockError } from "../errors.ts";
import { runImages } from "../models/run-images.ts";
import { rng, shuffle } from "../random.ts";
import type { Session } from "../runtime/session.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";

/** Rows of equal width. */
export interface Rows {
  readonly count: number;
  /** Numbers per row. */
  readonly width: number;
  /**
   * The rows in this order, `size` at a time and the rest at the end, as [n, width] arrays that the caller may keep.
   * @param epoch From 1. Rows that have random views show another of them in each epoch; without an epoch, and for
   *   rows without views, they are those of the clean images.
   */
  batches(order: Int32Array, size: number, epoch?: number): AsyncIterable<Float32Array>;
}

/** Rows of random views beside those of the clean images. */
export interface RowViews {
  /** [places, count, width] row-major. */
  readonly values: Float32Array;
  /** For each row its place in `values`, or -1 for a row that has a clean image only. */
  readonly places: Int32Array;
  /** Random views of each place. */
  readonly count: number;
  /** Decides in which order a row shows its views. */
  readonly seed: number | string;
}

/**
 * Rows that are in memory. @param values [count, width] row-major.
 * @param views Random views of some of the rows. Over 1 + views.count epochs such a row shows its clean image and each
 *   of its views once, in an order of its own.
 */
export function memoryRows(values: Float32Array, width: number, views?: RowViews): Rows {
  return {
    count: values.length / width,
    width,
    async *batches(order, size, epoch) {
      for (let start = 0; start < order.length; start += size)
        yield shownRows({ values, width, views }, order.subarray(start, start + size), epoch);
    },
  };
}

/** Rows in memory, and random views of some of them. */
export interface RowTable {
  /** [count, width] row-major. */
  readonly values: Float32Array;
  readonly width: number;
  readonly views?: RowViews | undefined;
}

/** The rows of these indices as an epoch shows them, [n, width], as a new array; those of clean images without an epoch. */
export function shownRows({ values, width, views }: RowTable, order: Int32Array, epoch?: number): Float32Array {
  const batch = new Float32Array(order.length * width);
  for (const [row, index] of order.entries()) {
    const view = views && epoch !== undefined && views.places[index]! >= 0 ? viewShown(views, index, epoch) : 0;
    const from = view === 0 ? index : views!.places[index]! * views!.count + view - 1;
    const source = view === 0 ? values : views!.values;
    batch.set(source.subarray(from * width, (from + 1) * width), row * width);
  }
  return batch;
}

/**
 * Returns which view of a row an epoch shows, 0 for the clean image: in each cycle of 1 + count epochs a permutation
 * that depends on the seed, the cycle and the row alone, so that a run that is continued sees what it would have seen.
 */
export function viewShown({ count, seed }: Pick<RowViews, "count" | "seed">, index: number, epoch: number): number {
  const cycle = Math.floor((epoch - 1) / (count + 1));
  const order = Array.from({ length: count + 1 }, (_, view) => view);
  return shuffle(order, rng(seed).fork(`views ${cycle}`).fork(String(index)))[(epoch - 1) % (count + 1)]!;
}

/** Some of the rows, in a new order: row i is row `indices[i]` of `rows`. */
export function selectRows(rows: Rows, indices: Int32Array): Rows {
  return {
    count: indices.length,
    width: rows.width,
    batches: (order, size, epoch) =>
      rows.batches(
        order.map((index) => indices[index]!),
        size,
        epoch,
      ),
  };
}

export interface StreamedRowsOptions {
  /** What makes an image's row: the frozen part of a network. Without it the row is the preprocessed image. */
  readonly prefix?: Session | undefined;
  readonly preprocessing: Preprocessing;
  readonly width: number;
  /**
   * How training samples are augmented: epoch e shows their view e, or with a `count` one of so many, the one that
   * `memoryRows` would show. @default undefined, clean images in every epoch
   */
  readonly augmented?: (ViewRecipe & { readonly count?: number | undefined }) | undefined;
  /** Decodes the files of every pass, and stays open. @default undefined, one for each pass */
  readonly loader?: ImageLoader | undefined;
  /** Leaves out files that cannot be read, instead of ending with an error. @default false */
  readonly skipUnreadable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Rows that are computed from the image files anew in every pass: for data whose rows do not fit into memory.
 * Samples of other splits than "train" are never augmented.
 * `batches` throws RootstockError BAD_DATA if a file can no longer be read as it was when the data were listed.
 */
export function streamedRows(samples: readonly Sample[], options: StreamedRowsOptions): Rows {
  const { width } = options;
  return {
    count: samples.length,
    width,
    async *batches(order, size, epoch) {
      let batch = new Float32Array(size * width);
      let filled = 0;
      for await (const row of images(samples, order, options, epoch)) {
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
  all: readonly Sample[],
  order: Int32Array,
  { prefix, preprocessing, augmented, loader: given, skipUnreadable = false, signal }: StreamedRowsOptions,
  epoch = 0,
): AsyncGenerator<Float32Array> {
  const samples = Array.from(order, (index) => all[index]!);
  const shown = (index: number): number => {
    if (epoch === 0 || augmented?.count === undefined) return epoch;
    return viewShown({ count: augmented.count, seed: augmented.seed }, index, epoch);
  };
  const files = samples.map(sourceOf);
  const sha256 = samples.map((sample) => sample.sha256);
  const views = augmented && {
    ...augmented,
    views: samples.map(({ split }, i) => [split === "train" ? shown(order[i]!) : 0]),
  };
  const loader = given ?? new ImageLoader({ threads: suggestThreads(files.length) });
  try {
    if (!prefix) {
      for await (const image of loader.load(files, preprocessing, signal, sha256, views)) {
        if (!("error" in image)) yield image.pixels;
        else if (!skipUnreadable) throw unreadable(samples[image.index]!, image.error);
      }
      return;
    }
    for await (const result of runImages(prefix, files, { loader, preprocessing, signal, sha256, views })) {
      if (!("error" in result)) yield result.row;
      else if (!skipUnreadable) throw unreadable(samples[result.index]!, result.error);
    }
  } finally {
    if (!given) await loader.close();
  }
}

function unreadable({ file }: Sample, error: string): RootstockError {
  return new RootstockError(
    "BAD_DATA",
    `${file} ${error}: it changed while training was under way. Put it back, or start the run again.`,
  );
}
