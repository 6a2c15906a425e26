/** What `rootstock check` does, before anything is learned from the data: leaks end the run, the rest is said. */

import { checkDataset } from "../../data/check/check-dataset.ts";
import {
  type DatasetReport,
  duplicateClusters,
  type Finding,
  type FindingKind,
  leaksOf,
} from "../../data/check/dataset-report.ts";
import type { Dataset } from "../../data/sample.ts";
import { redrawSplits } from "../../data/splits/assign-splits.ts";
import { listed, RootstockError } from "../../errors.ts";
import { printable } from "../../graph/printable.ts";

export interface CheckDataOptions {
  /** Whether to go on where one picture is in two splits. @default false */
  readonly allowLeaks?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** A dataset that was looked at. */
export interface CheckedData<D extends Dataset> {
  /** With its split drawn again, if it was drawn, so that the copies of a picture are on one side. */
  readonly data: D;
  readonly report: DatasetReport;
  /** What a person should know before training, one sentence or two each. */
  readonly warnings: readonly string[];
}

/** Warnings that the reader of the data has said already. */
const SAID: ReadonlySet<FindingKind> = new Set([
  ...(["empty-file", "not-an-image", "unsupported-format", "unreadable", "other-file", "stray-image"] as const),
  ...(["empty-class", "missing-from-split", "class-names-alike", "hidden", "note"] as const),
  ...(["row-skipped", "untrained-class", "constant-target"] as const),
]);

/**
 * Looks at every image before training.
 * @throws RootstockError BAD_DATA if a picture is in more than one split and `allowLeaks` is not given; ABORTED.
 */
export async function checkData<D extends Dataset>(
  data: D,
  { allowLeaks = false, signal, onProgress }: CheckDataOptions = {},
): Promise<CheckedData<D>> {
  const report = await checkDataset(data, { signal, onProgress });
  const leaks = leaksOf(report);
  if (leaks.length > 0 && !allowLeaks) {
    throw new RootstockError(
      "BAD_DATA",
      `${leaks.map(sentence).join(" ")} Remove one of each, or train all the same with allowLeaks (--allow-leaks). rootstock check ${printable(data.root)} shows them.`,
    );
  }
  const checked = { ...data, ...redrawSplits(data, duplicateClusters(report)) };
  const told = report.findings.filter(
    (finding) => (finding.severity === "warning" || leaks.includes(finding)) && !SAID.has(finding.kind),
  );
  return { data: checked, report, warnings: told.map(sentence) };
}

/** A finding in one line: "2 pictures in more than one split: …: a.jpg = b.jpg." */
export function sentence({ message, files, groups }: Pick<Finding, "message" | "files" | "groups">): string {
  const names = (groups ?? files.map((file) => [file])).map((members) =>
    members.map(({ path }) => printable(path)).join(" = "),
  );
  return names.length === 0 ? message : `${message.replace(/\.$/, "")}: ${listed(names, 2)}.`;
}
