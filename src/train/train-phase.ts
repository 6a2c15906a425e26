/** What the phases of a run have in common: a recipe becomes the schedule, the listeners and the mixing of a fit. */
import { constant, SCHEDULES, type Schedule, warmUp } from "../optim/schedule.ts";
import { rng } from "../random.ts";
import type { Callback } from "./callback.ts";
import { earlyStopping } from "./callbacks/early-stopping.ts";
import { reduceOnPlateau } from "./callbacks/reduce-on-plateau.ts";
import { fit } from "./fit.ts";
import type { FitOptions, FitResult } from "./fit-options.ts";
import { findLearningRate, type LearningRateFinding } from "./learning-rate-finder.ts";
import { batchMixer } from "./mixing.ts";
import type { PhaseRecipe } from "./recipe.ts";

/** What a run gives each of its phases. */
export interface PhaseContext extends Pick<FitOptions, "checkpoints" | "from" | "remembered" | "onStep" | "signal"> {
  readonly callbacks: readonly Callback[];
  /** Told what a search for a learning rate has seen, where the recipe asks for one. */
  readonly onFound?: ((finding: LearningRateFinding) => void) | undefined;
}

export interface PhaseOptions extends PhaseContext, Pick<FitOptions, "step" | "train" | "validate" | "keepStart"> {
  readonly phase: string;
  readonly recipe: PhaseRecipe;
  /** Shape of one row of the training data, and of an image the order of its axes. */
  readonly sampleShape: readonly number[];
  readonly layout?: "NCHW" | "NHWC" | undefined;
  readonly numClasses: number;
  /** Most updates in which the learning rate rises. No limit by default. */
  readonly mostWarmup?: number | undefined;
}

/** Trains a phase as its recipe says, and restores its best parameters. */
export async function trainPhase(options: PhaseOptions): Promise<FitResult> {
  const { sampleShape, layout, numClasses, mostWarmup, callbacks, onFound, ...given } = options;
  const recipe = await withLearningRate(options);
  const { epochs, monitor, patience, minDelta, soup, seed, mixup, cutMix, schedule, scheduleOptions } = recipe;
  const { count } = given.train.rows;
  const batchSize = Math.min(recipe.batchSize, count);
  const plateau = schedule === "plateau" ? [reduceOnPlateau({ ...scheduleOptions, monitor })] : [];
  return await fit({
    ...given,
    epochs,
    batchSize,
    schedule: scheduleOf(recipe, Math.ceil(count / batchSize), mostWarmup),
    monitor,
    soup,
    mix: mixup > 0 || cutMix > 0 ? batchMixer({ mixup, cutMix, sampleShape, layout, numClasses }) : undefined,
    rng: rng(seed).fork("order"),
    callbacks: [earlyStopping({ monitor, patience, minDelta }), ...plateau, ...callbacks],
  });
}

/** The recipe with the learning rate that a search suggests, where one is asked for and suggests one. */
async function withLearningRate({ recipe, step, train, onFound, signal }: PhaseOptions): Promise<PhaseRecipe> {
  const { findLearningRate: wanted, batchSize, seed } = recipe;
  if (!wanted) return recipe;
  const source = rng(seed).fork("learning rate");
  const finding = await findLearningRate({ step, train, batchSize, rng: source, signal });
  const { suggested: learningRate = recipe.learningRate } = finding;
  const used =
    finding.suggested === undefined ? ` Training takes the rate that it has without a search, ${learningRate}.` : "";
  onFound?.({ ...finding, words: `${finding.words}${used}` });
  return { ...recipe, learningRate };
}

function scheduleOf(recipe: PhaseRecipe, stepsPerEpoch: number, mostWarmup = Number.POSITIVE_INFINITY): Schedule {
  const { schedule, scheduleOptions, learningRate: peak, epochs, warmup } = recipe;
  const totalSteps = epochs * stepsPerEpoch;
  const risesItself = schedule === "one-cycle";
  const warmupSteps = risesItself ? 0 : Math.min(mostWarmup, Math.floor(totalSteps * warmup));
  if (schedule === "plateau") return warmUp(constant(peak), warmupSteps);
  return SCHEDULES[schedule].create({ ...scheduleOptions, peak, totalSteps, stepsPerEpoch, warmupSteps });
}
