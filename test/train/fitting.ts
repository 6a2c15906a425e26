/** Fits of a small head, for tests. */
import { expect } from "vitest";
import { memoryRows } from "../../src/features/rows.ts";
import { HEAD } from "../../src/models/head.ts";
import { constant } from "../../src/optim/schedule.ts";
import { rng } from "../../src/random.ts";
import { fit as train } from "../../src/train/fit.ts";
import type { FitOptions, FitState, LabelledRows } from "../../src/train/fit-options.ts";
import type { LabelledFeatures } from "../../src/train/train-head.ts";
import { clusters, headStep, WIDTH } from "./made.ts";

export const rowsOf = ({ features, targets }: LabelledFeatures): LabelledRows => ({
  rows: memoryRows(features, WIDTH),
  targets,
});

export async function run(changes: Partial<FitOptions> = {}) {
  const step = await headStep();
  const result = await train({
    step,
    train: rowsOf(clusters(30)),
    validate: async () => ({ loss: 1 / Math.max(1, step.steps) }),
    epochs: 4,
    batchSize: 8,
    schedule: constant(0.05),
    monitor: { measure: "loss", mode: "min" },
    rng: rng(1),
    ...changes,
  });
  const held = await step.parameters();
  await step[Symbol.asyncDispose]();
  expect(held).toEqual(result.parameters);
  return { ...result, weights: result.parameters.get(HEAD.weight)!.data };
}

/** Keeps a copy of every state. */
export function everyState(when: (after: "step" | "epoch") => boolean = () => true) {
  const states: FitState[] = [];
  const save = async (state: FitState): Promise<void> => {
    states.push(structuredClone(state));
  };
  return { states, checkpoints: { due: when, save } };
}
