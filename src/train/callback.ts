/** What a training run tells, and the little that listeners may ask of it. */

/** What is known after an epoch. Epochs count from 1. */
export interface EpochReport {
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

/** All that a callback can do to a run. */
export interface RunControl {
  /** Ends the run after the current epoch. */
  stop(reason: string): void;
}

/** Listens to a run. Hooks are awaited in the order in which callbacks are listed. */
export interface Callback {
  readonly name: string;
  onEpochEnd?(report: EpochReport, run: RunControl): void | Promise<void>;
}

/** The measure that decides which epoch is best. */
export interface Monitor {
  /** Name of a validation measure. */
  readonly measure: string;
  readonly mode: "min" | "max";
}
