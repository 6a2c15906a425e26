/** `rootstock check`: everything odd about a dataset, before it costs an afternoon. */
import { existsSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { checkDataset } from "../../data/check/check-dataset.ts";
import {
  type DatasetReport,
  duplicateClusters,
  type Finding,
  quarantineOf,
  type Severity,
  withFindings,
} from "../../data/check/dataset-report.ts";
import { openDataset } from "../../data/open-dataset.ts";
import type { Dataset } from "../../data/sample.ts";
import { printable } from "../../graph/printable.ts";
import { checkPage, summaryOf } from "../../report/check-page.ts";
import { checkFeatures, type FeatureFindings } from "../../train/check/check-features.ts";
import { writeAtomically } from "../../weights/files.ts";
import { UsageError } from "../arguments.ts";
import { command } from "../command.ts";
import { dataOptions, datasetOptions } from "../data-options.ts";
import { MODEL_FORMS, modelOptions, type OpenModelOptions, openModel } from "../open-model.ts";
import { type Output, table } from "../output.ts";

/** Files, or groups of copies, shown by name for each finding. */
const SHOWN = 5;
/** Names shown of one group of copies. */
const SHOWN_COPIES = 4;
/** Classes shown in the table. */
const SHOWN_CLASSES = 20;

export const check = command({
  summary:
    "Check a dataset: files that cannot be read, copies within and across classes and splits, classes, and pictures that show nothing. No file of it is changed. Exit code 1 if there is an error, 0 with warnings only.",
  usage: "check <data> [options]",
  options: {
    val: {
      kind: "text",
      value: "<path>",
      help: "validation images that stand elsewhere: a folder of classes, or a table",
    },
    model: {
      kind: "text",
      value: "<model>",
      help: `look at the images as this network sees them, too: how far they are from what it was pretrained on, train from validation, and likely label errors (${MODEL_FORMS})`,
    },
    html: { kind: "text", value: "<file>", help: "write a page with the pictures of each finding" },
    "quarantine-list": {
      kind: "text",
      value: "<file>",
      help: "write the paths of files that are better removed, one a line; nothing is removed",
    },
    threads: {
      kind: "number",
      value: "<n>",
      min: 0,
      max: 256,
      whole: true,
      help: "decoding threads (default: the processor's cores, at most 8)",
    },
    "no-cache": { kind: "flag", help: "with --model: compute features anew and keep none" },
    ...dataOptions,
    ...modelOptions,
  },
  examples: [
    ["rootstock check photos", "what is odd, the worst first"],
    ["rootstock check photos --model mobilenetv2.onnx", "likely label errors and shifts, too"],
    ["rootstock check photos --html check.html", "the same with pictures, to look at in a browser"],
    ["rootstock check photos --quarantine-list remove.txt --json", "for another program"],
  ],
  async run({ positionals, options, output, signal }) {
    const [root, ...more] = positionals;
    if (root === undefined || more.length > 0)
      throw new UsageError(
        `check requires one dataset, got ${positionals.length === 0 ? "none" : positionals.join(" ")}.`,
      );
    for (const name of ["html", "quarantine-list"] as const) refuseToOverwrite(root, name, options[name]);
    const reading = { ...datasetOptions(options), validation: options.val, signal };
    // Without validation data of their own, nothing is drawn, and also what train would refuse is read.
    const dataset = await openDataset(root, { ...reading, purpose: options.val === undefined ? "evaluate" : "train" });
    const files = await checked(dataset, options.threads, output, signal);
    const features =
      options.model === undefined
        ? undefined
        : await closer(options.model, files, { dataset, options, output, signal });
    const report = features === undefined ? files : withFindings(files, features.findings);
    printReport(report, output);
    for (const text of features?.untold ?? []) output.note(printable(text));
    if (options.html !== undefined) {
      await writeText(options.html, await checkPage(report, dataset));
      output.note(`page      ${options.html}`);
    }
    const list = options["quarantine-list"];
    if (list !== undefined) {
      const paths = quarantineOf(report);
      await writeText(list, paths.map((path) => `${onOneLine(path)}\n`).join(""));
      output.note(`list      ${list} (${paths.length} files)`);
    }
    return {
      json: features === undefined ? report : { ...report, features },
      failed: report.findings.some(({ severity }) => severity === "error"),
    };
  },
});

async function checked(
  dataset: Dataset,
  threads: number | undefined,
  output: Output,
  signal: AbortSignal,
): Promise<DatasetReport> {
  const progress = output.progress("checking", "img");
  try {
    return await checkDataset(dataset, { threads, signal, onProgress: (done, total) => progress.update(done, total) });
  } finally {
    progress.end();
  }
}

interface Closer {
  readonly dataset: Dataset;
  readonly options: OpenModelOptions["options"] & {
    readonly threads?: number | undefined;
    readonly "no-cache"?: boolean | undefined;
  };
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** Looks at the images through a network. */
async function closer(
  name: string,
  report: DatasetReport,
  { dataset, options, output, signal }: Closer,
): Promise<FeatureFindings> {
  await using model = await openModel(name, { options, output, signal });
  const progress = output.progress("features", "img");
  try {
    return await checkFeatures(model, dataset, {
      clusters: duplicateClusters(report),
      cache: options["no-cache"] !== true,
      signal,
      onProgress: (done, total) => progress.update(done, total),
    });
  } finally {
    progress.end();
  }
}

/** @throws UsageError where a file of the dataset would be replaced. */
function refuseToOverwrite(root: string, option: string, path: string | undefined): void {
  if (path === undefined || !existsSync(path)) return;
  const inside = relative(resolve(root), resolve(path));
  if (inside === "" || !(inside === ".." || inside.startsWith(`..${sep}`)))
    throw new UsageError(
      `--${option} requires a file outside of ${root}, or a new one, got ${path}, which exists there.`,
    );
}

async function writeText(path: string, text: string): Promise<void> {
  await writeAtomically(path, [Buffer.from(text)]);
}

/** A path with a line break in it is written as a JSON string, so that each line is one path. */
function onOneLine(path: string): string {
  return /[\r\n]/.test(path) ? JSON.stringify(path) : path;
}

const HEADINGS: Readonly<Record<Severity, string>> = { error: "Errors", warning: "Warnings", info: "Good to know" };

/** Prints a report for people: counts, then the findings, the worst first. */
export function printReport(report: DatasetReport, output: Output): void {
  output.result(printable(`${report.root}  ${summaryOf(report)}`));
  printClasses(report, output);
  for (const severity of ["error", "warning", "info"] as const) {
    const those = report.findings.filter((finding) => finding.severity === severity);
    if (those.length === 0) continue;
    output.result();
    output.result(output.color.bold(HEADINGS[severity]));
    for (const finding of those) printFinding(finding, output);
  }
  if (report.findings.length === 0) output.result("Nothing was found.");
}

function printClasses({ classes }: DatasetReport, output: Output): void {
  if (classes.length === 0) return;
  const splits = (["train", "validation", "test"] as const).filter((split) =>
    classes.some((entry) => entry[split] > 0),
  );
  const rows = classes
    .slice(0, SHOWN_CLASSES)
    .map((entry) => [`  ${printable(entry.name)}`, ...splits.map((split) => String(entry[split]))]);
  for (const line of table([["", ...splits], ...rows])) output.result(line);
  if (classes.length > SHOWN_CLASSES) output.result(`  and ${classes.length - SHOWN_CLASSES} more`);
}

function printFinding({ kind, severity, message, advice, files, groups }: Finding, output: Output): void {
  const { color } = output;
  const paint = severity === "error" ? color.red : severity === "warning" ? color.yellow : color.dim;
  output.result(`  ${printable(message)} ${paint(`[${kind}]`)}`);
  const all = groups ?? files.map((file) => [file]);
  for (const members of all.slice(0, SHOWN)) {
    const rest = members.length - SHOWN_COPIES;
    const shown = members.slice(0, SHOWN_COPIES).map(({ path, detail }) => (detail ? `${path} (${detail})` : path));
    output.result(printable(`      ${[...shown, ...(rest > 0 ? [`${rest} more`] : [])].join(" = ")}`));
  }
  if (all.length > SHOWN) output.result(`      and ${all.length - SHOWN} more (--json has all)`);
  if (advice !== "") output.result(`    ${color.dim(advice)}`);
}
