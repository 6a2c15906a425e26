/** Runs the frozen part of a network once per image, and remembers the result on disk. */
import { createHash } from "node:crypto";
import { decoderVersion } from "../data/decoder-version.ts";
import { ImageLoader, suggestThreads } from "../data/loader.ts";
import type { Sample } from "../data/sample.ts";
import { messageOf, RootstockError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { saveGraph } from "../graph/save.ts";
import type { Json } from "../json.ts";
import { runImages } from "../models/run-images.ts";
import type { Provider } from "../runtime/providers.ts";
import { runtimeVersion, Session } from "../runtime/session.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import { cacheFolder, cacheLimit } from "../weights/cache-folder.ts";
import { FeatureStore } from "./store.ts";

/** Milliseconds of work that a crash may cost. */
const FLUSH_MS = 2000;

export interface ExtractOptions {
  /** Name of the model, by which people find its entry in the cache. */
  readonly name: string;
  readonly preprocessing: Preprocessing;
  /** Whether to read and write the cache on disk. @default true */
  readonly cache?: boolean | undefined;
  /** Folder of the caches. @default the platform's cache folder, or ROOTSTOCK_CACHE */
  readonly cacheFolder?: string | undefined;
  /** Size limit of all caches together, in bytes. @default cacheLimit() */
  readonly maxCacheBytes?: number | undefined;
  /** Threads for inference and for decoding. @default the number of cores */
  readonly threads?: number | undefined;
  /** Where the network runs. @default "cpu" */
  readonly provider?: Provider | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each image that had to be computed. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly onWarning?: ((text: string) => void) | undefined;
  /** Time in milliseconds since 1970: decides when features are written out, and which old ones are dropped first. */
  readonly clock: () => number;
}

/** Features of a list of samples. */
export interface FeatureSet {
  /** [n, width] row-major, one row per usable sample, in the order given; a feature map is one row in its own order. */
  readonly features: Float32Array;
  /** The samples that the rows belong to: those whose image could be decoded. */
  readonly samples: readonly Sample[];
  readonly failed: readonly { readonly sample: Sample; readonly error: string }[];
  /** How many rows came from the cache. */
  readonly fromCache: number;
}

/**
 * Computes the features of samples with a graph whose output is [batch, ...sizes].
 * What was computed before an abort or a crash is in the cache when the call is made again. A cache that cannot be
 * read or written is a warning, not an error: the features are computed all the same.
 * @throws RootstockError ABORTED through `signal`.
 */
export async function extractFeatures(
  backbone: Graph,
  samples: readonly Sample[],
  options: ExtractOptions,
): Promise<FeatureSet> {
  const { preprocessing, cache = true, threads, provider, signal, onProgress, clock } = options;
  const width = rowWidth(backbone);
  const withoutCache = (error: unknown): undefined => {
    options.onWarning?.(messageOf(error));
  };
  let store = cache ? await openStore(backbone, width, options).catch(withoutCache) : undefined;
  const flush = async (): Promise<void> => {
    await store?.flush().catch((error: unknown) => {
      store = withoutCache(error);
    });
  };
  const rows = new Map<string, Float32Array>();
  for (const { sha256 } of samples) {
    const row = store?.get(sha256);
    if (row) rows.set(sha256, row);
  }
  const fromCache = samples.filter(({ sha256 }) => rows.has(sha256)).length;
  // Equal files have equal features: each content is computed once.
  const missing = [
    ...new Map(samples.filter(({ sha256 }) => !rows.has(sha256)).map((sample) => [sample.sha256, sample])).values(),
  ];
  const errors = new Map<string, string>();
  if (missing.length > 0) {
    await using session = await Session.create(backbone, { threads, provider, spinning: false });
    const loader = new ImageLoader({ threads: suggestThreads(missing.length) });
    try {
      let done = 0;
      let flushed = clock();
      for await (const result of runImages(
        session,
        missing.map(({ file }) => file),
        { loader, preprocessing, signal, sha256: missing.map(({ sha256 }) => sha256) },
      )) {
        const { sha256 } = missing[result.index]!;
        if ("error" in result) errors.set(sha256, result.error);
        else {
          checkRow(result.row, missing[result.index]!.file);
          rows.set(sha256, result.row);
          store?.put(sha256, result.row);
          if (clock() - flushed > FLUSH_MS) {
            await flush();
            flushed = clock();
          }
        }
        onProgress?.(++done, missing.length);
      }
    } finally {
      await flush();
      await loader.close();
    }
  }
  const usable = samples.filter(({ sha256 }) => rows.has(sha256));
  const features = new Float32Array(usable.length * width);
  for (const [i, { sha256 }] of usable.entries()) features.set(rows.get(sha256)!, i * width);
  const failed = samples
    .filter(({ sha256 }) => errors.has(sha256))
    .map((sample) => ({ sample, error: errors.get(sample.sha256)! }));
  return { features, samples: usable, failed, fromCache };
}

/** Numbers per image in a graph's output [batch, ...sizes]. */
export function rowWidth({ outputs }: Graph): number {
  return outputs[0]!.shape!.slice(1).reduce<number>((product, size) => product * Number(size), 1); // cuts have known sizes
}

/** Features that are no numbers must neither be trained on nor kept. */
function checkRow(row: Float32Array, file: string): void {
  if (row.every(Number.isFinite)) return;
  throw new RootstockError(
    "BAD_MODEL",
    `the frozen part of the model gives ${row.find((value) => !Number.isFinite(value))} for ${file}. Its weights are damaged, or the preprocessing is not the one it was trained with.`,
  );
}

function openStore(backbone: Graph, width: number, options: ExtractOptions): Promise<FeatureStore> {
  const {
    name,
    preprocessing,
    provider = "cpu",
    clock,
    maxCacheBytes = cacheLimit(),
    cacheFolder: root = cacheFolder("features"),
  } = options;
  const hash = createHash("sha256");
  for (const chunk of saveGraph(backbone)) hash.update(chunk);
  const key: { [name: string]: Json } = {
    sha256: hash.digest("hex"),
    preprocessing: { ...preprocessing },
    view: "clean",
    runtime: `onnxruntime ${runtimeVersion()} ${provider} ${process.platform}-${process.arch}`,
    decoder: decoderVersion(),
  };
  return FeatureStore.open({ root, key, label: name, width, maxBytes: maxCacheBytes, now: clock() });
}
