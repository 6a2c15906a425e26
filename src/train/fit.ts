/** The training loop: epochs of shuffled batches, a look at the validation set after each, the best epoch restored. */
import { RootstockError } from "../errors.ts";
import { targetsShown, totalWeight } from "../losses/targets.ts";
import { type Rng, shuffle } from "../random.ts";
import type { Callback, RunControl } from "./callback.ts";
import { monitored } from "./callbacks/monitored.ts";
import type { CallbackStates, FitOptions, FitResult, FitState } from "./fit-options.ts";
import { isBetter } from "./kept-epoch.ts";
import { greedySoup } from "./soup.ts";

type Progress = { -readonly [K in keyof Omit<FitState, "trainer" | "callbacks">]: FitState[K] };

/**
 * Trains until the last epoch or until a callback stops the run, then restores the best parameters. A fit that goes on
 * from a state gives what it would have given without the break, bit for bit.
 * @throws RootstockError DIVERGED if the loss stops being a number; BAD_CONFIG if there is no such measure as the monitored
 * one; ABORTED through `signal`; what a callback throws.
 */
export async function fit(options: FitOptions): Promise<FitResult> {
  const { phase = "head", step, train, validate, epochs, batchSize, monitor, rng, callbacks = [], from } = options;
  const { keepStart = false, soup = 1, schedule, checkpoints } = options;
  const at: Progress = from
    ? { ...from }
    : { epoch: 1, done: 0, lossSum: 0, weightSum: 0, rate: 1, stopped: undefined, history: [], kept: [] };
  let saveAsked = false;
  const control: RunControl = {
    stop: (reason) => {
      at.stopped ??= reason;
    },
    scaleLearningRate: (factor) => {
      if (!(factor > 0 && Number.isFinite(factor)))
        throw new RangeError(`scaleLearningRate requires a number above 0, got ${factor}.`);
      at.rate *= factor;
    },
    save: () => {
      saveAsked = true;
    },
    parameters: () => step.parameters(),
  };
  const save = async (): Promise<void> => {
    await checkpoints?.save({ ...at, trainer: await step.state(), callbacks: statesOf(callbacks) });
  };

  /** Measures the current parameters and keeps them if they are among the best so far. */
  const look = async (epoch: number) => {
    const validation = await validate();
    const value = monitored("training", monitor, validation);
    const better = at.kept.findIndex((kept) => isBetter(value, kept.value, monitor));
    const place = better === -1 ? at.kept.length : better;
    if (place < soup) at.kept = at.kept.toSpliced(place, 0, { epoch, value, parameters: await step.parameters() });
    at.kept = at.kept.slice(0, soup);
    return { validation, best: place === 0 };
  };

  try {
    if (from) await step.load(from.trainer);
    restoreStates(callbacks, from?.callbacks ?? options.remembered);
    const start = {
      phase,
      epochs,
      stepsPerEpoch: Math.ceil(train.rows.count / batchSize),
      epochsDone: at.history.length,
    };
    for (const callback of callbacks) await callback.onPhaseStart?.(start, control);
    if (!from && keepStart) await look(0);
    const isOver = (): boolean => at.stopped !== undefined && at.done === 0 && at.kept.length > 0; // an epoch that began ends
    while (at.epoch <= epochs && !isOver()) {
      const { epoch } = at;
      const looked = await runEpoch(options, { at, control, save }, rng.fork(`epoch ${epoch}`))
        .then(() => look(epoch))
        .catch(async (error: unknown) => {
          if (!(error instanceof RootstockError && error.code === "ABORTED")) throw error;
          await save();
          throw interrupted(step.steps, error); // it may have been an image that was no longer loaded
        });
      const trainLoss = at.lossSum / at.weightSum;
      const learningRate = schedule(step.steps) * at.rate;
      const report = { phase, epoch, epochs, steps: step.steps, learningRate, trainLoss, ...looked };
      Object.assign(at, { epoch: epoch + 1, done: 0, lossSum: 0, weightSum: 0, history: [...at.history, report] });
      for (const callback of callbacks) await callback.onEpochEnd?.(report, control);
      if (saveAsked || checkpoints?.due("epoch")) await save();
      saveAsked = false;
    }
  } catch (error) {
    await endPhase(callbacks).catch(() => {}); // what went wrong first counts
    throw error;
  }
  await endPhase(callbacks);
  const { history, stopped, kept } = at;
  const { parameters, averaged } = await greedySoup({ step, validate, monitor, kept });
  return { history, bestEpoch: kept[0]!.epoch, parameters, averaged, stopped, callbacks: statesOf(callbacks) }; // there is at least one epoch
}

/** Tells all callbacks, in their order. @throws what the first that fails throws, after all were told. */
async function endPhase(callbacks: readonly Callback[]): Promise<void> {
  const errors: unknown[] = [];
  for (const callback of callbacks) {
    try {
      await callback.onPhaseEnd?.();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

function statesOf(callbacks: readonly Callback[]): CallbackStates {
  return Object.fromEntries(
    callbacks.flatMap(({ name, state }, i) => (state ? [[`${i} ${name}`, state()] as const] : [])),
  );
}

function restoreStates(callbacks: readonly Callback[], states: CallbackStates = {}): void {
  for (const [i, { name, restore }] of callbacks.entries())
    if (Object.hasOwn(states, `${i} ${name}`)) restore?.(states[`${i} ${name}`]!);
}

interface EpochRun {
  readonly at: Progress;
  readonly control: RunControl;
  readonly save: () => Promise<void>;
}

/** Visits every sample once that the epoch has not visited yet, in a random order. */
async function runEpoch(options: FitOptions, { at, control, save }: EpochRun, rng: Rng): Promise<void> {
  const {
    phase = "head",
    step,
    train,
    batchSize,
    schedule,
    mix,
    callbacks = [],
    signal,
    onStep,
    checkpoints,
  } = options;
  const { rows, targets } = train;
  const { epoch } = at;
  const all = Int32Array.from({ length: rows.count }, (_, i) => i);
  const order = shuffle(all, rng);
  for await (const samples of rows.batches(order.subarray(at.done), batchSize, epoch)) {
    if (signal?.aborted) throw interrupted(step.steps);
    const chosen = order.subarray(at.done, at.done + samples.length / rows.width);
    const plain = { samples, targets: targetsShown(targets, chosen, epoch) };
    const batch = mix ? mix(plain.samples, plain.targets, rng.fork(`mix ${at.done}`)) : plain;
    const weight = totalWeight(batch.targets);
    const learningRate = schedule(step.steps + 1) * at.rate;
    const loss = await step.run(batch.samples, batch.targets, learningRate);
    if (!Number.isFinite(loss)) throw diverged(`the training loss became ${loss} at step ${step.steps}`, learningRate);
    at.lossSum += loss * weight;
    at.weightSum += weight;
    at.done += chosen.length;
    onStep?.(at.done, rows.count);
    const report = { phase, epoch, step: step.steps, loss, learningRate };
    for (const callback of callbacks) await callback.onStep?.(report, control);
    if (checkpoints?.due("step")) await save();
  }
}

function interrupted(steps: number, cause?: unknown): RootstockError {
  return new RootstockError("ABORTED", `training was interrupted after ${steps} steps.`, { cause });
}

/** The error of a run whose numbers grew out of range. */
export function diverged(what: string, learningRate: number): RootstockError {
  return new RootstockError("DIVERGED", `${what} (learning rate ${learningRate}). Use a smaller learning rate.`);
}
