/** What passes between a training run and the thread that makes its steps. */
import { type ErrorCode, messageOf, RootstockError } from "../errors.ts";
import type { LossName, LossOptions } from "../losses/table.ts";
import type { Targets } from "../losses/targets.ts";
import type { Parameters } from "../models/head.ts";
import type { OptimizerName, OptimizerOptions } from "../optim/table.ts";
import type { TrainStepOptions } from "./train-step.ts";
import type { StepMemory } from "./training-plan.ts";
import type { TrainerState } from "./weights-update.ts";

/** The options of a step with the objective and the optimizer by name: functions cannot change threads. */
export interface ThreadStepOptions extends Omit<TrainStepOptions, "loss" | "optimizer"> {
  readonly loss: LossName;
  readonly lossOptions: LossOptions;
  readonly optimizer: OptimizerName;
  readonly optimizerOptions: OptimizerOptions;
}

export type StepTask =
  | { readonly kind: "create"; readonly options: ThreadStepOptions }
  | {
      readonly kind: "run";
      readonly samples: Float32Array;
      readonly targets: Targets;
      readonly learningRate: number;
    }
  | { readonly kind: "logits"; readonly samples: Float32Array }
  | { readonly kind: "parameters" }
  | { readonly kind: "restore"; readonly parameters: Parameters }
  | { readonly kind: "state" }
  | { readonly kind: "load"; readonly state: TrainerState }
  | { readonly kind: "release" };

export type StepValue = number | Float32Array | Parameters | TrainerState | StepMemory | undefined;

/** An error loses its class between threads, so it travels as data. */
export type StepAnswer =
  | { readonly value: StepValue }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };

export async function answer(work: () => Promise<StepValue>): Promise<StepAnswer> {
  try {
    return { value: await work() };
  } catch (error) {
    const code = error instanceof RootstockError ? error.code : "INTERNAL";
    return { error: { code, message: messageOf(error) } };
  }
}

/** The value of an answer. @throws RootstockError as it was thrown in the thread. */
export function unwrap(given: StepAnswer): StepValue {
  if ("error" in given) throw new RootstockError(given.error.code, given.error.message);
  return given.value;
}
