/** A dataset as training reads it: what the frozen part of the network makes of each image, split by split. */
import { ImageLoader, suggestThreads } from "../data/loader.ts";
import { labelsOf, type Sample, type Split } from "../data/sample.ts";
import { type ExtractOptions, extractFeatures, type FeatureSet, rowWidth } from "../features/extract.ts";
import { memoryRows, type Rows, selectRows, streamedRows } from "../features/rows.ts";
import type { Graph } from "../graph/graph.ts";
import { Session } from "../runtime/session.ts";
import { GraphScorer, scoreRows } from "./score.ts";
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
}

/** One split: rows to train on, features for the head, and the samples that they belong to. */
export interface SplitRows extends LabelledFeatures {
  readonly rows: Rows;
  readonly samples: readonly Sample[];
}

export interface DataRows extends AsyncDisposable {
  split(name: Split): SplitRows;
  readonly failed: FeatureSet["failed"];
  readonly fromCache: number;
}

/**
 * Computes what training reads, from the cache where it is there.
 * @throws RootstockError ABORTED through the options' signal.
 */
export async function dataRows(
  parts: NetworkParts,
  samples: readonly Sample[],
  options: DataRowsOptions,
): Promise<DataRows> {
  const { backbone, prefix, suffix } = parts;
  const { memoryBytes = 2e9 } = options;
  const [height, width] = options.preprocessing.inputSize;
  const size = prefix ? rowWidth(prefix) : 3 * height * width;
  if (!suffix) {
    const set = await extractFeatures(backbone, samples, options);
    return inSplits(set, memoryRows(set.features, rowWidth(backbone)), set.features);
  }
  if (samples.length * size * 4 <= memoryBytes) {
    const set = prefix ? await extractFeatures(prefix, samples, options) : await readImages(samples, size, options);
    const rows = memoryRows(set.features, size);
    await using scorer = await GraphScorer.create(suffix, { threads: options.threads, provider: options.provider });
    return inSplits(set, rows, await scoreRows(scorer, rows));
  }
  const set = await extractFeatures(backbone, samples, options);
  const session = prefix && (await Session.create(prefix, { threads: options.threads, provider: options.provider }));
  const { preprocessing, signal } = options;
  const rows = streamedRows(set.samples, { prefix: session, preprocessing, width: size, signal });
  return inSplits(set, rows, set.features, session);
}

function inSplits(
  { samples, failed, fromCache }: FeatureSet,
  rows: Rows,
  features: Float32Array,
  session?: Session | undefined,
): DataRows {
  const width = samples.length === 0 ? 0 : features.length / samples.length;
  return {
    failed,
    fromCache,
    split: (name) => {
      const indices = Int32Array.from(samples.flatMap((sample, i) => (sample.split === name ? [i] : [])));
      const chosen = Array.from(indices, (i) => samples[i]!);
      const own = new Float32Array(indices.length * width);
      for (const [to, from] of indices.entries())
        own.set(features.subarray(from * width, (from + 1) * width), to * width);
      return { rows: selectRows(rows, indices), features: own, labels: labelsOf(chosen), samples: chosen };
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
    const files = samples.map(({ file }) => file);
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
