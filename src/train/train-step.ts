/** One step of training: forward, loss and gradients in one graph, then an update of the parameters in place. */
import { gradient, gradientName } from "../autodiff/gradient.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph, Value } from "../graph/graph.ts";
import type { Loss } from "../losses/loss.ts";
import { FEATURES } from "../models/backbone.ts";
import { HEAD, type Parameters } from "../models/head.ts";
import { type Optimizer, zeroSlots } from "../optim/optimizer.ts";
import { Session, type SessionOptions } from "../runtime/session.ts";
import { tensor } from "../tensor/tensor.ts";

const LOSS: Value = "loss";
const TARGET: Value = "target";

export interface TrainStepOptions {
  /** From FEATURES [batch, width] and the parameters, as inputs, to HEAD.logits [batch, numClasses]. */
  readonly forward: Graph;
  /** Updated in place by every step. */
  readonly parameters: Parameters;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly numClasses: number;
  readonly session?: SessionOptions | undefined;
}

/** The training graph: the forward graph, the loss, and the gradient of each parameter. */
function trainingGraph({ forward, parameters, loss, numClasses }: TrainStepOptions): Graph {
  const b = new GraphBuilder("training", forward);
  const target = b.input(loss.target(TARGET, "batch", numClasses));
  b.named("Identity", [loss.build(b, HEAD.logits, target)], LOSS);
  const graph = b.build([{ name: LOSS, dtype: "float32", shape: [] }]);
  return gradient(graph, { of: LOSS, with: [...parameters.keys()] });
}

/** Trains the parameters of one graph, batch by batch. */
export class TrainStep implements AsyncDisposable {
  readonly #options: TrainStepOptions;
  readonly #session: Session;
  readonly #slots: ReadonlyMap<Value, Float32Array[]>;
  #steps = 0;

  private constructor(options: TrainStepOptions, session: Session) {
    this.#options = options;
    this.#session = session;
    this.#slots = new Map(
      [...options.parameters].map(([name, { data }]) => [name, zeroSlots(options.optimizer, data.length)]),
    );
  }

  /** Differentiates and prepares the training graph. @throws RootstockError NOT_DIFFERENTIABLE before anything runs. */
  static async create(options: TrainStepOptions): Promise<TrainStep> {
    // The weights are inputs: there is nothing for the runtime to fold or to pack.
    return new TrainStep(
      options,
      await Session.create(trainingGraph(options), { ...options.session, optimization: "none" }),
    );
  }

  /** Updates so far. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Makes one update from one batch and returns the loss before it.
   * @param features [n, width] row-major. @param labels class indices, [n].
   */
  async run(features: Float32Array, labels: Int32Array, learningRate: number): Promise<number> {
    const { parameters, loss, optimizer, numClasses } = this.#options;
    const results = await this.#session.run({
      ...Object.fromEntries(parameters),
      [FEATURES]: tensor("float32", [labels.length, features.length / labels.length], features),
      [TARGET]: loss.encode(labels, numClasses),
    });
    this.#steps++;
    for (const [name, parameter] of parameters) {
      const decay = parameter.shape.length > 1; // weights only: a decayed bias would pull predictions to a fixed point
      const slope = results[gradientName(name)]!.data as Float32Array; // a gradient has its parameter's type
      optimizer.update(parameter.data, slope, this.#slots.get(name)!, { learningRate, step: this.#steps, decay });
    }
    return Number(results[LOSS]!.data[0]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#session.release();
  }
}
