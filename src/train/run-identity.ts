/** What decides the result of a run besides its images: an interrupted run goes on only where all of it is the same. */
import { createHash } from "node:crypto";
import { type Dataset, manifest } from "../data/sample.ts";
import type { Graph } from "../graph/graph.ts";
import { saveGraph } from "../graph/save.ts";
import type { Model } from "../models/model.ts";
import type { RunPlan } from "./run-plan.ts";

/** The record of a fine-tuning run; JSON-safe. */
export function identityOf(base: Model, { cut, recipe, phases, augment, backbone }: RunPlan): object {
  return {
    model: { name: base.name, sha256: graphHash(backbone) },
    cut: cut.value,
    preprocessing: base.requirePreprocessing(),
    recipe,
    augmentation: phases.find((phase) => phase.augment.augmentation)?.augment.augmentation,
    views: augment.views,
    phases: phases.map((phase) => ({ unfreeze: phase.unfreeze, views: phase.augment.views })),
  };
}

/** SHA-256 of a graph with its weights, as its file has them. */
export function graphHash(graph: Graph): string {
  const hash = createHash("sha256");
  for (const chunk of saveGraph(graph)) hash.update(chunk);
  return hash.digest("hex");
}

/** A hash of everything that decides a run's result; images count by content and not by name. */
export function runHash(identity: object, data: Dataset): string {
  const { task, classes, samples } = manifest(data);
  const contents = samples.map(({ path: _, ...rest }) => rest);
  return createHash("sha256")
    .update(JSON.stringify([identity, task, classes, contents]))
    .digest("hex");
}
