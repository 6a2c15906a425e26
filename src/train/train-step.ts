/** One step of training: forward, loss and gradients in one graph, then an update of the parameters in place. */
import { gradientName } from "../autodiff/gradient.ts";
import { choosing, type VariantTable } from "../autodiff/lowering/fast/choice.ts";
import { RootstockError } from "../errors.ts";
import type { Graph, Value } from "../graph/graph.ts";
import type { Loss } from "../losses/loss.ts";
import { countTargets, type Targets, totalWeight } from "../losses/targets.ts";
import { type BatchStatistics, updateStatistics } from "../models/batch-norm.ts";
import { HEAD, type Parameters } from "../models/head.ts";
import { type Optimizer, zeroSlots } from "../optim/optimizer.ts";
import { blockedLayout } from "../runtime/blocked-layout.ts";
import { Session, type SessionOptions } from "../runtime/session.ts";
import { float32, sizeOf, tensor } from "../tensor/tensor.ts";
import { inFileOrder, inTrainingOrder } from "./kernel-order.ts";
import { planForward, planTraining, STEP, type StepMemory, type TrainingPlan } from "./training-plan.ts";

export interface TrainStepOptions {
  /** From `input` [batch, ...] and the parameters, as inputs, to HEAD.logits [batch, numClasses]. */
  readonly forward: Graph;
  /** The input that holds the samples. */
  readonly input: Value;
  /** Start values; the step works on arrays of its own. */
  readonly parameters: Parameters;
  /** The forward graph to differentiate where that is another, with the outputs that `statistics` names. @default forward */
  readonly training?: Graph | undefined;
  /** Batch normalizations that use the statistics of the batch; none by default. */
  readonly statistics?: readonly BatchStatistics[] | undefined;
  /** Their running statistics: inputs of `forward`, updated by every step; none by default. */
  readonly running?: Parameters | undefined;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly numClasses: number;
  /** Most samples in a step. Smaller batches run too; a known number lets steps run faster. Any number by default. */
  readonly batchSize?: number | undefined;
  /** Bytes of activations beyond which parts of the forward pass are computed twice instead of kept. No limit by default. */
  readonly memoryLimit?: number | undefined;
  /** How gradients of convolutions are computed, as `autotune` measured it. @default {}, the built-in choice */
  readonly variants?: VariantTable | undefined;
  /** Learning rate of a parameter as a multiple of the step's. @default 1 for all */
  readonly rates?: ReadonlyMap<Value, number> | undefined;
  readonly session?: SessionOptions | undefined;
}

/** Trains the parameters of one graph, batch by batch. */
export interface Trainer extends AsyncDisposable {
  /** Updates so far. */
  readonly steps: number;
  /** What a step takes in memory. */
  readonly memory: StepMemory;
  /**
   * Makes one update from one batch and returns the mean loss before it, by the targets' weights if they have any.
   * @param samples rows of the input, [n, ...] row-major; the array may be taken over. @param targets n rows.
   */
  run(samples: Float32Array, targets: Targets, learningRate: number): Promise<number>;
  /** Logits [n, numClasses] of samples with the current parameters. */
  logits(samples: Float32Array): Promise<Float32Array>;
  /** A copy of the current parameters and running statistics. */
  parameters(): Promise<Parameters>;
  /** Goes back to what was copied before. */
  restore(parameters: Parameters): Promise<void>;
}

/** A trainer in the calling thread. */
export class TrainStep implements Trainer {
  readonly memory: StepMemory;
  readonly #options: TrainStepOptions;
  readonly #batchSize: number | undefined;
  readonly #tapsOutside: ReadonlySet<Value>;
  readonly #training: Session;
  readonly #forward: Session;
  readonly #parameters: Parameters;
  readonly #running: Parameters;
  readonly #slots: ReadonlyMap<Value, Float32Array[]>;
  #steps = 0;

  private constructor(options: TrainStepOptions, plan: TrainingPlan, training: Session, forward: Session) {
    this.memory = plan.memory;
    this.#batchSize = plan.batchSize;
    this.#options = options;
    this.#training = training;
    this.#forward = forward;
    this.#tapsOutside = plan.tapsOutside;
    this.#parameters = inTrainingOrder(options.parameters, plan.tapsOutside);
    this.#running = inTrainingOrder(options.running ?? new Map(), plan.tapsOutside);
    this.#slots = new Map(
      [...options.parameters].map(([name, { data }]) => [name, zeroSlots(options.optimizer, data.length)]),
    );
  }

  /** Differentiates and prepares the graphs. @throws RootstockError NOT_DIFFERENTIABLE before anything runs. */
  static async create(options: TrainStepOptions): Promise<TrainStep> {
    // The weights are inputs: there is nothing for the runtime to fold or to pack.
    const session = { ...options.session, optimization: "none" } as const;
    const { forward, training = forward, batchSize } = options;
    const onCpu = (options.session?.provider ?? "cpu") === "cpu";
    const block = onCpu && batchSize !== undefined ? await blockedLayout() : undefined;
    const plan = planTraining({ ...options, forward: training, block, choose: choosing(options.variants ?? {}) });
    return new TrainStep(
      options,
      plan,
      // Fixed graphs run as their outputs are needed, so that a gradient is done before the next one starts.
      await Session.create(plan.graph, { ...session, order: plan.batchSize === undefined ? "given" : "needed" }),
      await Session.create(planForward(forward, plan, block), session),
    );
  }

  get steps(): number {
    return this.#steps;
  }

  async run(samples: Float32Array, targets: Targets, learningRate: number): Promise<number> {
    const { loss, optimizer, numClasses, rates, statistics = [] } = this.#options;
    const count = countTargets(targets);
    const size = this.#batchSize ?? count;
    const total = totalWeight(targets);
    const weights = new Float32Array(size);
    for (let i = 0; i < count; i++) weights[i] = (targets.weights?.[i] ?? 1) / total;
    const values = repeated(targets.values, count, size);
    const results = await this.#training.run({
      ...this.#feeds(repeated(samples, count, size), size),
      [STEP.target]: loss.encode({ ...targets, values }, numClasses),
      [STEP.weights]: float32([size], weights),
    });
    this.#steps++;
    for (const [name, parameter] of this.#parameters) {
      const decay = parameter.shape.length > 1; // weights only: a decayed bias would pull predictions to a fixed point
      const slope = results[gradientName(name)]!.data as Float32Array; // a gradient has its parameter's type
      optimizer.update(parameter.data, slope, this.#slots.get(name)!, {
        learningRate: learningRate * (rates?.get(name) ?? 1),
        step: this.#steps,
        decay,
      });
    }
    updateStatistics(this.#running, statistics, { outputs: results, images: size });
    return Number(results[STEP.loss]!.data[0]);
  }

  async logits(samples: Float32Array): Promise<Float32Array> {
    const width = this.#rowLength();
    const count = samples.length / width;
    const size = this.#batchSize ?? count;
    const all = new Float32Array(count * this.#options.numClasses);
    for (let start = 0; start < count; start += size) {
      const some = samples.subarray(start * width, (start + size) * width);
      const real = some.length / width;
      const feeds = { ...this.#feeds(repeated(some, real, size), size), ...Object.fromEntries(this.#running) };
      const logits = (await this.#forward.run(feeds, [HEAD.logits]))[HEAD.logits]!.data as Float32Array; // the head is float32
      all.set(logits.subarray(0, real * this.#options.numClasses), start * this.#options.numClasses);
    }
    return all;
  }

  async parameters(): Promise<Parameters> {
    return inFileOrder(this.#held(), this.#tapsOutside);
  }

  async restore(parameters: Parameters): Promise<void> {
    const all = inTrainingOrder(parameters, this.#tapsOutside);
    for (const [name, { data }] of this.#held()) {
      const saved = all.get(name);
      if (saved?.data.length !== data.length) {
        throw new RootstockError(
          "SHAPE_MISMATCH",
          `restoring requires ${data.length} values of "${name}", got ${saved?.data.length ?? "none"}.`,
        );
      }
      data.set(saved.data);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#training.release();
    await this.#forward.release();
  }

  #held(): Parameters {
    return new Map([...this.#parameters, ...this.#running]);
  }

  #feeds(samples: Float32Array, count: number) {
    const shape = [count, ...this.#sampleShape()];
    return { ...Object.fromEntries(this.#parameters), [this.#options.input]: tensor("float32", shape, samples) };
  }

  #sampleShape(): number[] {
    const { forward, input } = this.#options;
    return forward.inputs
      .find(({ name }) => name === input)!
      .shape!.slice(1)
      .map(Number); // the forward graph declares it
  }

  #rowLength(): number {
    return sizeOf(this.#sampleShape());
  }
}

/** The rows of a batch, and from the first again up to `size`: rows of weight 0, which are like any others. */
function repeated(rows: Float32Array, count: number, size: number): Float32Array {
  if (count === size) return rows;
  const width = rows.length / count;
  const full = new Float32Array(size * width);
  for (let i = 0; i < size; i += count) full.set(rows.subarray(0, Math.min(count, size - i) * width), i * width);
  return full;
}
