/** One step of training: forward, loss and gradients in one graph, then an update of the parameters in place. */
import { gradientName } from "../autodiff/gradient.ts";
import { choosing, type VariantTable } from "../autodiff/lowering/fast/choice.ts";
import type { Graph, Value } from "../graph/graph.ts";
import type { Loss } from "../losses/loss.ts";
import { countTargets, type Targets, totalWeight } from "../losses/targets.ts";
import { type BatchStatistics, updateStatistics } from "../models/batch-norm.ts";
import { HEAD, type Parameters } from "../models/head.ts";
import { blockedLayout } from "../runtime/blocked-layout.ts";
import { Session, type SessionOptions } from "../runtime/session.ts";
import { float32, sizeOf, tensor } from "../tensor/tensor.ts";
import { planForward, planTraining, STEP, type StepMemory, type TrainingPlan } from "./training-plan.ts";
import { type TrainerState, type UpdateOptions, Weights } from "./weights-update.ts";

export interface TrainStepOptions extends UpdateOptions {
  /** From `input` [batch, ...] and the parameters, as inputs, to HEAD.logits [batch, numClasses]. */
  readonly forward: Graph;
  /** The input that holds the samples. */
  readonly input: Value;
  /** The forward graph to differentiate where that is another, with the outputs that `statistics` names. @default forward */
  readonly training?: Graph | undefined;
  /** Batch normalizations that use the statistics of the batch, and update `running`; none by default. */
  readonly statistics?: readonly BatchStatistics[] | undefined;
  readonly loss: Loss;
  readonly numClasses: number;
  /**
   * Most samples that the graph takes at once. Smaller batches run too, and larger ones in parts whose gradients add up; a
   * known number lets steps run faster. Any number by default.
   */
  readonly batchSize?: number | undefined;
  /** Bytes of activations beyond which parts of the forward pass are computed twice instead of kept. No limit by default. */
  readonly memoryLimit?: number | undefined;
  /** How gradients of convolutions are computed, as `autotune` measured it. @default {}, the built-in choice */
  readonly variants?: VariantTable | undefined;
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
  /** A copy of the current parameters and running statistics: of the averaged ones, as `logits`, where there is an average. */
  parameters(): Promise<Parameters>;
  /** Takes parameters that were copied before. */
  restore(parameters: Parameters): Promise<void>;
  /** A copy of everything that steps change. */
  state(): Promise<TrainerState>;
  /** Goes on from such a copy: what follows is what would have followed then, bit for bit. */
  load(state: TrainerState): Promise<void>;
}

/** A trainer in the calling thread. */
export class TrainStep implements Trainer {
  readonly memory: StepMemory;
  readonly #options: TrainStepOptions;
  readonly #batchSize: number | undefined;
  readonly #training: Session;
  readonly #forward: Session;
  readonly #weights: Weights;

  private constructor(options: TrainStepOptions, plan: TrainingPlan, training: Session, forward: Session) {
    this.memory = plan.memory;
    this.#batchSize = plan.batchSize;
    this.#options = options;
    this.#training = training;
    this.#forward = forward;
    this.#weights = new Weights(options, plan.tapsOutside);
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
    return this.#weights.steps;
  }

  async run(samples: Float32Array, targets: Targets, learningRate: number): Promise<number> {
    const count = countTargets(targets);
    const most = this.#options.batchSize ?? count;
    const width = samples.length / count;
    const gradients = new Map<Value, Float32Array>();
    let loss = 0;
    for (let start = 0; start < count; start += most) {
      const end = Math.min(count, start + most);
      const part = partOf(targets, { start, end, size: this.#batchSize ?? end - start });
      loss += await this.#addGradients(samples.subarray(start * width, end * width), part, gradients);
    }
    this.#weights.update(gradients, learningRate);
    return loss;
  }

  /** Adds to the gradients what some samples of a batch have, and returns their part of its loss. */
  async #addGradients(samples: Float32Array, targets: BatchPart, gradients: Map<Value, Float32Array>): Promise<number> {
    const { loss, numClasses, statistics = [] } = this.#options;
    const { weights, ...encoded } = targets;
    const size = weights.length;
    const results = await this.#training.run({
      ...this.#feeds(repeated(samples, countTargets(encoded), size), size, this.#weights.parameters),
      [STEP.target]: loss.encode(
        { ...encoded, values: repeated(encoded.values, countTargets(encoded), size) },
        numClasses,
      ),
      [STEP.weights]: float32([size], weights),
    });
    for (const name of this.#weights.parameters.keys()) {
      const slope = results[gradientName(name)]!.data as Float32Array; // a gradient has its parameter's type
      const sum = gradients.get(name);
      if (!sum) gradients.set(name, slope);
      else for (let i = 0; i < sum.length; i++) sum[i]! += slope[i]!;
    }
    updateStatistics(this.#weights.running, statistics, { outputs: results, images: size });
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
      const feeds = {
        ...this.#feeds(repeated(some, real, size), size, this.#weights.measured),
        ...Object.fromEntries(this.#weights.running),
      };
      const logits = (await this.#forward.run(feeds, [HEAD.logits]))[HEAD.logits]!.data as Float32Array; // the head is float32
      all.set(logits.subarray(0, real * this.#options.numClasses), start * this.#options.numClasses);
    }
    return all;
  }

  async parameters(): Promise<Parameters> {
    return this.#weights.copy();
  }

  async restore(parameters: Parameters): Promise<void> {
    this.#weights.restore(parameters);
  }

  async state(): Promise<TrainerState> {
    return this.#weights.state();
  }

  async load(state: TrainerState): Promise<void> {
    this.#weights.load(state);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#training.release();
    await this.#forward.release();
  }

  #feeds(samples: Float32Array, count: number, parameters: Parameters) {
    const shape = [count, ...this.#sampleShape()];
    return { ...Object.fromEntries(parameters), [this.#options.input]: tensor("float32", shape, samples) };
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

/** Some targets of a batch, with the weight of each in its loss; there are `size` weights, 0 for what is not there. */
type BatchPart = Targets & { readonly weights: Float32Array };

function partOf(targets: Targets, { start, end, size }: Readonly<Record<"start" | "end" | "size", number>>): BatchPart {
  const { width, values } = targets;
  const total = totalWeight(targets);
  const weights = new Float32Array(size);
  for (let i = start; i < end; i++) weights[i - start] = (targets.weights?.[i] ?? 1) / total;
  return { ...targets, values: values.subarray(start * width, end * width), weights };
}

/** The rows of a batch, and from the first again up to `size`: rows of weight 0, which are like any others. */
function repeated(rows: Float32Array, count: number, size: number): Float32Array {
  if (count === size) return rows;
  const width = rows.length / count;
  const full = new Float32Array(size * width);
  for (let i = 0; i < size; i += count) full.set(rows.subarray(0, Math.min(count, size - i) * width), i * width);
  return full;
}
