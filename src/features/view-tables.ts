/** The features of each view of the images, from the cache on disk and as they are computed. */
import { createHash } from "node:crypto";
import type { ViewRecipe } from "../data/decode-task.ts";
import { decoderVersion } from "../data/decoder-version.ts";
import { messageOf } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { saveGraph } from "../graph/save.ts";
import type { Json } from "../json.ts";
import type { Provider } from "../runtime/providers.ts";
import { runtimeVersion } from "../runtime/session.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import { cacheFolder, cacheLimit } from "../weights/cache-folder.ts";
import { FeatureStore } from "./store.ts";

/** Which random views of the training samples to compute. */
export interface ViewOptions extends ViewRecipe {
  /** Views of each sample, from 1; features of earlier calls with fewer views are used again. */
  readonly count: number;
}

export interface TableOptions {
  /** Name of the model, by which people find its entry in the cache. */
  readonly name: string;
  readonly preprocessing: Preprocessing;
  /** Random views of the training samples, beside their clean images; other samples have none. @default undefined, none */
  readonly views?: ViewOptions | undefined;
  /** Whether to read and write the cache on disk. @default true */
  readonly cache?: boolean | undefined;
  /** Folder of the caches. @default the platform's cache folder, or ROOTSTOCK_CACHE */
  readonly cacheFolder?: string | undefined;
  /** Size limit of all caches together, in bytes. @default cacheLimit() */
  readonly maxCacheBytes?: number | undefined;
  /** Where the network runs. @default "cpu" */
  readonly provider?: Provider | undefined;
  readonly onWarning?: ((text: string) => void) | undefined;
  /** Time in milliseconds since 1970: decides when features are written out, and which old ones are dropped first. */
  readonly clock: () => number;
}

/** The features of one view by the hash of the file: those in the cache and those computed since. */
export interface FeatureTable {
  get(sha256: string): Float32Array | undefined;
  put(sha256: string, row: Float32Array): void;
  flush(): Promise<void>;
}

/**
 * Opens the table of each view: 0 for the clean images, then the random ones. Each has a cache of its own, so that more
 * views later are computed beside those that are there. A cache that cannot be used is one warning, not an error.
 */
export async function openTables(
  backbone: Graph,
  width: number,
  options: TableOptions,
): Promise<readonly FeatureTable[]> {
  const { cache = true, views, onWarning } = options;
  const hash = createHash("sha256");
  if (cache) for (const chunk of saveGraph(backbone)) hash.update(chunk);
  const sha256 = cache ? hash.digest("hex") : "";
  const tables: FeatureTable[] = [];
  let usable = cache;
  const withoutCache = (error: unknown): undefined => {
    if (usable) onWarning?.(messageOf(error)); // once for all views
    usable = false;
  };
  for (let view = 0; view <= (views?.count ?? 0); view++) {
    const store = usable ? await openStore(sha256, width, view, options).catch(withoutCache) : undefined;
    const rows = new Map<string, Float32Array>();
    tables.push({
      get: (key) => store?.get(key) ?? rows.get(key),
      put: (key, row) => (store ? store.put(key, row) : void rows.set(key, row)),
      flush: async () => {
        if (usable) await store?.flush().catch(withoutCache);
      },
    });
  }
  return tables;
}

function openStore(sha256: string, width: number, view: number, options: TableOptions): Promise<FeatureStore> {
  const {
    name,
    preprocessing,
    views,
    provider = "cpu",
    clock,
    maxCacheBytes = cacheLimit(),
    cacheFolder: root = cacheFolder("features"),
  } = options;
  const key: { [name: string]: Json } = {
    sha256,
    preprocessing: { ...preprocessing },
    view: view === 0 || !views ? "clean" : { number: view, seed: views.seed, augmentation: asJson(views.augmentation) },
    runtime: `onnxruntime ${runtimeVersion()} ${provider} ${process.platform}-${process.arch}`,
    decoder: decoderVersion(),
  };
  return FeatureStore.open({ root, key, label: name, width, maxBytes: maxCacheBytes, now: clock() });
}

/** A record that is JSON-safe by its type's promise, without its undefined properties. */
function asJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json; // what JSON.parse returns is Json
}
