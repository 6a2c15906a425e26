/** What a run will do, decided from the model and the names of the images alone, before anything is computed. */
import { bySplit, type Dataset } from "../data/sample.ts";
import { RootstockError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { backboneGraph, type Cut, findCut } from "../models/backbone.ts";
import { requireBatchNorm } from "../models/batch-norm.ts";
import type { Model } from "../models/model.ts";
import { stagesOf } from "../models/stages.ts";
import { type AugmentPlan, planAugmentation } from "./augment-plan.ts";
import { checkCallbacks } from "./check-callbacks.ts";
import { checkMeasure } from "./epoch-measures.ts";
import { objectiveOf } from "./objective.ts";
import type { FineTuneOptions } from "./options.ts";
import { type Recipe, recipe } from "./recipe.ts";
import { phasesOf } from "./strategy.ts";
import { targetsOf } from "./targets.ts";
import { adaptNote, sizeNote, trainingBackbone, unfreezeNetwork } from "./unfreeze-network.ts";

/** A phase of training. */
export interface PhasePlan {
  /** What is unfrozen: "head", or a form of `unfreeze`. */
  readonly unfreeze: string;
  readonly augment: AugmentPlan;
}

export interface RunPlan {
  readonly cut: Cut;
  readonly recipe: Recipe;
  /** From the image to the features of the head: in the form for training, unless all of it stays frozen. */
  readonly backbone: Graph;
  readonly phases: readonly PhasePlan[];
  /** How the images vary that the features of the head are computed of. */
  readonly augment: AugmentPlan;
  /** For people. */
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
}

const NONE: AugmentPlan = { augmentation: undefined, views: 0, notes: [] };

/**
 * Plans a run.
 * @throws RootstockError BAD_MODEL if the model cannot be cut or cannot train; BAD_CONFIG for an option, or where there is
 * nothing of that name to unfreeze; BAD_DATA for a target that is none of the data's task.
 */
export function planRun(base: Model, data: Dataset, options: FineTuneOptions): RunPlan {
  const cut = findCut(base.graph, options.cut);
  const images = bySplit(data, "train").length;
  const problem = { task: data.task, width: cut.width };
  const asked = phasesOf(options, data);
  const plain = asked.every((unfreeze) => unfreeze === "head") && options.batchNorm !== "adapt";
  const backbone = plain ? backboneGraph(base.graph, cut) : trainingBackbone({ base, cut });
  if (options.batchNorm === "adapt") requireBatchNorm(backbone, "adapt");
  const { batchNorm = "freeze" } = options;
  const wanted = options.strategy === "gradual" ? withoutRepeats(asked, stagesOf(backbone).length) : asked;
  const networks = wanted.map((unfreeze) =>
    unfreeze === "head" ? undefined : unfreezeNetwork(backbone, { unfreeze, batchNorm }),
  );
  const large = networks.map((network) => network && sizeNote(network, images));
  const tooLarge = options.strategy === "auto" && large.some((note) => note !== undefined);
  const kept = tooLarge ? [] : wanted;
  const plan = { ...recipe(options, images, { ...problem, phases: wanted }), phases: kept };
  checkMeasure("monitor", plan.monitor, data.task);
  checkCallbacks(options.callbacks, data.task);
  if (kept.length > 0) objectiveOf(plan, targetsOf(data, bySplit(data, "train")), data.classes.length); // throws
  const frozen = kept.map((_, i) => networks[i] === undefined || networks[i].prefix !== undefined);
  if (options.views !== undefined && kept.length === 0)
    throw new RootstockError(
      "BAD_CONFIG",
      `views requires something that trains, got views ${options.views} and a probe, which sees the clean images. Leave it out.`,
    );
  const phases = kept.map((unfreeze, i): PhasePlan => {
    const given = frozen[i] || !frozen.includes(true) ? options : { ...options, views: undefined };
    return { unfreeze, augment: planAugmentation(given, data, frozen[i]!) };
  });
  const notes = [
    ...(tooLarge
      ? [
          "strategy  auto: the probe alone, since what could train is too large for these images (--strategy full trains it)",
        ]
      : []),
    ...networks.flatMap((network) => (network && !tooLarge ? network.notes : [])),
    ...(options.batchNorm === "adapt" && plan.phases.every((phase) => phase === "head") ? [adaptNote(backbone)] : []),
    ...new Set(phases.flatMap(({ augment }) => augment.notes)),
  ];
  return {
    cut,
    recipe: plan,
    backbone,
    phases,
    augment: phases[0]?.unfreeze === "head" ? phases[0].augment : NONE,
    notes,
    warnings: tooLarge ? [] : large.filter((note) => note !== undefined),
  };
}

/** Phases without those that would unfreeze what "all" does: of a network with few stages. */
function withoutRepeats(phases: readonly string[], stages: number): readonly string[] {
  return phases.filter((_, i) => i === phases.length - 1 || i + 1 < stages);
}
