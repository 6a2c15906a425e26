/** What checking a dataset returns: plain records that become text, JSON and a page. */
import type { Split, Task } from "../sample.ts";

/** How bad a finding is: an error makes results wrong or loses data; a warning may; an info is good to know. */
export type Severity = "error" | "warning" | "info";

/** What was found; a stable word that programs may compare. */
export type FindingKind =
  // files
  | "empty-file"
  | "not-an-image"
  | "unsupported-format"
  | "truncated"
  | "damaged"
  | "too-large"
  | "unreadable"
  | "other-file"
  | "stray-image"
  | "row-skipped"
  | "wrong-extension"
  | "exif-rotation"
  | "converted-colors"
  | "transparency"
  | "animation"
  | "decomposed-name"
  | "hidden"
  | "subfolders"
  | "folder-names"
  // copies
  | "leak"
  | "group-leak"
  | "label-conflict"
  | "duplicates"
  | "similar-across-splits"
  | "similar"
  // classes and targets
  | "one-class"
  | "empty-class"
  | "one-image-class"
  | "few-images"
  | "missing-from-split"
  | "untrained-class"
  | "class-names-differ"
  | "class-names-alike"
  | "imbalance"
  | "unlabelled"
  | "always-present"
  | "constant-target"
  | "outlying-target"
  // looks
  | "tiny"
  | "huge"
  | "odd-aspect"
  | "blank"
  | "few-levels"
  | "dark"
  | "bright"
  | "blurred"
  // found in features, by what needs a model
  | "distribution-shift"
  | "class-mix"
  | "pretraining-shift"
  | "label-error"
  // what the reader of the dataset said
  | "note";

/** A file of a finding. */
export interface ReportedFile {
  /** Relative to the dataset's folder, separated by "/". */
  readonly path: string;
  /** Path that can be opened, as far as the root that was given can be. */
  readonly file: string;
  /** What is to be said about this file alone: its class, its problem, a number. */
  readonly detail?: string | undefined;
}

/** One thing that was found, with all its files. */
export interface Finding {
  readonly kind: FindingKind;
  readonly severity: Severity;
  /** One sentence. */
  readonly message: string;
  /** What to do about it, in a sentence or two; empty where nothing needs to be done. */
  readonly advice: string;
  readonly files: readonly ReportedFile[];
  /** The same files where some belong together: the copies of one picture. */
  readonly groups?: readonly (readonly ReportedFile[])[] | undefined;
  /** Openable paths of those files that a list of files to remove should have. */
  readonly quarantine?: readonly string[] | undefined;
}

/** Pictures that are one picture. */
export interface DuplicateCluster {
  /** Indices into the dataset's samples, ascending, at least two. */
  readonly samples: readonly number[];
  /** "exact": equal files. "near": saved anew, resized, mirrored or turned. */
  readonly kind: "exact" | "near";
}

/** Number of images of a class, or with a label, in each split. */
export type ClassCount = { readonly name: string } & Readonly<Record<Split, number>>;

/** The outcome of a check; JSON-safe. */
export interface DatasetReport {
  readonly version: 1;
  /** The folder or the table, as given. */
  readonly root: string;
  readonly task: Task;
  /** Number of labelled images, and how many of them cannot be decoded. */
  readonly images: number;
  readonly undecodable: number;
  readonly splits: Readonly<Record<Split, number>>;
  /** For regression empty. */
  readonly classes: readonly ClassCount[];
  /** Number of images of each format. */
  readonly formats: Readonly<Record<string, number>>;
  /** Shorter and longer sides of the median picture, in pixels; absent without pictures. */
  readonly medianSize?: { readonly shorter: number; readonly longer: number } | undefined;
  /** Errors first, then warnings, then infos. */
  readonly findings: readonly Finding[];
  readonly clusters: readonly DuplicateCluster[];
}

const ORDER: readonly Severity[] = ["error", "warning", "info"];

/** Returns the findings with errors first; those of one severity keep their order. */
export function bySeverity(findings: readonly Finding[]): readonly Finding[] {
  return ORDER.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
}

/** Returns a report with more findings, such as those that need a model. */
export function withFindings(report: DatasetReport, findings: readonly Finding[]): DatasetReport {
  return { ...report, findings: bySeverity([...report.findings, ...findings]) };
}

/** Returns the findings of pictures, or of groups, that are in more than one split: a score on them means nothing. */
export function leaksOf({ findings }: DatasetReport): readonly Finding[] {
  return findings.filter(({ kind }) => kind === "leak" || kind === "group-leak");
}

/** Returns lists of indices into the samples whose pictures are one and belong into one split. */
export function duplicateClusters({ clusters }: DatasetReport): readonly (readonly number[])[] {
  return clusters.map(({ samples }) => samples);
}

/** Returns the openable paths of the files that are better removed, sorted, each once. */
export function quarantineOf({ findings }: DatasetReport): readonly string[] {
  return [...new Set(findings.flatMap(({ quarantine = [] }) => quarantine))].sort();
}
