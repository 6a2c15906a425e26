/** What a fit takes, what it knows between two steps, and what it gives. */
import type { Rows } from "../features/rows.ts";
import type { Json } from "../json.ts";
import type { ShownTargets, Targets } from "../losses/targets.ts";
import type { Parameters } from "../models/head.ts";
import type { Schedule } from "../optim/schedule.ts";
import type { Rng } from "../random.ts";
import type { Callback, EpochReport, Monitor } from "./callback.ts";
import type { KeptEpoch } from "./kept-epoch.ts";
import type { Mixer } from "./mixing.ts";
import type { Trainer } from "./train-step.ts";
import type { TrainerState } from "./weights-update.ts";

/** Samples with their targets: what a frozen prefix leaves to train on. */
export interface LabelledRows {
  readonly rows: Rows;
  /** One row for each of `rows`. */
  readonly targets: Targets;
}

/** What a fit trains on: samples, and the targets of each or of what each shows in an epoch. */
export interface TrainingRows {
  readonly rows: Rows;
  readonly targets: Targets | ShownTargets;
}

export interface FitOptions {
  /** What trains, for reports. @default "head" */
  readonly phase?: string | undefined;
  /** Holds the parameters: those that are kept afterwards. */
  readonly step: Trainer;
  readonly train: TrainingRows;
  /** Measures the step's current parameters on the validation set. */
  readonly validate: () => Promise<Readonly<Record<string, number>>>;
  readonly epochs: number;
  readonly batchSize: number;
  readonly schedule: Schedule;
  /** Decides which epoch is best. */
  readonly monitor: Monitor;
  /** Whether the parameters at the start are measured too, as epoch 0: training then never ends with worse ones. @default false */
  readonly keepStart?: boolean | undefined;
  /** Mixes the samples of every batch; they stay as they are by default. */
  readonly mix?: Mixer | undefined;
  /** Best epochs whose average is tried in the end (`greedySoup`); 1 for none. @default 1 */
  readonly soup?: number | undefined;
  /** Source of the order of the samples: every epoch has its own. */
  readonly rng: Rng;
  /** Told after each epoch, in this order. @default [] */
  readonly callbacks?: readonly Callback[] | undefined;
  /** Told after each step how many of the epoch's samples were used. */
  readonly onStep?: ((done: number, total: number) => void) | undefined;
  /** Keeps states from which the run could go on; none are kept by default. */
  readonly checkpoints?: FitCheckpoints | undefined;
  /** State of the same fit to go on from. @default undefined, the beginning */
  readonly from?: FitState | undefined;
  /** What callbacks remember of the phase before, where that ended in the run that this one continues. */
  readonly remembered?: CallbackStates | undefined;
  /** Ends the fit with ABORTED, after its state was kept. */
  readonly signal?: AbortSignal | undefined;
}

/** Where states of a fit are kept. */
export interface FitCheckpoints {
  /** Whether it is time for one, after a step or at the end of an epoch. */
  due(after: "step" | "epoch"): boolean;
  save(state: FitState): Promise<void>;
}

/** What callbacks remember, by their place and name; beside it, whether one of them has ended the run. */
export type CallbackStates = Readonly<Record<string, Json>>;

/** Everything that a fit knows between two steps. */
export interface FitState {
  readonly trainer: TrainerState;
  /** The epoch under way, and how many of its samples were used. */
  readonly epoch: number;
  readonly done: number;
  /** Sums over those samples. */
  readonly lossSum: number;
  readonly weightSum: number;
  /** By what callbacks have multiplied the learning rate. */
  readonly rate: number;
  readonly stopped: string | undefined;
  readonly history: readonly EpochReport[];
  /** Best first. */
  readonly kept: readonly KeptEpoch[];
  readonly callbacks: CallbackStates;
}

export interface FitResult {
  readonly history: readonly EpochReport[];
  /** The best epoch, from 1; 0 for the start. Its parameters were kept, or are part of the average that was. */
  readonly bestEpoch: number;
  readonly parameters: Parameters;
  /** Epochs whose parameters were averaged. */
  readonly averaged: number;
  /** Why the phase ended before its last epoch, if it did. */
  readonly stopped: string | undefined;
  /** Whether it ended because numbers left their range, in this process. */
  readonly diverged?: boolean | undefined;
  /** What callbacks remember in the end. */
  readonly callbacks: CallbackStates;
}
