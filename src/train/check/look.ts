/** The checks of a run: what they find becomes warnings, or ends it. */
import { type DatasetReport, duplicateClusters } from "../../data/check/dataset-report.ts";
import type { Dataset } from "../../data/sample.ts";
import type { FineTuneOptions } from "../options.ts";
import { checkData, sentence } from "./check-data.ts";
import { type CheckedFeatures, checkFeatureSet, type FeatureFindings } from "./check-features.ts";

/** Looks at the images, unless that was not wanted. */
export async function lookAt<D extends Dataset>(
  data: D,
  { check = true, allowLeaks, signal, onProgress }: FineTuneOptions,
): Promise<{ readonly data: D; readonly report?: DatasetReport }> {
  if (!check) return { data };
  const { warnings, ...checked } = await checkData(data, {
    allowLeaks,
    signal,
    onProgress: (done, total) => onProgress?.({ kind: "check", done, total }),
  });
  for (const text of warnings) onProgress?.({ kind: "warning", text });
  return checked;
}

/** Checks the features too, and says what was found. */
export async function lookCloser(
  features: Omit<CheckedFeatures, "clusters">,
  report: DatasetReport,
  { cache, cacheFolder, maxCacheBytes, threads, provider, signal, onProgress }: FineTuneOptions,
): Promise<FeatureFindings["findings"]> {
  const clusters = duplicateClusters(report);
  const options = { cache, cacheFolder, maxCacheBytes, threads, provider, signal };
  const { findings } = await checkFeatureSet({ ...features, clusters }, options);
  for (const finding of findings)
    if (finding.severity !== "info") onProgress?.({ kind: "warning", text: sentence(finding) });
  return findings;
}
