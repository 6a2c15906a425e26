/** One phase in which more than the head trains: from the backbone so far to a better one. */
import type { Dataset } from "../data/sample.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { isHeadParameter, type Parameters } from "../models/head.ts";
import { imageInput } from "../models/image-input.ts";
import { layerWiseRates } from "../models/parameter-groups.ts";
import { withValues } from "../models/trainable-graph.ts";
import { OPTIMIZERS } from "../optim/table.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import { viewsOf } from "./augment-plan.ts";
import { type DataRows, networkRows } from "./data-rows.ts";
import type { FineTuneOptions } from "./options.ts";
import type { Recipe } from "./recipe.ts";
import type { PhaseOutcome } from "./run-checkpoints.ts";
import type { PhasePlan } from "./run-plan.ts";
import { now, totalMemory } from "./run-record.ts";
import { estimateTime } from "./time-estimate.ts";
import type { HeadScale } from "./train-head.ts";
import { trainNetwork } from "./train-network.ts";
import type { PhaseContext } from "./train-phase.ts";
import type { StepMemory } from "./training-plan.ts";
import { type UnfrozenNetwork, unfreezeNetwork } from "./unfreeze-network.ts";

export interface NetworkPhaseOptions extends PhaseContext {
  readonly plan: PhasePlan;
  readonly recipe: Recipe;
  /** With the weights that the phases before have given it. */
  readonly backbone: Graph;
  readonly head: Parameters;
  readonly scale: HeadScale;
  /** Of images that can be read. */
  readonly data: Dataset;
  readonly name: string;
  readonly preprocessing: Preprocessing;
  readonly options: FineTuneOptions;
  /** What this phase has learned, where it ended in the run that this one continues. */
  readonly ended: PhaseOutcome | undefined;
}

/** A network after a phase, and what it reads. */
export interface NetworkPhase extends AsyncDisposable {
  readonly outcome: PhaseOutcome;
  readonly network: UnfrozenNetwork;
  /** With the weights that were learned. */
  readonly backbone: Graph;
  readonly head: Parameters;
  /** Of the backbone. */
  readonly parameters: Parameters;
  readonly rows: DataRows;
}

/** A network with the weights that a phase has learned, and its head. */
export function withLearned(
  { backbone }: Pick<UnfrozenNetwork, "backbone">,
  { parameters: learned }: Pick<PhaseOutcome, "parameters">,
): Pick<NetworkPhase, "backbone" | "head" | "parameters"> {
  const head = new Map([...learned].filter(([name]) => isHeadParameter(name)));
  const parameters = new Map([...learned].filter(([name]) => !isHeadParameter(name)));
  return { backbone: withValues(backbone, parameters), head, parameters };
}

/** Trains one phase; only its rows are computed where it has ended before. */
export async function networkPhase(given: NetworkPhaseOptions): Promise<NetworkPhase> {
  const { plan, recipe, data, preprocessing, options, scale, head, ended, ...rest } = given;
  const { onProgress } = options;
  const { unfreeze, augment } = plan;
  const network = unfreezeNetwork(rest.backbone, { unfreeze, batchNorm: recipe.batchNorm });
  const rows = await networkRows(network.prefix, data, {
    ...options,
    ...viewsOf(augment, recipe.seed),
    name: rest.name,
    preprocessing,
    clock: now,
    onWarning: (text) => onProgress?.({ kind: "warning", text }),
    onProgress: (done, total) => onProgress?.({ kind: "features", done, total }),
  });
  const { onStep, signal, callbacks, checkpoints, from, remembered, onFound } = given;
  const train = rows.split("train");
  const learned = await (ended ??
    trainNetwork({
      onStep,
      signal,
      callbacks,
      checkpoints,
      from,
      remembered,
      onFound,
      phase: unfreeze,
      suffix: network.trainable,
      head,
      scale,
      train,
      validation: rows.split("validation"),
      classes: data.classes,
      recipe,
      layout: imageInput(rest.backbone).layout,
      rates: ratesOf(network, head, recipe),
      session: { threads: options.threads, provider: options.provider },
      memoryLimit: options.memoryLimit ?? 0.5 * totalMemory(),
      onPrepared: async ({ memory, step, batchSize }) => {
        const say = (text: string): void => onProgress?.({ kind: "plan", text });
        say(memoryNote(memory, network, { recipe, batchSize }));
        say(
          await estimateTime({
            step,
            train,
            batchSize: recipe.batchSize,
            epochs: recipe.epochs,
            validation: rows.split("validation").rows.count,
          }),
        );
      },
      onMeasure: (count) =>
        onProgress?.({ kind: "plan", text: `autotune  measuring ${count} gradients on this machine, once` }),
    }).catch(async (error: unknown) => {
      await rows[Symbol.asyncDispose]();
      throw error;
    }));
  return {
    outcome: { ...learned, phase: unfreeze },
    network,
    ...withLearned(network, learned),
    rows,
    [Symbol.asyncDispose]: () => rows[Symbol.asyncDispose](),
  };
}

function ratesOf(
  { backbone, trainable }: UnfrozenNetwork,
  head: Parameters,
  { layerDecay, headRate }: Recipe,
): ReadonlyMap<Value, number> | undefined {
  if (layerDecay === 1 && headRate === 1) return undefined;
  return layerWiseRates(backbone, [...trainable.parameters.keys(), ...head.keys()], layerDecay, headRate);
}

/** What training takes in memory, as far as it can be told beforehand. */
function memoryNote(
  { activations, recomputed }: StepMemory,
  { trainable: { parameters } }: UnfrozenNetwork,
  { recipe, batchSize }: { readonly recipe: Recipe; readonly batchSize: number },
): string {
  const weights = [...parameters.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  const slots = OPTIMIZERS[recipe.optimizer].create(recipe.optimizerOptions).slots.length;
  const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
  const copies = [recipe.averageDecay, recipe.startPenalty].filter((value) => value > 0).length; // the average, the start
  const state = (2 + slots + copies + recipe.soup) * weights; // and the best epochs
  const twice = recomputed ? ", with parts of the forward pass computed twice" : "";
  const parts = batchSize < recipe.batchSize ? `, ${batchSize} images at once` : "";
  return `memory    about ${megabytes(activations + state)}: activations ${megabytes(activations)}${parts}${twice}; weights, gradients and optimizer ${megabytes(state)}`;
}
