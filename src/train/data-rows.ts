/** A dataset as training reads it: what the frozen part of the network makes of each image, split by split. */
import type { ViewRecipe } from "../data/decode-task.ts";
import { ImageLoader, suggestThreads } from "../data/loader.ts";
import { type Dataset, type Sample, type Split, sourceOf } from "../data/sample.ts";
import { type ExtractOptions, extractFeatures, type FeatureSet, rowWidth } from "../features/extract.ts";
import { memoryRows, type Rows, selectRows, streamedRows } from "../features/rows.ts";
import type { Graph } from "../graph/graph.ts";
import type { Targets } from "../losses/targets.ts";
import { Session } from "../runtime/session.ts";
import { type TargetKind, targetsOf } from "./targets.ts";
import type { LabelledFeatures } from "./train-head.ts";

export interface DataRowsOptions extends ExtractOptions {
  /** Rows are kept in memory up to this many bytes; beyond, they are computed anew in every epoch. @default 2e9 */
  readonly memoryBytes?: number | undefined;
  /** How training images vary where each epoch makes its own rows of them. Rows that are kept vary by `views`. */
  readonly augmented?: (ViewRecipe & { readonly count?: number | undefined }) | undefined;
}

/** One split: rows, and the targets and samples that they belong to. */
export interface SplitRows {
  readonly rows: Rows;
  readonly targets: Targets;
  readonly samples: readonly Sample[];
}

/** Rows of a whole dataset. */
export interface DataRows {
  split(name: Split): SplitRows;
}

/** The features of a whole dataset, which are in memory. */
export interface FeatureRows {
  readonly clean: FeatureSet;
  split(name: Split): SplitRows & LabelledFeatures;
}

/**
 * Computes the features of all images, from the cache where they are there.
 * @throws RootstockError BAD_DATA for a target that is none of the data's task; ABORTED through the options' signal.
 */
export async function featureRows(backbone: Graph, data: Dataset, options: ExtractOptions): Promise<FeatureRows> {
  const clean = await extractFeatures(backbone, data.samples, options);
  const { features, samples, views } = clean;
  const width = rowWidth(backbone);
  const all = memoryRows(features, width, views);
  return {
    clean,
    split: (name) => {
      const { indices, ...own } = splitOf(data, samples, name);
      const chosen = new Float32Array(indices.length * width);
      for (const [to, from] of indices.entries())
        chosen.set(features.subarray(from * width, (from + 1) * width), to * width);
      const split = { ...own, rows: selectRows(all, indices), features: chosen };
      if (name !== "train" || !views) return split;
      return { ...split, views: { ...views, places: indices.map((index) => views.places[index]!) } };
    },
  };
}

/**
 * Computes what an unfrozen network reads: what its frozen part makes of the images, or the images themselves.
 * @param prefix From the image to where training starts; undefined if that is the image. @param data Of images that can be read.
 * @throws RootstockError as `featureRows`.
 */
export async function networkRows(
  prefix: Graph | undefined,
  data: Dataset,
  options: DataRowsOptions,
): Promise<DataRows & AsyncDisposable> {
  const { preprocessing, augmented, signal, memoryBytes = 2e9 } = options;
  const samples = trainFirst(data.samples);
  const [height, width] = preprocessing.inputSize;
  const size = prefix ? rowWidth(prefix) : 3 * height * width;
  const varied = (options.views?.count ?? 0) * samples.filter(({ split }) => split === "train").length;
  if ((samples.length + varied) * size * 4 <= memoryBytes) {
    const set = prefix ? await extractFeatures(prefix, samples, options) : await readImages(samples, size, options);
    const rows = memoryRows(set.features, size, set.views);
    if (prefix || !augmented) return inSplits(data, set.samples, { rows });
    const loader = loaderOf(set.samples);
    const training = streamedRows(set.samples, { loader, preprocessing, augmented, width: size, signal });
    return inSplits(data, set.samples, { rows, training, loader });
  }
  const session = prefix && (await Session.create(prefix, { threads: options.threads, provider: options.provider }));
  const loader = loaderOf(samples);
  const rows = streamedRows(samples, { prefix: session, loader, preprocessing, augmented, width: size, signal });
  return inSplits(data, samples, { rows, session, loader });
}

function loaderOf(samples: readonly Sample[]): ImageLoader {
  return new ImageLoader({ threads: suggestThreads(samples.length) });
}

/** Which view of an image is shown depends on its place: so it does not depend on images that training never sees. */
function trainFirst(samples: readonly Sample[]): readonly Sample[] {
  const isTrain = ({ split }: Sample): boolean => split === "train";
  return [...samples.filter(isTrain), ...samples.filter((sample) => !isTrain(sample))];
}

interface Computed {
  readonly rows: Rows;
  /** Rows for the split "train" where they are others. */
  readonly training?: Rows | undefined;
  readonly session?: Session | undefined;
  /** Open for all epochs: starting its threads takes as long as decoding dozens of images. */
  readonly loader?: ImageLoader | undefined;
}

function inSplits(
  data: TargetKind,
  samples: readonly Sample[],
  { rows, training = rows, session, loader }: Computed,
): DataRows & AsyncDisposable {
  return {
    split: (name) => {
      const { indices, ...own } = splitOf(data, samples, name);
      return { ...own, rows: selectRows(name === "train" ? training : rows, indices) };
    },
    [Symbol.asyncDispose]: async () => {
      await loader?.close();
      await session?.release();
    },
  };
}

function splitOf(data: TargetKind, samples: readonly Sample[], name: Split) {
  const indices = Int32Array.from(samples.flatMap((sample, i) => (sample.split === name ? [i] : [])));
  const chosen = Array.from(indices, (i) => samples[i]!);
  return { indices, samples: chosen, targets: targetsOf(data, chosen) };
}

/** Preprocessed images as rows. They are quickly made, so none are kept on disk. */
async function readImages(
  samples: readonly Sample[],
  width: number,
  { preprocessing, signal, onProgress }: ExtractOptions,
): Promise<Pick<FeatureSet, "features" | "samples" | "views">> {
  const loader = loaderOf(samples);
  const features = new Float32Array(samples.length * width);
  const usable: Sample[] = [];
  try {
    const files = samples.map(sourceOf);
    const hashes = samples.map(({ sha256 }) => sha256);
    for await (const image of loader.load(files, preprocessing, signal, hashes)) {
      if (!("error" in image)) features.set(image.pixels, usable.push(samples[image.index]!) * width - width);
      onProgress?.(image.index + 1, samples.length);
    }
  } finally {
    await loader.close();
  }
  return { features: features.subarray(0, usable.length * width), samples: usable };
}
