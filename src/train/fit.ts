/** The training loop: epochs of shuffled batches, a look at the validation set after each, the best epoch restored. */
import { RootstockError } from "../errors.ts";
import type { Rows } from "../features/rows.ts";
import { selectTargets, type Targets, totalWeight } from "../losses/targets.ts";
import type { Parameters } from "../models/head.ts";
import type { Schedule } from "../optim/schedule.ts";
import { type Rng, shuffle } from "../random.ts";
import type { Callback, EpochReport, Monitor, RunControl } from "./callback.ts";
import type { Trainer } from "./train-step.ts";

/** Samples with their targets: what a frozen prefix leaves to train on. */
export interface LabelledRows {
  readonly rows: Rows;
  /** One row for each of `rows`. */
  readonly targets: Targets;
}

export interface FitOptions {
  /** Holds the parameters: those of the best epoch afterwards. */
  readonly step: Trainer;
  readonly train: LabelledRows;
  /** Measures the step's current parameters on the validation set. */
  readonly validate: () => Promise<Readonly<Record<string, number>>>;
  readonly epochs: number;
  readonly batchSize: number;
  readonly schedule: Schedule;
  /** Decides which epoch is best. */
  readonly monitor: Monitor;
  /** Whether the parameters at the start are measured too, as epoch 0: training then never ends with worse ones. @default false */
  readonly keepStart?: boolean | undefined;
  /** Source of the order of the samples: every epoch has its own. */
  readonly rng: Rng;
  /** Told after each epoch, in this order. @default [] */
  readonly callbacks?: readonly Callback[] | undefined;
  /** Told after each step how many of the epoch's samples were used. */
  readonly onStep?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FitResult {
  readonly history: readonly EpochReport[];
  /** The epoch whose parameters were kept, from 1; 0 for those at the start. */
  readonly bestEpoch: number;
  readonly parameters: Parameters;
  /** Why the run ended before its last epoch, if it did. */
  readonly stopped: string | undefined;
}

/**
 * Trains until the last epoch or until a callback stops the run, then restores the parameters of the best epoch.
 * @throws RootstockError DIVERGED if the loss stops being a number; ABORTED through `signal`.
 */
export async function fit(options: FitOptions): Promise<FitResult> {
  const { step, validate, epochs, monitor, rng, callbacks = [], keepStart = false } = options;
  const history: EpochReport[] = [];
  let best: { epoch: number; value: number; parameters: Parameters } | undefined;
  let stopped: string | undefined;
  const control: RunControl = {
    stop: (reason) => {
      stopped ??= reason;
    },
  };

  /** Measures the current parameters and keeps them if they are the best so far. */
  const look = async (epoch: number): Promise<{ validation: Readonly<Record<string, number>>; isBest: boolean }> => {
    const validation = await validate();
    const value = validation[monitor.measure]!;
    const isBest = best === undefined || (monitor.mode === "min" ? value < best.value : value > best.value);
    if (isBest) best = { epoch, value, parameters: await step.parameters() };
    return { validation, isBest };
  };

  if (keepStart) await look(0);
  for (let epoch = 1; epoch <= epochs && stopped === undefined; epoch++) {
    const trainLoss = await runEpoch(options, epoch, rng.fork(`epoch ${epoch}`));
    const { validation, isBest } = await look(epoch);
    const report = {
      epoch,
      epochs,
      steps: step.steps,
      learningRate: options.schedule(step.steps),
      trainLoss,
      validation,
      best: isBest,
    };
    history.push(report);
    for (const callback of callbacks) await callback.onEpochEnd?.(report, control);
  }
  const { epoch: bestEpoch, parameters } = best!; // there is at least one epoch
  await step.restore(parameters);
  return { history, bestEpoch, parameters, stopped };
}

/** Visits every sample once, in a random order, and returns the mean loss, by the samples' weights if they have any. */
async function runEpoch(
  { step, train, batchSize, schedule, signal, onStep }: FitOptions,
  epoch: number,
  rng: Rng,
): Promise<number> {
  const { rows, targets } = train;
  const order = shuffle(
    Int32Array.from({ length: rows.count }, (_, i) => i),
    rng,
  );
  let total = 0;
  let done = 0;
  for await (const samples of rows.batches(order, batchSize, epoch)) {
    if (signal?.aborted) throw new RootstockError("ABORTED", `training was interrupted after ${step.steps} steps.`);
    const chosen = order.subarray(done, done + samples.length / rows.width);
    const batch = selectTargets(targets, chosen);
    const loss = await step.run(samples, batch, schedule(step.steps + 1));
    if (!Number.isFinite(loss))
      throw diverged(`the training loss became ${loss} at step ${step.steps}`, schedule(step.steps));
    total += loss * totalWeight(batch);
    done += chosen.length;
    onStep?.(done, rows.count);
  }
  return total / totalWeight(targets);
}

/** The error of a run whose numbers grew out of range. */
export function diverged(what: string, learningRate: number): RootstockError {
  return new RootstockError("DIVERGED", `${what} (learning rate ${learningRate}). Use a smaller learning rate.`);
}
