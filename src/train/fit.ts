/** The training loop: epochs of shuffled batches, a look at the validation set after each, the best epoch restored. */
import { RootstockError } from "../errors.ts";
import type { Parameters } from "../models/head.ts";
import type { Schedule } from "../optim/schedule.ts";
import { type Rng, shuffle } from "../random.ts";
import type { Callback, EpochReport, Monitor, RunControl } from "./callback.ts";
import type { TrainStep } from "./train-step.ts";

/** Features with their labels: what a frozen prefix leaves to train on. */
export interface LabelledFeatures {
  /** [n, width] row-major. */
  readonly features: Float32Array;
  /** Class indices, [n]. */
  readonly labels: Int32Array;
}

export interface FitOptions {
  readonly step: TrainStep;
  /** The parameters that `step` trains; they hold the best epoch's values afterwards. */
  readonly parameters: Parameters;
  readonly train: LabelledFeatures;
  /** Measures the current parameters on the validation set. */
  readonly validate: () => Promise<Readonly<Record<string, number>>>;
  readonly epochs: number;
  readonly batchSize: number;
  readonly schedule: Schedule;
  /** Decides which epoch is best. */
  readonly monitor: Monitor;
  /** Source of the order of the samples: every epoch has its own. */
  readonly rng: Rng;
  /** Told after each epoch, in this order. @default [] */
  readonly callbacks?: readonly Callback[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FitResult {
  readonly history: readonly EpochReport[];
  /** The epoch whose parameters were kept, from 1. */
  readonly bestEpoch: number;
  /** Why the run ended before its last epoch, if it did. */
  readonly stopped: string | undefined;
}

/**
 * Trains until the last epoch or until a callback stops the run, then restores the parameters of the best epoch.
 * @throws RootstockError DIVERGED if the loss stops being a number; ABORTED through `signal`.
 */
export async function fit(options: FitOptions): Promise<FitResult> {
  const { step, parameters, validate, epochs, monitor, rng, callbacks = [] } = options;
  const history: EpochReport[] = [];
  let best: { epoch: number; value: number; copy: Map<string, Float32Array> } | undefined;
  let stopped: string | undefined;
  const control: RunControl = {
    stop: (reason) => {
      stopped ??= reason;
    },
  };

  for (let epoch = 1; epoch <= epochs && stopped === undefined; epoch++) {
    const trainLoss = await runEpoch(options, rng.fork(`epoch ${epoch}`));
    const validation = await validate();
    const value = validation[monitor.measure]!;
    const isBest = best === undefined || (monitor.mode === "min" ? value < best.value : value > best.value);
    if (isBest) best = { epoch, value, copy: new Map([...parameters].map(([name, { data }]) => [name, data.slice()])) };
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
  for (const [name, { data }] of parameters) data.set(best!.copy.get(name)!); // there is at least one epoch
  return { history, bestEpoch: best!.epoch, stopped };
}

/** Visits every sample once, in a random order, and returns the mean loss. */
async function runEpoch({ step, train, batchSize, schedule, signal }: FitOptions, rng: Rng): Promise<number> {
  const count = train.labels.length;
  const width = train.features.length / count;
  const order = shuffle(
    Int32Array.from({ length: count }, (_, i) => i),
    rng,
  );
  let total = 0;
  for (let start = 0; start < count; start += batchSize) {
    if (signal?.aborted) throw new RootstockError("ABORTED", `training was interrupted after ${step.steps} steps.`);
    const batch = order.subarray(start, start + batchSize);
    const features = new Float32Array(batch.length * width);
    for (const [row, index] of batch.entries())
      features.set(train.features.subarray(index * width, (index + 1) * width), row * width);
    const loss = await step.run(
      features,
      batch.map((index) => train.labels[index]!),
      schedule(step.steps + 1),
    );
    if (!Number.isFinite(loss))
      throw diverged(`the training loss became ${loss} at step ${step.steps}`, schedule(step.steps));
    total += loss * batch.length;
  }
  return total / count;
}

/** The error of a run whose numbers grew out of range. */
export function diverged(what: string, learningRate: number): RootstockError {
  return new RootstockError("DIVERGED", `${what} (learning rate ${learningRate}). Use a smaller learning rate.`);
}
