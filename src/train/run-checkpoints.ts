/** The state of a whole run as checkpoints: the phases that ended, and the one under way between two steps. */
import { z } from "zod";
import { RootstockError } from "../errors.ts";
import type { Json } from "../json.ts";
import type { Parameters } from "../models/head.ts";
import type { EpochReport } from "./callback.ts";
import type { CheckpointStore, Loaded } from "./checkpoints/checkpoint-store.ts";
import type { CallbackStates, FitCheckpoints, FitResult, FitState } from "./fit-options.ts";
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

/** JSON state keeps what JSON itself has no form for. */
const number = z.union([z.number(), z.nan(), z.literal(Number.POSITIVE_INFINITY), z.literal(Number.NEGATIVE_INFINITY)]);
const reportSchema = z.object({
  phase: z.string(),
  epoch: z.int(),
  epochs: z.int(),
  steps: z.int(),
  learningRate: number,
  trainLoss: number,
  validation: z.record(z.string(), number),
  best: z.boolean(),
});
const outcomeSchema = z.object({
  phase: z.string(),
  history: z.array(reportSchema),
  bestEpoch: z.int(),
  averaged: z.int(),
  stopped: z.string().optional(),
  callbacks: z.record(z.string(), z.unknown()),
});
const stateSchema = z.object({
  outcomes: z.array(outcomeSchema),
  fit: z
    .object({
      steps: z.int(),
      averages: z.boolean(),
      epoch: z.int(),
      done: z.int(),
      lossSum: number,
      weightSum: number,
      rate: number,
      stopped: z.string().optional(),
      history: outcomeSchema.shape.history,
      kept: z.array(z.object({ epoch: z.int(), value: number })),
      callbacks: z.record(z.string(), z.unknown()),
    })
    .optional(),
});

/** Keeps the checkpoints of a run. */
export class RunCheckpoints {
  readonly #store: CheckpointStore;
  readonly #seconds: number;
  readonly #outcomes: PhaseOutcome[];
  #last = clock();
  #any: boolean;

  /** @param seconds Time between two checkpoints. @param from State that was read from the store, if there is one. */
  constructor(store: CheckpointStore, seconds: number, from?: RunState) {
    this.#store = store;
    this.#seconds = seconds;
    this.#outcomes = [...(from?.outcomes ?? [])];
    this.#any = from !== undefined;
  }

  /** Whether there is a state to go on from, as far as this process knows. */
  get any(): boolean {
    return this.#any;
  }

  /** Checkpoints of the phase that is next. */
  phase(): FitCheckpoints {
    return {
      due: () => clock() - this.#last >= this.#seconds,
      save: (state) => this.#save(state),
    };
  }

  /** Keeps a phase that ended. */
  async ended(outcome: PhaseOutcome): Promise<void> {
    this.#outcomes.push(outcome);
    await this.#save(undefined);
  }

  async #save(fit: FitState | undefined): Promise<void> {
    const digits = (count: number): string => String(count).padStart(6, "0");
    const { trainer, kept = [], ...rest } = fit ?? {};
    await this.#store.save({
      name: `${digits(this.#outcomes.length)}-${digits(trainer?.steps ?? 0)}`,
      state: {
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
        ...prefixed("parameters/", trainer?.parameters),
        ...prefixed("slots/", trainer?.slots),
        ...prefixed("average/", trainer?.average),
      ]),
      snapshots: new Map([
        ...this.#outcomes.map(({ parameters }, i) => [`phase ${i}`, parameters] as const),
        ...kept.map(({ epoch, parameters }) => [`epoch ${epoch}`, parameters] as const),
      ]),
    });
    this.#last = clock();
    this.#any = true;
  }
}

/**
 * The state that a checkpoint holds.
 * @throws RootstockError BAD_DATA if it is the checkpoint of another version of this program, or of something else.
 */
export function runStateOf({ file, state, tensors, snapshots }: Loaded): RunState {
  const parsed = stateSchema.safeParse(state);
  if (!parsed.success) throw foreign(file);
  const snapshot = (name: string): Parameters => {
    const found = snapshots.get(name);
    if (!found) throw foreign(file);
    return found;
  };
  const outcomes = parsed.data.outcomes.map(
    ({ stopped, callbacks, ...outcome }, i): PhaseOutcome => ({
      ...outcome,
      stopped,
      callbacks: statesIn(callbacks),
      parameters: snapshot(`phase ${i}`),
    }),
  );
  const { fit } = parsed.data;
  if (!fit) return { outcomes, fit: undefined };
  const { steps, averages, kept, callbacks, stopped, history, ...rest } = fit;
  return {
    outcomes,
    fit: {
      ...rest,
      stopped,
      history: history as readonly EpochReport[],
      callbacks: statesIn(callbacks),
      kept: kept.map(({ epoch, value }) => ({ epoch, value, parameters: snapshot(`epoch ${epoch}`) })),
      trainer: {
        steps,
        parameters: unprefixed("parameters/", tensors),
        slots: unprefixed("slots/", tensors),
        average: averages ? unprefixed("average/", tensors) : undefined,
      },
    },
  };
}

function statesIn(callbacks: Readonly<Record<string, unknown>>): CallbackStates {
  return callbacks as CallbackStates; // a checkpoint holds JSON values alone
}

function foreign(file: string): RootstockError {
  return new RootstockError("BAD_DATA", `${file} is no checkpoint of a run that this version can go on with.`);
}

/** What is JSON-safe by its type, but for optional keys and interfaces that have no index signature. */
function asJson(value: object): Json {
  return value as Json;
}

function prefixed(prefix: string, values: Parameters = new Map()) {
  return [...values].map(([name, value]) => [`${prefix}${name}`, value] as const);
}

function unprefixed(prefix: string, values: Parameters): Parameters {
  return new Map(
    [...values].flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : [],
    ),
  );
}
