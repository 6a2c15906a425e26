/** What checking a dataset with a model returns: plain records that become text, JSON and a page. */
import type { Finding, ReportedFile } from "../../data/check/dataset-report.ts";
import type { Sample } from "../../data/sample.ts";

/** What was found; a stable word that programs may compare. */
export type FeatureFindingKind = "distribution-shift" | "class-mix" | "pretraining-shift" | "label-error";

/** A number that was measured, and the value beyond which it is a finding. */
export interface Measured {
  readonly name: string;
  readonly value: number;
  readonly threshold?: number | undefined;
}

/** One thing that was found in a network's features; JSON-safe. */
export interface FeatureFinding extends Pick<Finding, "severity" | "message" | "advice" | "files"> {
  readonly kind: FeatureFindingKind;
  readonly measured: readonly Measured[];
}

/** What one of the checks says: what it found, what it measured in any case, and what it could not tell. */
export interface FeatureCheck {
  readonly findings: readonly FeatureFinding[];
  /** The statistics with their thresholds, whether they are findings or not. */
  readonly measured: readonly Measured[];
  /** What could not be told and why, in sentences. */
  readonly untold: readonly string[];
}

/** A sample as findings name it. */
export function reported({ path, file }: Sample, detail: string): ReportedFile {
  return { path, file, detail };
}

/** A share in [0, 1] as a percentage. */
export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** A check that only says why it could not be made. */
export function untold(reason: string): FeatureCheck {
  return { findings: [], measured: [], untold: [reason] };
}
