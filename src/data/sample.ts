/** A labelled image file, and a dataset of them: plain records that everything above this folder reads. */

/** What a sample is used for. */
export type Split = "train" | "validation" | "test";

/**
 * What a network learns to tell of an image. @see Sample.target
 * - single-label: exactly one of the classes; with two classes this is the binary case.
 * - multi-label: any number of the classes, also none.
 * - regression: one number for each of the named targets.
 */
export type Task = "single-label" | "multi-label" | "regression";

/** One image file with what is known of it. */
export interface Sample {
  /** Path that can be opened, for a folder its root joined with `path`; with `content` a name to show. */
  readonly file: string;
  /** The encoded image, where it is in memory and not in a file. @see sourceOf */
  readonly content?: Uint8Array | undefined;
  /** Path relative to the folder of the images, separated by "/", with the characters as the file system has them. */
  readonly path: string;
  /**
   * Single-label: one index into the dataset's `classes`. Multi-label: the indices of the classes that are there,
   * ascending. Regression: the values, one for each of the dataset's `classes`.
   */
  readonly target: readonly number[];
  readonly split: Split;
  /** Hash of the file's content, 64 hexadecimal digits. */
  readonly sha256: string;
  /** Size of the file in bytes. */
  readonly bytes: number;
  /** Images of one group (a patient, a video, a burst) are in one split. */
  readonly group?: string | undefined;
  /** How much the image counts in training, above 0; 1 where it is not given. */
  readonly weight?: number | undefined;
}

/** A file that is not used, and why; the reason reads on from the file's name. */
export interface Skipped {
  readonly file: string;
  readonly reason: string;
}

/**
 * Where the split came from.
 * - "folders": the names of folders; "column": the table, or the items in memory; "saved": the record of another run.
 * - a seeded draw of `fraction` of all images for validation, and of `test` of them for testing.
 * - a seeded deal into `folds`, of which number `fold`, from 0, is for validation.
 */
export type SplitSource =
  | "folders"
  | "column"
  | "saved"
  | { readonly seed: number; readonly fraction: number; readonly test?: number | undefined }
  | { readonly seed: number; readonly folds: number; readonly fold: number };

/** Labelled images, each in one split. */
export interface Dataset {
  /** The folder or the table, as given. */
  readonly root: string;
  readonly task: Task;
  /** Class names, sorted by UTF-16 code units unless they were given; for regression the names of the targets. */
  readonly classes: readonly string[];
  /** Sorted by `path`. */
  readonly samples: readonly Sample[];
  /** Files that look as if they were meant to be used, but cannot be. */
  readonly skipped: readonly Skipped[];
  /** What a careful person would want to know: ignored files, empty folders, duplicates. One sentence each. */
  readonly notes: readonly string[];
  readonly splitSource: SplitSource;
}

/** The JSON-safe record of a dataset that goes into a run's folder: relative paths only. */
export interface Manifest {
  readonly version: 2;
  readonly task: Task;
  readonly classes: readonly string[];
  readonly splitSource: SplitSource;
  readonly samples: readonly Pick<Sample, "path" | "target" | "split" | "sha256" | "group" | "weight">[];
}

/** An encoded image to decode: the path of its file, or its bytes. */
export type ImageSource = string | Uint8Array;

/** Returns what to decode for a sample. */
export function sourceOf({ file, content }: Pick<Sample, "file" | "content">): ImageSource {
  return content ?? file;
}

/** Returns how messages name an encoded image: the path of its file, where it has one. */
export function nameOfSource(source: ImageSource): string {
  return typeof source === "string" ? source : "an image in memory";
}

/** Returns the samples of one split, in the dataset's order. */
export function bySplit(dataset: Dataset, split: Split): readonly Sample[] {
  return dataset.samples.filter((sample) => sample.split === split);
}

/** Returns the class index of each sample of a single-label dataset. */
export function labelsOf(samples: readonly Sample[]): Int32Array {
  return Int32Array.from(samples, ({ target }) => target[0]!);
}

/** Returns which file was used for what, by content: enough to check later that a dataset is unchanged. */
export function manifest({ task, classes, splitSource, samples }: Dataset): Manifest {
  return {
    version: 2,
    task,
    classes,
    splitSource,
    samples: samples.map(({ path, target, split, sha256, group, weight }) => ({
      path,
      target,
      split,
      sha256,
      ...(group === undefined ? {} : { group }),
      ...(weight === undefined ? {} : { weight }),
    })),
  };
}
