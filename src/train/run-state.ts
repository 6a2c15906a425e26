/** Reads the state of a whole run from a checkpoint, also where some of its best epochs are lost. */
import { z } from "zod";
import { RootstockError } from "../errors.ts";
import type { Parameters } from "../models/head.ts";
import type { EpochReport } from "./callback.ts";
import type { Loaded, LostSnapshot } from "./checkpoints/checkpoint-store.ts";
import type { CallbackStates } from "./fit-options.ts";
import { type PhaseOutcome, PREFIXES, type RunState } from "./run-checkpoints.ts";
import type { TrainerState } from "./weights-update.ts";

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
  /** Of the run that saved it. */
  run: z.string().optional(),
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

/** Snapshots of epochs: a run can go on without them, and without the parameters of a phase that ended it cannot. */
export function mayLack(snapshot: string): boolean {
  return snapshot.startsWith(PREFIXES.epoch);
}

/** What is said of best epochs that a checkpoint has lost. */
export function lossOf({ name, reason }: LostSnapshot): string {
  const what = name === `${PREFIXES.epoch}0` ? "the weights of the start" : `the weights of ${name}`;
  return `${what}, one of the best so far, are lost: ${reason.replace(/\.$/, "")}. The run goes on without them: what it keeps in the end is the best of what is left.`;
}

/**
 * The state that a checkpoint holds. Where all the best epochs are lost, the last one stands in for them, as one that any
 * other is better than; within an epoch there is none to stand in, as it will be measured at its end.
 * @param run Of the run that goes on; by default it is not looked at.
 * @throws RootstockError BAD_DATA if it is the checkpoint of another run or another version of this program, or of
 * something else.
 */
export function runStateOf({ file, state, tensors, snapshots, lost }: Loaded, run?: string): RunState {
  const parsed = stateSchema.safeParse(state);
  if (!parsed.success) throw foreign(file);
  if (run !== undefined && parsed.data.run !== undefined && parsed.data.run !== run) throw ofAnotherRun(file);
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
      parameters: snapshot(`${PREFIXES.phase}${i}`),
    }),
  );
  const { fit } = parsed.data;
  if (!fit) return { outcomes, fit: undefined };
  const { steps, averages, kept, callbacks, stopped, history, ...rest } = fit;
  const gone = new Set(lost.map(({ name }) => name));
  const trainer = {
    steps,
    parameters: unprefixed(PREFIXES.parameters, tensors),
    slots: unprefixed(PREFIXES.slots, tensors),
    average: averages ? unprefixed(PREFIXES.average, tensors) : undefined,
  };
  const left = kept
    .filter(({ epoch }) => !gone.has(PREFIXES.epoch + epoch))
    .map(({ epoch, value }) => ({ epoch, value, parameters: snapshot(PREFIXES.epoch + epoch) }));
  const last = gone.size > 0 && left.length === 0 && fit.done === 0 ? history.at(-1) : undefined;
  return {
    outcomes,
    fit: {
      ...rest,
      stopped,
      history: history as readonly EpochReport[],
      callbacks: statesIn(callbacks),
      kept: last ? [{ epoch: last.epoch, value: Number.NaN, parameters: measuredOf(trainer) }] : left,
      trainer,
    },
  };
}

/** What was measured after the last step: averages of weights where there are some, beside running statistics. */
function measuredOf({ parameters, average }: TrainerState): Parameters {
  return new Map([...parameters, ...(average ?? [])]);
}

function ofAnotherRun(file: string): RootstockError {
  return new RootstockError(
    "BAD_DATA",
    `resume requires a checkpoint of the run itself, got ${file}, which a run with other settings or images has saved. Put the run's own checkpoints back, or start a new run.`,
  );
}

function statesIn(callbacks: Readonly<Record<string, unknown>>): CallbackStates {
  return callbacks as CallbackStates; // a checkpoint holds JSON values alone
}

function foreign(file: string): RootstockError {
  return new RootstockError("BAD_DATA", `${file} is no checkpoint of a run that this version can go on with.`);
}

function unprefixed(prefix: string, values: Parameters): Parameters {
  return new Map(
    [...values].flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : [],
    ),
  );
}
