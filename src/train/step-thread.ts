/** A trainer in a thread of its own, so that the caller can show progress and be interrupted while a step runs. */
import type { Piscina } from "piscina";
import { startPool } from "../data/thread-pool.ts";
import type { Targets } from "../losses/targets.ts";
import type { Parameters } from "../models/head.ts";
import { type StepAnswer, type StepTask, type StepValue, type ThreadStepOptions, unwrap } from "./step-task.ts";
import type { Trainer } from "./train-step.ts";
import type { StepMemory } from "./training-plan.ts";
import type { TrainerState } from "./weights-update.ts";

/** A `TrainStep` in another thread. Parameters and the optimizer's state live there; samples are moved, not copied. */
export class StepThread implements Trainer {
  readonly #pool: Piscina<StepTask, StepAnswer>;
  #steps = 0;
  #memory: StepMemory = { activations: 0, recomputed: false };

  private constructor(pool: Piscina<StepTask, StepAnswer>) {
    this.#pool = pool;
  }

  /** Starts the thread and prepares the step. @throws RootstockError as `TrainStep.create` does. */
  static async create(options: ThreadStepOptions): Promise<StepThread> {
    const thread = new StepThread(
      startPool({ worker: "#train-worker", built: "dist/train/step-worker.js", name: "stepTask", threads: 1 }),
    );
    try {
      thread.#memory = (await thread.#ask({ kind: "create", options })) as StepMemory; // what "create" answers
    } catch (error) {
      await thread.#pool.destroy();
      throw error;
    }
    return thread;
  }

  get steps(): number {
    return this.#steps;
  }

  get memory(): StepMemory {
    return this.#memory;
  }

  /** Takes the samples over: their memory is moved to the thread. */
  async run(samples: Float32Array, targets: Targets, learningRate: number): Promise<number> {
    const loss = await this.#ask({ kind: "run", samples, targets, learningRate }, [samples.buffer]);
    this.#steps++;
    return loss as number; // what "run" answers
  }

  /** Takes the samples over. */
  async logits(samples: Float32Array): Promise<Float32Array> {
    return (await this.#ask({ kind: "logits", samples }, [samples.buffer])) as Float32Array; // what "logits" answers
  }

  async parameters(): Promise<Parameters> {
    return (await this.#ask({ kind: "parameters" })) as Parameters; // what "parameters" answers
  }

  async restore(parameters: Parameters): Promise<void> {
    await this.#ask({ kind: "restore", parameters });
  }

  async state(): Promise<TrainerState> {
    return (await this.#ask({ kind: "state" })) as TrainerState; // what "state" answers
  }

  async load(state: TrainerState): Promise<void> {
    await this.#ask({ kind: "load", state });
    this.#steps = state.steps;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#ask({ kind: "release" });
    } finally {
      await this.#pool.destroy();
    }
  }

  async #ask(task: StepTask, moved: readonly ArrayBufferLike[] = []): Promise<StepValue> {
    return unwrap(await this.#pool.run(task, { transferList: moved as ArrayBuffer[] })); // rows are never shared memory
  }
}
