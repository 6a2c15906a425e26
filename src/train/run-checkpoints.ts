import { messageOf, RootstockError } from "../errors.ts";
import type { Json } from "../json.ts";
import type { Parameters } from "../models/head.ts";
import type { CheckpointStore } from "./checkpoints/checkpoint-store.ts";
import type { FitCheckpoints, FitResult, FitState } from "./fit-options.ts";
import { endsRun } from "./listeners.ts";
import { clock } from "./run-record.ts";

/** A phase that ended. */
export interface PhaseOutcome extends FitResult {
  readonly phase: string;
}

/** How far a run is. */
export interface RunState {
  /** Of the phases that ended, in order. */
  readonly outcomes: readonly PhaseOutcome[];
  /** Of the phase after them, if it has begun. */
  readonly fit: FitState | undefined;
}

/** What names begin with in a checkpoint: those of tensors, and those of snapshots before a number. */
export const PREFIXES = {
  parameters: "parameters/",
  slots: "slots/",
  average: "average/",
  phase: "phase ",
  epoch: "epoch ",
} as const;

export interface RunCheckpointsOptions {
  /** Time between two checkpoints. */
  readonly seconds: number;
  /** What tells the run from all others: each checkpoint has it. */
  readonly run: string;
  /** Phases that the run has. */
  readonly phases: number;
  /** State that was read from the store, if there is one. */
  readonly from?: RunState | undefined;
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** Keeps the checkpoints of a run. */
export class RunCheckpoints {
  readonly #store: CheckpointStore;
  readonly #options: RunCheckpointsOptions;
  readonly #outcomes: PhaseOutcome[];
  #last = clock();
  #any: boolean;

  constructor(store: CheckpointStore, options: RunCheckpointsOptions) {
    this.#store = store;
    this.#options = options;
    this.#outcomes = [...(options.from?.outcomes ?? [])];
    this.#any = options.from !== undefined;
  }

  /** Whether there is a state to go on from, as far as this process knows. */
  get any(): boolean {
    return this.#any;
  }

  /** Checkpoints of the phase that is next. */
  phase(): FitCheckpoints {
    return {
      due: () => clock() - this.#last >= this.#options.seconds,
      save: (state) => this.#save(state),
    };
  }

  /** Keeps a phase that ended. */
  async ended(outcome: PhaseOutcome): Promise<void> {
    this.#outcomes.push(outcome);
    await this.#save(undefined);
  }

  /** Saves, or says that it cannot where nothing is left to train: the model that is written next matters more. */
  async #save(fit: FitState | undefined): Promise<void> {
    const { phases, onWarning } = this.#options;
    const ended = this.#outcomes.length + (fit && isOver(fit) ? 1 : 0);
    const trained = ended >= phases || (ended > 0 && endsRun(fit?.callbacks ?? this.#outcomes.at(-1)?.callbacks));
    try {
      await this.#write(fit);
    } catch (error) {
      if (!trained || !(error instanceof RootstockError && error.code === "CANNOT_WRITE")) throw error;
      onWarning?.(`${messageOf(error)} Everything is trained: the run goes on without it and writes its model.`);
    }
  }

  async #write(fit: FitState | undefined): Promise<void> {
    const digits = (count: number): string => String(count).padStart(6, "0");
    const { trainer, kept = [], ...rest } = fit ?? {};
    await this.#store.save({
      name: `${digits(this.#outcomes.length)}-${digits(trainer?.steps ?? 0)}`,
      state: {
        run: this.#options.run,
        outcomes: this.#outcomes.map(({ phase, history, bestEpoch, averaged, stopped, callbacks }) =>
          asJson({ phase, history, bestEpoch, averaged, stopped, callbacks }),
        ),
        ...(trainer && {
          fit: asJson({
            ...rest,
            steps: trainer.steps,
            averages: trainer.average !== undefined,
            kept: kept.map(({ epoch, value }) => ({ epoch, value })),
          }),
        }),
      },
      tensors: new Map([
        ...prefixed(PREFIXES.parameters, trainer?.parameters),
        ...prefixed(PREFIXES.slots, trainer?.slots),
        ...prefixed(PREFIXES.average, trainer?.average),
      ]),
      snapshots: new Map([
        ...this.#outcomes.map(({ parameters }, i) => [`${PREFIXES.phase}${i}`, parameters] as const),
        ...kept.map(({ epoch, parameters }) => [`${PREFIXES.epoch}${epoch}`, parameters] as const),
      ]),
    });
    this.#last = clock();
    this.#any = true;
  }
}

/** Whether no step of a phase is left. */
function isOver({ trainer, done, stopped, history }: FitState): boolean {
  const [report] = history;
  if (!report) return false;
  return (done === 0 && stopped !== undefined) || trainer.steps >= (report.steps / report.epoch) * report.epochs;
}

/** What is JSON-safe by its type, but for optional keys and interfaces that have no index signature. */
function asJson(value: object): Json {
  return value as Json;
}

function prefixed(prefix: string, values: Parameters = new Map()) {
  return [...values].map(([name, value]) => [`${prefix}${name}`, value] as const);
}
