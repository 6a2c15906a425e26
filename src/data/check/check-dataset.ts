/** A dataset -> everything odd about it, in one pass over its files. */
import { join, relative, sep } from "node:path";
import { duplicateNotes, lookalikeNotes, splitNotes } from "../dataset-notes.ts";
import { type Dataset, sourceOf } from "../sample.ts";
import { classCounts, classFindings, labelFindings, targetFindings } from "./class-findings.ts";
import { bySeverity, type DatasetReport, type Finding } from "./dataset-report.ts";
import { duplicateFindings, findAlike } from "./duplicate-findings.ts";
import { defectFindings, headerFindings, type ScannedFile } from "./file-findings.ts";
import { folderFindings } from "./folder-findings.ts";
import { lookFindings } from "./look-findings.ts";
import type { Scanned } from "./scan-file.ts";
import { type ScanOptions, scanFiles } from "./scan-files.ts";

/** How a dataset is checked. */
export interface CheckOptions extends ScanOptions {}

/**
 * Reads, decodes and compares all files of a dataset, and returns what is odd about them.
 *
 * Every file is decoded once, small, in worker threads; files with equal content once altogether. About 1.3 kB are kept
 * of each. The findings that need a model (distribution, label errors) are made elsewhere and added by `withFindings`.
 * Nothing is written, and nothing is thrown for odd data.
 * @throws RootstockError ABORTED.
 */
export async function checkDataset(dataset: Dataset, options: CheckOptions = {}): Promise<DatasetReport> {
  const { samples, skipped } = dataset;
  const folders = await folderFindings(dataset);
  const { ofSamples, ofSkipped } = await scanAll(dataset, options);
  const files: ScannedFile[] = [
    ...samples.map(({ path, file }, i) => ({ path, file, scanned: ofSamples[i]! })),
    ...skipped.map(({ file, reason }, i) => ({
      path: within(dataset, file),
      file,
      scanned: ofSkipped[i]!,
      skipped: reason,
    })),
  ];
  const pictures = ofSamples.flatMap((scanned) => ("defect" in scanned ? [] : [scanned.facts]));
  const alike = await findAlike(dataset, ofSamples);
  const findings: Finding[] = [
    ...duplicateFindings(dataset, alike),
    ...defectFindings(files),
    ...(dataset.task === "regression" ? targetFindings(dataset) : classFindings(dataset, folders.empty)),
    ...labelFindings(dataset),
    ...lookFindings(files),
    ...headerFindings(files),
    ...folders.findings,
    ...noteFindings(dataset),
  ];
  const formats = countBy(pictures.map(({ format }) => format));
  return {
    version: 1,
    root: dataset.root,
    task: dataset.task,
    images: samples.length,
    undecodable: samples.length - pictures.length,
    splits: { train: 0, validation: 0, test: 0, ...countBy(samples.map(({ split }) => split)) },
    classes: classCounts(dataset),
    formats,
    ...(pictures.length === 0
      ? {}
      : {
          medianSize: {
            shorter: median(pictures.map(({ width, height }) => Math.min(width, height))),
            longer: median(pictures.map(({ width, height }) => Math.max(width, height))),
          },
        }),
    findings: bySeverity(findings),
    clusters: alike.clusters,
  };
}

/** What the reader of a table or a list noted, but for what is found here, and with files. */
function noteFindings({ task, classes, samples, notes, root }: Dataset): readonly Finding[] {
  const isTable = samples.some(({ path, file, content }) => content !== undefined || file !== join(root, path));
  if (!isTable) return []; // the notes on folders are findings of their own
  const known = new Set([
    ...splitNotes({ task, classes, samples, drawn: true }),
    ...lookalikeNotes(classes, "copies of one name"),
    ...duplicateNotes(classes, samples, task),
  ]);
  return notes
    .filter((note) => !known.has(note))
    .map((message) => ({ kind: "note", severity: "info", message, advice: "", files: [] }));
}

/** Scans each content once; samples with equal content share what was found. */
async function scanAll({ samples, skipped }: Dataset, options: ScanOptions) {
  const places = new Map<string, number>();
  const sources = samples.flatMap((sample) => {
    if (places.has(sample.sha256)) return [];
    places.set(sample.sha256, places.size);
    return [sourceOf(sample)];
  });
  const scanned = await scanFiles([...sources, ...skipped.map(({ file }) => file)], options);
  const ofSamples = samples.map(({ sha256 }): Scanned => scanned[places.get(sha256)!]!);
  return { ofSamples, ofSkipped: scanned.slice(sources.length) };
}

/** The path of a skipped file as samples have theirs: relative to the dataset's folder, if it is in there. */
function within({ root, samples }: Dataset, file: string): string {
  const first = samples[0];
  const base = first?.file.endsWith(first.path) ? first.file.slice(0, -first.path.length) : root;
  const path = relative(base, file).split(sep).join("/");
  return path === "" || path.startsWith("..") ? file : path;
}

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
