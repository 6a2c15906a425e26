/** A labelled image file, and a dataset of them: plain records that everything above this folder reads. */

/** What a sample is used for. */
export type Split = "train" | "validation" | "test";

/** One image file with its class. */
export interface Sample {
  /** Path that can be opened: the dataset's root, as given, joined with `path`. */
  readonly file: string;
  /** Path relative to the root, separated by "/", with the characters as the file system has them. */
  readonly path: string;
  /** Index into the dataset's `classes`. */
  readonly label: number;
  readonly split: Split;
  /** Hash of the file's content, 64 hexadecimal digits. */
  readonly sha256: string;
  /** Size of the file in bytes. */
  readonly bytes: number;
}

/** A file that is not used, and why; the reason reads on from the file's name. */
export interface Skipped {
  readonly file: string;
  readonly reason: string;
}

/** Where the split came from: the folders' names, or a seeded draw of `fraction` of the training images of each class. */
export type SplitSource = "folders" | { readonly seed: number; readonly fraction: number };

/** Labelled images, each in one split. */
export interface Dataset {
  /** The folder, as given. */
  readonly root: string;
  /** Class names, sorted by UTF-16 code units. */
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
  readonly version: 1;
  readonly classes: readonly string[];
  readonly splitSource: SplitSource;
  readonly samples: readonly Pick<Sample, "path" | "label" | "split" | "sha256">[];
}

/** Returns the samples of one split, in the dataset's order. */
export function bySplit(dataset: Dataset, split: Split): readonly Sample[] {
  return dataset.samples.filter((sample) => sample.split === split);
}

/** Returns the class index of each sample. */
export function labelsOf(samples: readonly Sample[]): Int32Array {
  return Int32Array.from(samples, (sample) => sample.label);
}

/** Returns which file was used for what, by content: enough to check later that a dataset is unchanged. */
export function manifest({ classes, splitSource, samples }: Dataset): Manifest {
  return {
    version: 1,
    classes,
    splitSource,
    samples: samples.map(({ path, label, split, sha256 }) => ({ path, label, split, sha256 })),
  };
}
