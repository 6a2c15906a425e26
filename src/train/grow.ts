/** The phases of a run, one after the other: each goes on from the network that the one before has left. */
import type { Dataset } from "../data/sample.ts";
import type { Graph } from "../graph/graph.ts";
import type { Parameters } from "../models/head.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import type { DataRows, FeatureRows } from "./data-rows.ts";
import type { LearningRateFinding } from "./learning-rate-finder.ts";
import { endsRun } from "./listeners.ts";
import { type NetworkPhase, networkPhase, withLearned } from "./network-phase.ts";
import type { OpenRun } from "./open-run.ts";
import type { FineTuneOptions } from "./options.ts";
import type { PhaseOutcome } from "./run-checkpoints.ts";
import type { RunPlan } from "./run-plan.ts";
import { type HeadScale, trainHead } from "./train-head.ts";
import { featuresGraph, scoringGraph, unfreezeNetwork } from "./unfreeze-network.ts";

/** What is there before the first phase. */
export interface Seedling {
  readonly name: string;
  readonly preprocessing: Preprocessing;
  /** From the image to the features of the head. */
  readonly backbone: Graph;
  /** The probe: a head for features and targets on `scale`. */
  readonly head: Parameters;
  readonly scale: HeadScale;
  readonly features: FeatureRows;
  /** Of images that can be read. */
  readonly data: Dataset;
}

/** A network after the phases that have ended. */
export interface Grown extends AsyncDisposable {
  readonly backbone: Graph;
  readonly head: Parameters;
  readonly outcomes: readonly PhaseOutcome[];
  /** From a row to features: the part that trained last, or the identity where rows are features. */
  readonly scoring: Graph;
  readonly rows: DataRows;
}

/** Trains phase by phase. What ended in the run that this one continues is taken from its checkpoint. */
export async function grow(
  seedling: Seedling,
  { phases, recipe }: RunPlan,
  { state, checkpoints, listeners }: OpenRun,
  options: FineTuneOptions,
): Promise<Grown> {
  const { onProgress, signal } = options;
  const { features, data, scale } = seedling;
  const outcomes: PhaseOutcome[] = [];
  let { backbone, head } = seedling;
  let network: NetworkPhase | undefined;
  try {
    for (const [i, plan] of phases.entries()) {
      const ended = state.outcomes[i];
      const context = {
        callbacks: listeners,
        checkpoints: checkpoints?.phase(),
        from: i === state.outcomes.length ? state.fit : undefined,
        remembered: i === state.outcomes.length ? state.outcomes.at(-1)?.callbacks : undefined,
        onFound: ({ words }: LearningRateFinding) => onProgress?.({ kind: "plan", text: `rate      ${words}` }),
        signal,
      };
      await network?.[Symbol.asyncDispose]();
      network = undefined;
      if (plan.unfreeze === "head") {
        const [train, validation] = [features.split("train"), features.split("validation")];
        const start = recipe.keepHead ? head : undefined;
        const part = { ...context, train, validation, scale, classes: data.classes, recipe, start };
        const trained = ended ?? { ...(await trainHead(part)), phase: "head" };
        outcomes.push(trained);
        head = trained.parameters;
      } else if (ended && i + 1 < phases.length && !endsRun(ended.callbacks)) {
        const part = unfreezeNetwork(backbone, { unfreeze: plan.unfreeze, batchNorm: recipe.batchNorm });
        ({ backbone, head } = withLearned(part, ended)); // nothing reads its rows any more
        outcomes.push(ended);
      } else {
        const onStep = (done: number, total: number): void => onProgress?.({ kind: "step", done, total });
        network = await networkPhase({ ...seedling, ...context, onStep, plan, recipe, backbone, head, options, ended });
        outcomes.push(network.outcome);
        ({ backbone, head } = network);
      }
      const outcome = outcomes.at(-1)!;
      if (!ended) await checkpoints?.ended(outcome);
      tellDivergence(outcome, options);
      if (endsRun(outcome.callbacks)) break;
    }
  } catch (error) {
    await network?.[Symbol.asyncDispose]();
    throw error;
  }
  return {
    backbone,
    head,
    outcomes,
    scoring: network ? scoringGraph(network.network, network.parameters) : featuresGraph(backbone),
    rows: network?.rows ?? features,
    [Symbol.asyncDispose]: async () => await network?.[Symbol.asyncDispose](),
  };
}

/** Warns of a phase whose numbers left their range. */
function tellDivergence(outcome: PhaseOutcome, { onProgress }: FineTuneOptions): void {
  if (!outcome.diverged) return;
  const { phase, stopped, bestEpoch } = outcome;
  const kept = bestEpoch === 0 ? "what it started with is kept" : `epoch ${bestEpoch}, its best, is kept`;
  const text = `phase ${phase} has ended early: ${stopped}; ${kept}. Use a smaller learning rate.`;
  onProgress?.({ kind: "warning", text });
}
