/** Checks a dataset with a model: shift between splits, distance from pretraining, and likely label errors. */
import { bySplit, type Dataset } from "../../data/sample.ts";
import { unitsOf } from "../../data/splits/groups.ts";
import { type ExtractOptions, extractFeatures, type FeatureSet } from "../../features/extract.ts";
import { backboneGraph, type Cut, findCut } from "../../models/backbone.ts";
import type { Model } from "../../models/model.ts";
import { now } from "../run-record.ts";
import { checkLabels } from "./check-labels.ts";
import { checkPretrainingShift } from "./check-pretraining-shift.ts";
import { checkSplitShift } from "./check-split-shift.ts";
import type { FeatureCheck } from "./feature-finding.ts";

export interface CheckFeaturesOptions extends Partial<Omit<ExtractOptions, "views">> {
  /** Where to cut the network. @default before its classifier */
  readonly cut?: string | undefined;
  /** Images that are one picture, as indices into the dataset's samples: the `duplicateClusters` of a check. @default [] */
  readonly clusters?: readonly (readonly number[])[] | undefined;
  /** Seed of the permutations and of the parts that are held out. @default 0 */
  readonly seed?: number | undefined;
}

/** The outcome of checking features; JSON-safe. */
export interface FeatureFindings extends FeatureCheck {
  readonly version: 1;
  /** Name of the model. */
  readonly model: string;
  /** Images whose features were looked at. */
  readonly images: number;
}

/**
 * Checks a dataset in the feature space of a model. Images that are equal files, have the same group, or are one picture
 * by `clusters` count as one where images are compared, and are held out together.
 * @throws RootstockError BAD_MODEL if the model cannot be cut or gives no numbers for an image; BAD_CONFIG for an unknown
 * preprocessing; ABORTED through `signal`.
 */
export async function checkFeatures(
  model: Model,
  data: Dataset,
  { cut: at, clusters = [], seed = 0, ...given }: CheckFeaturesOptions = {},
): Promise<FeatureFindings> {
  const cut = findCut(model.graph, at);
  const options = optionsFor(model, given);
  const set = await extractFeatures(backboneGraph(model.graph, cut), data.samples, options);
  return await checkFeatureSet({ model, cut, set, data, clusters, seed }, given);
}

/** Features that were computed before, and what they were computed of. */
export interface CheckedFeatures {
  readonly model: Model;
  readonly cut: Cut;
  /** Features of the clean images before the classifier. */
  readonly set: FeatureSet;
  readonly data: Dataset;
  readonly clusters: readonly (readonly number[])[];
  readonly seed: number;
}

/** Checks as `checkFeatures` does, with features that are there already. */
export async function checkFeatureSet(
  { model, cut, set, data, clusters, seed }: CheckedFeatures,
  given: Partial<Omit<ExtractOptions, "views">> = {},
): Promise<FeatureFindings> {
  const options = optionsFor(model, given);
  const pretraining = await checkPretrainingShift({ model, cut, samples: bySplit(data, "train"), options });
  const units = unitsOf(data.samples, clusters);
  const index = new Map(data.samples.map((sample, i) => [sample, units[i]!]));
  const groups = set.samples.map((sample) => index.get(sample)!);
  const checks = [pretraining, checkSplitShift({ set, data, groups, seed }), checkLabels({ set, data, groups, seed })];
  return {
    version: 1,
    model: model.name,
    images: set.samples.length,
    findings: checks.flatMap(({ findings }) => findings),
    measured: checks.flatMap(({ measured }) => measured),
    untold: checks.flatMap(({ untold }) => untold),
  };
}

function optionsFor(model: Model, given: Partial<ExtractOptions>): ExtractOptions {
  return { name: model.name, preprocessing: model.requirePreprocessing(), clock: now, ...given };
}
