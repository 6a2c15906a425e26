/** What a training run tells, and the little that listeners may ask of it. */
import type { Json } from "../json.ts";
import type { Parameters } from "../models/head.ts";

/** What is known when a phase of a run begins. */
export interface PhaseReport {
  /** What trains: "head", or what is unfrozen, such as "last". */
  readonly phase: string;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** Epochs that were trained before, by the run that this one continues; 0 at the start. */
  readonly epochsDone: number;
}

/** What is known after an optimizer update. */
export interface StepReport {
  readonly phase: string;
  readonly epoch: number;
  /** Updates of the phase so far, this one included. */
  readonly step: number;
  /** Training loss of the batch, before the update. */
  readonly loss: number;
  readonly learningRate: number;
}

/** What is known after an epoch. Epochs count from 1. */
export interface EpochReport {
  /** What trains: "head", or what is unfrozen, such as "last". */
  readonly phase: string;
  readonly epoch: number;
  readonly epochs: number;
  /** Optimizer updates so far. */
  readonly steps: number;
  readonly learningRate: number;
  /** Mean training loss of the epoch, measured while the parameters moved. */
  readonly trainLoss: number;
  /** Validation measures by name: loss, accuracy, … */
  readonly validation: Readonly<Record<string, number>>;
  /** Whether this epoch is the best so far by the monitored measure. */
  readonly best: boolean;
}

export interface StopOptions {
  /** Whether no further phase begins either. @default false */
  readonly all?: boolean | undefined;
}

/** All that a callback can do to a run. */
export interface RunControl {
  /**
   * Ends the phase after the current epoch; with `all` the run, whose other phases are left out. The first reason counts.
   * @throws RootstockError BAD_CONFIG for a reason that is no text.
   */
  stop(reason?: string, options?: StopOptions): void;
  /** Multiplies the learning rate of all further steps of the phase by a factor above 0. */
  scaleLearningRate(factor: number): void;
  /** Asks for a checkpoint after the current epoch, where the run keeps any. */
  save(): void;
  /** A copy of the parameters that validation measured. */
  parameters(): Promise<Parameters>;
}

/**
 * Listens to a run. Hooks are awaited in the order in which callbacks are listed. An error in one ends the run, after its
 * state was kept where checkpoints are; a run that goes on tells the end of the epoch again.
 */
export interface Callback {
  readonly name: string;
  /** The measure that it watches: one that the data do not have is refused before anything is computed. */
  readonly monitor?: Monitor | undefined;
  onPhaseStart?(report: PhaseReport, run: RunControl): void | Promise<void>;
  onStep?(report: StepReport, run: RunControl): void | Promise<void>;
  onEpochEnd?(report: EpochReport, run: RunControl): void | Promise<void>;
  /** Called once, also when a phase ends with an error. */
  onPhaseEnd?(): void | Promise<void>;
  /** What the callback remembers, for a checkpoint. */
  state?(): Json;
  /** Takes up what `state` gave in the run that this one continues. */
  restore?(state: Json): void;
}

/** The measure that decides which epoch is best. */
export interface Monitor {
  /** Name of a validation measure. */
  readonly measure: string;
  readonly mode: "min" | "max";
}
