/** What a phase of training makes small: the loss with everything it depends on of the data, and the targets it reads. */
import { messageOf, RootstockError } from "../errors.ts";
import {
  balancedPositiveWeights,
  balancedWeights,
  classCounts,
  effectiveNumberWeights,
  weightTargets,
} from "../losses/class-weights.ts";
import type { Loss } from "../losses/loss.ts";
import { LOSS_OPTION_NAMES, LOSSES, type LossName, type LossOptions } from "../losses/table.ts";
import { countTargets, type Targets } from "../losses/targets.ts";
import type { PhaseRecipe } from "./recipe.ts";

/** Effective numbers of images grow to 1 / (1 - this): the middle of what Cui et al. 2019 try. */
const EFFECTIVE_BETA = 0.999;

export interface Objective {
  readonly name: LossName;
  readonly options: LossOptions;
  readonly loss: Loss;
  /** Training targets with the weights of their classes. */
  readonly targets: Targets;
}

/**
 * The objective of a phase. @param targets of the training images.
 * @throws RootstockError BAD_CONFIG for weights of classes that do not fit the data or the loss.
 */
export function objectiveOf(recipe: PhaseRecipe, targets: Targets, numClasses: number): Objective {
  const { loss: name, lossOptions, labelSmoothing, mixup, cutMix } = recipe;
  const takes = (option: keyof LossOptions): boolean => LOSS_OPTION_NAMES[name].includes(option);
  const soft = (mixup > 0 || cutMix > 0) && takes("soft");
  const weights = classWeightsOf(recipe, targets, numClasses);
  const option = targets.task === "multi-label" ? "positiveWeights" : "classWeights";
  const options = {
    ...(takes("labelSmoothing") && labelSmoothing > 0 && { labelSmoothing }),
    ...lossOptions,
    ...(soft && { soft }),
    ...(weights && takes(option) && { [option]: weights }),
  };
  const loss = lossFor(name, options, numClasses);
  const inRows =
    loss.rowWeights ?? (targets.task === "single-label" && !soft && !takes("classWeights") ? weights : undefined);
  return { name, options, loss, targets: weightTargets(targets, inRows) };
}

function lossFor(name: LossName, options: LossOptions, numClasses: number): Loss {
  try {
    const loss = LOSSES[name](options);
    loss.target("target", "batch", numClasses); // says whether the options fit the classes
    return loss;
  } catch (cause) {
    throw new RootstockError("BAD_CONFIG", `loss ${name}: ${messageOf(cause)}`, { cause });
  }
}

function classWeightsOf(
  { classWeights, loss }: PhaseRecipe,
  targets: Targets,
  numClasses: number,
): readonly number[] | undefined {
  if (classWeights === "none") return undefined;
  const several = targets.task === "multi-label";
  if (several && !LOSS_OPTION_NAMES[loss].includes("positiveWeights"))
    throw new RootstockError(
      "BAD_CONFIG",
      `classWeights requires the loss binary-cross-entropy for several labels, got ${loss}.`,
    );
  if (typeof classWeights !== "string") {
    if (classWeights.length === numClasses) return classWeights;
    throw new RootstockError(
      "BAD_CONFIG",
      `classWeights requires a number for each of ${numClasses} classes, got ${classWeights.length}.`,
    );
  }
  const counts = classCounts(targets, numClasses);
  if (several && classWeights === "balanced") return balancedPositiveWeights(counts, countTargets(targets));
  if (several)
    throw new RootstockError(
      "BAD_CONFIG",
      `classWeights for several labels requires "balanced" or numbers, got "${classWeights}".`,
    );
  return classWeights === "balanced" ? balancedWeights(counts) : effectiveNumberWeights(counts, EFFECTIVE_BETA);
}
