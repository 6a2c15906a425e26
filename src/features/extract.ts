/** Runs the frozen part of a network once per image, or once per view, and remembers the results on disk. */
import { ImageLoader, suggestThreads } from "../data/loader.ts";
import { type Sample, sourceOf } from "../data/sample.ts";
import { RootstockError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { runImages } from "../models/run-images.ts";
import { Session } from "../runtime/session.ts";
import type { RowViews } from "./rows.ts";
import { type FeatureTable, openTables, type TableOptions, type ViewOptions } from "./view-tables.ts";

/** Milliseconds of work that a crash may cost. */
const FLUSH_MS = 2000;

export interface ExtractOptions extends TableOptions {
  /** Threads for inference and for decoding. @default the number of cores */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each image that had to be computed, each view counted. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Features of a list of samples. */
export interface FeatureSet {
  /** [n, width] row-major, one row per usable sample, in the order given; a feature map is one row in its own order. */
  readonly features: Float32Array;
  /** The samples that the rows belong to: those whose image could be decoded. */
  readonly samples: readonly Sample[];
  readonly failed: readonly { readonly sample: Sample; readonly error: string }[];
  /** The rows of the random views, where `views` was given: for `memoryRows`. */
  readonly views?: RowViews | undefined;
  /** How many samples were computed from the cache alone. */
  readonly fromCache: number;
}

/**
 * Computes the features of samples with a graph whose output is [batch, ...sizes].
 * What was computed before an abort or a crash is in the cache when the call is made again. A cache that cannot be
 * read or written is a warning, not an error: the features are computed all the same. A file is decoded once for all
 * views that are missing.
 * @throws RootstockError ABORTED through `signal`; BAD_CONFIG if the number of views is not a whole number from 1 to 1000.
 */
export async function extractFeatures(
  backbone: Graph,
  samples: readonly Sample[],
  options: ExtractOptions,
): Promise<FeatureSet> {
  const { views } = options;
  if (views && !(Number.isInteger(views.count) && views.count >= 1 && views.count <= 1000)) {
    throw new RootstockError("BAD_CONFIG", `views require a count from 1 to 1000, got ${views.count}.`);
  }
  const width = rowWidth(backbone);
  const tables = await openTables(backbone, width, options);
  const wanted = viewsOf(samples, views?.count ?? 0);
  const missingOf = (sha256: string): number[] => wanted.get(sha256)!.filter((view) => !tables[view]!.get(sha256));
  const fromCache = samples.filter(({ sha256 }) => missingOf(sha256).length === 0).length;
  // Equal files have equal features: each content is computed once.
  const contents = new Map(samples.map((sample) => [sample.sha256, sample]));
  const missing = [...contents.values()].flatMap((sample) => {
    const numbers = missingOf(sample.sha256);
    return numbers.length > 0 ? [{ sample, numbers }] : [];
  });
  const errors = missing.length > 0 ? await compute(backbone, missing, tables, options) : new Map<string, string>();
  const usable = samples.filter(({ sha256 }) => missingOf(sha256).length === 0);
  const features = new Float32Array(usable.length * width);
  for (const [i, { sha256 }] of usable.entries()) features.set(tables[0]!.get(sha256)!, i * width);
  const failed = samples
    .filter(({ sha256 }) => errors.has(sha256))
    .map((sample) => ({ sample, error: errors.get(sample.sha256)! }));
  const set = { features, samples: usable, failed, fromCache };
  return views ? { ...set, views: viewRows(usable, width, tables, views) } : set;
}

/** The views that each content needs: random ones only where one of the samples is for training. */
function viewsOf(samples: readonly Sample[], count: number): ReadonlyMap<string, readonly number[]> {
  const clean = [0];
  const all = Array.from({ length: count + 1 }, (_, view) => view);
  const wanted = new Map<string, readonly number[]>();
  for (const { sha256, split } of samples) {
    if (split === "train") wanted.set(sha256, all);
    else if (!wanted.has(sha256)) wanted.set(sha256, clean);
  }
  return wanted;
}

interface Missing {
  readonly sample: Sample;
  /** The views that are not in the cache. */
  readonly numbers: readonly number[];
}

/** Computes what is missing into the tables. Returns why, by hash, for files that could not be used. */
async function compute(
  backbone: Graph,
  missing: readonly Missing[],
  tables: readonly FeatureTable[],
  { preprocessing, views, threads, provider, signal, onProgress, clock }: ExtractOptions,
): Promise<ReadonlyMap<string, string>> {
  const errors = new Map<string, string>();
  const total = missing.reduce((sum, { numbers }) => sum + numbers.length, 0);
  const flush = async (): Promise<void> => {
    for (const table of tables) await table.flush();
  };
  await using session = await Session.create(backbone, { threads, provider, spinning: false });
  const loader = new ImageLoader({ threads: suggestThreads(missing.length) });
  try {
    let done = 0;
    let flushed = clock();
    const files = missing.map(({ sample }) => sourceOf(sample));
    const sha256 = missing.map(({ sample }) => sample.sha256);
    const numbers = views && { ...views, views: missing.map((entry) => entry.numbers) };
    for await (const result of runImages(session, files, { loader, preprocessing, signal, sha256, views: numbers })) {
      const entry = missing[result.index]!;
      if ("error" in result) {
        errors.set(entry.sample.sha256, result.error);
        done += entry.numbers.length - 1;
      } else {
        checkRow(result.row, entry.sample.file);
        tables[result.view ?? 0]!.put(entry.sample.sha256, result.row);
        if (clock() - flushed > FLUSH_MS) {
          await flush();
          flushed = clock();
        }
      }
      onProgress?.(++done, total);
    }
  } finally {
    await flush();
    await loader.close();
  }
  return errors;
}

/** Lays the rows of the random views out in the order of the samples. */
function viewRows(
  samples: readonly Sample[],
  width: number,
  tables: readonly FeatureTable[],
  { count, seed }: ViewOptions,
): RowViews {
  let used = 0;
  const places = Int32Array.from(samples, ({ split }) => (split === "train" ? used++ : -1));
  const values = new Float32Array(used * count * width);
  for (const [i, { sha256 }] of samples.entries()) {
    if (places[i]! < 0) continue;
    for (let view = 1; view <= count; view++)
      values.set(tables[view]!.get(sha256)!, (places[i]! * count + view - 1) * width);
  }
  return { values, places, count, seed };
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
