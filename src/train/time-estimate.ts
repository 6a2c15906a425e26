/** How long a phase of training will take, from a step or two of it. */

import { targetsShown } from "../losses/targets.ts";
import type { TrainingRows } from "./fit-options.ts";
import { clock } from "./run-record.ts";
import type { Trainer } from "./train-step.ts";

export interface TimeEstimateOptions {
  /** Made to run two steps and put back as it was. */
  readonly step: Trainer;
  readonly train: TrainingRows;
  readonly batchSize: number;
  readonly epochs: number;
  /** Images that are looked at after each epoch. */
  readonly validation: number;
}

/** A forward pass as part of a whole step, as measured on several networks. */
const FORWARD = 1 / 3;

/** Says how long the epochs will take on this machine: the second of two steps, which the trainer then forgets. */
export async function estimateTime({
  step,
  train,
  batchSize,
  epochs,
  validation,
}: TimeEstimateOptions): Promise<string> {
  const { rows, targets } = train;
  const before = await step.state();
  const order = Int32Array.from({ length: Math.min(rows.count, batchSize) }, (_, i) => i);
  let seconds = 0;
  for (let i = 0; i < 2; i++) {
    for await (const samples of rows.batches(order, batchSize)) {
      const start = clock();
      await step.run(samples, targetsShown(targets, order), 1e-12);
      seconds = clock() - start;
    }
  }
  await step.load(before);
  const perImage = seconds / order.length;
  const total = epochs * perImage * (rows.count + FORWARD * validation);
  const perSecond = perImage < 0.1 ? Math.round(1 / perImage) : (1 / perImage).toPrecision(2);
  return `time      about ${duration(total)} for ${epochs} epoch${epochs === 1 ? "" : "s"} on this machine (${perSecond} images a second); less if training stops early`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
