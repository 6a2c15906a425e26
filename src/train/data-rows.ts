/** A dataset as training reads it: what the frozen part of the network makes of each image, split by split. */
import type { ViewRecipe } from "../data/decode-task.ts";
import { ImageLoader, suggestThreads } from "../data/loader.ts";
import { type Dataset, type Sample, type Split, sourceOf } from "../data/sample.ts";
import { type ExtractOptions, extractFeatures, type FeatureSet, rowWidth } from "../features/extract.ts";
import { memoryRows, type Rows, type RowViews, selectRows, streamedRows } from "../features/rows.ts";
import type { Graph } from "../graph/graph.ts";
import { Session } from "../runtime/session.ts";
import { GraphScorer, scoreRows } from "./score.ts";
import { type TargetKind, targetsOf } from "./targets.ts";
import type { LabelledFeatures } from "./train-head.ts";

/** The network in the parts that a run needs. */
export interface NetworkParts {
  /** From the image to the features of the head. */
  readonly backbone: Graph;
  /** From the image to where training starts; undefined if that is the image itself. */
  readonly prefix: Graph | undefined;
  /** From where training starts to the features of the head; undefined if only the head trains. */
  readonly suffix: Graph | undefined;
}

export interface DataRowsOptions extends ExtractOptions {
  /** Rows are kept in memory up to this many bytes; beyond, they are computed anew in every epoch. @default 2e9 */
  readonly memoryBytes?: number | undefined;
  /** How training images vary where each epoch makes its own rows of them. Rows that are kept vary by `views`. */
  readonly augmented?: (ViewRecipe & { readonly count?: number | undefined }) | undefined;
}

/** One split: rows to train on, features for the head, and the samples that they belong to. */
export interface SplitRows extends LabelledFeatures {
  readonly rows: Rows;
  readonly samples: readonly Sample[];
}

export interface DataRows extends AsyncDisposable {
  /** Features of the clean images of all splits, as the head reads them. */
  readonly clean: FeatureSet;
  split(name: Split): SplitRows;
  readonly failed: FeatureSet["failed"];
  readonly fromCache: number;
}

/**
 * Computes what training reads, from the cache where it is there.
 * @throws RootstockError BAD_DATA for a target that is none of the data's task; ABORTED through the options' signal.
 */
export async function dataRows(parts: NetworkParts, data: Dataset, options: DataRowsOptions): Promise<DataRows> {
  const { backbone, prefix, suffix } = parts;
  const { samples } = data;
  const { memoryBytes = 2e9 } = options;
  const [height, width] = options.preprocessing.inputSize;
  const size = prefix ? rowWidth(prefix) : 3 * height * width;
  if (!suffix) {
    const set = await extractFeatures(backbone, samples, options);
    const rows = memoryRows(set.features, rowWidth(backbone), set.views);
    return inSplits(data, set, { rows, features: set.features, views: set.views });
  }
  const { preprocessing, augmented, signal } = options;
  const varied = (options.views?.count ?? 0) * samples.filter(({ split }) => split === "train").length;
  if ((samples.length + varied) * size * 4 <= memoryBytes) {
    const set = prefix ? await extractFeatures(prefix, samples, options) : await readImages(samples, size, options);
    const rows = memoryRows(set.features, size, set.views);
    await using scorer = await GraphScorer.create(suffix, { threads: options.threads, provider: options.provider });
    const features = await scoreRows(scorer, rows);
    if (prefix || !augmented) return inSplits(data, set, { rows, features });
    const training = streamedRows(set.samples, { preprocessing, augmented, width: size, signal });
    return inSplits(data, set, { rows, features, training });
  }
  const set = await extractFeatures(backbone, samples, { ...options, views: undefined });
  const session = prefix && (await Session.create(prefix, { threads: options.threads, provider: options.provider }));
  const rows = streamedRows(set.samples, { prefix: session, preprocessing, augmented, width: size, signal });
  return inSplits(data, set, { rows, features: set.features, session });
}

interface Computed {
  readonly rows: Rows;
  /** Of the clean images. */
  readonly features: Float32Array;
  readonly views?: RowViews | undefined;
  /** Rows for the split "train" where they are others. */
  readonly training?: Rows | undefined;
  readonly session?: Session | undefined;
}

function inSplits(
  data: TargetKind,
  { samples, failed, fromCache }: FeatureSet,
  { rows, features, views, training, session }: Computed,
): DataRows {
  const width = samples.length === 0 ? 0 : features.length / samples.length;
  return {
    clean: { features, samples, failed, fromCache },
    failed,
    fromCache,
    split: (name) => {
      const indices = Int32Array.from(samples.flatMap((sample, i) => (sample.split === name ? [i] : [])));
      const chosen = Array.from(indices, (i) => samples[i]!);
      const own = new Float32Array(indices.length * width);
      for (const [to, from] of indices.entries())
        own.set(features.subarray(from * width, (from + 1) * width), to * width);
      const targets = targetsOf(data, chosen);
      const split = { features: own, targets, samples: chosen };
      if (name !== "train") return { ...split, rows: selectRows(rows, indices) };
      const places = views && indices.map((index) => views.places[index]!);
      return {
        ...split,
        rows: selectRows(training ?? rows, indices),
        views: views && places && { ...views, places },
      };
    },
    [Symbol.asyncDispose]: async () => await session?.release(),
  };
}

/** Preprocessed images as rows. They are quickly made, so none are kept on disk. */
async function readImages(
  samples: readonly Sample[],
  width: number,
  { preprocessing, signal, onProgress }: ExtractOptions,
): Promise<FeatureSet> {
  const loader = new ImageLoader({ threads: suggestThreads(samples.length) });
  const features = new Float32Array(samples.length * width);
  const usable: Sample[] = [];
  const failed: { sample: Sample; error: string }[] = [];
  try {
    const files = samples.map(sourceOf);
    const hashes = samples.map(({ sha256 }) => sha256);
    for await (const image of loader.load(files, preprocessing, signal, hashes)) {
      const sample = samples[image.index]!;
      if ("error" in image) failed.push({ sample, error: image.error });
      else features.set(image.pixels, usable.push(sample) * width - width);
      onProgress?.(image.index + 1, samples.length);
    }
  } finally {
    await loader.close();
  }
  return { features: features.subarray(0, usable.length * width), samples: usable, failed, fromCache: 0 };
}
