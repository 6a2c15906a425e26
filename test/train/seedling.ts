/** What is there before the first phase of a run, for tests of single phases: a head of zeros instead of the probe. */
import type { Dataset } from "../../src/data/sample.ts";
import { linearHead } from "../../src/models/head.ts";
import type { Model } from "../../src/models/model.ts";
import { viewsOf } from "../../src/train/augment-plan.ts";
import { featureRows } from "../../src/train/data-rows.ts";
import type { Seedling } from "../../src/train/grow.ts";
import type { FineTuneOptions } from "../../src/train/options.ts";
import { planRun, type RunPlan } from "../../src/train/run-plan.ts";
import { measureHeadScale } from "../../src/train/train-head.ts";

/** A run that is planned, with the features of the frozen network. */
export interface Planted {
  readonly plan: RunPlan;
  readonly seedling: Seedling;
}

export async function plant(model: Model, data: Dataset, options: FineTuneOptions): Promise<Planted> {
  const plan = planRun(model, data, options);
  const { backbone, cut, recipe, augment } = plan;
  const preprocessing = model.requirePreprocessing();
  const features = await featureRows(backbone, data, {
    ...viewsOf(augment, recipe.seed),
    preprocessing,
    name: model.name,
    cache: false,
    clock: () => 0,
  });
  const head = linearHead({ width: cut.width, numClasses: data.classes.length });
  const scale = measureHeadScale(features.split("train"));
  return { plan, seedling: { name: model.name, preprocessing, backbone, head, scale, features, data } };
}
