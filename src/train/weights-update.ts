/** From gradients to new weights: penalty, clipping, the optimizer's update and the running average. */
import { RootstockError } from "../errors.ts";
import type { Value } from "../graph/graph.ts";
import { isHeadParameter, type Parameters } from "../models/head.ts";
import { type MovingAverage, movingAverage } from "../optim/average.ts";
import { clipByNorm } from "../optim/clip.ts";
import { type Optimizer, zeroSlots } from "../optim/optimizer.ts";
import { addStartPenalty } from "../optim/start-penalty.ts";
import { float32 } from "../tensor/tensor.ts";
import { inFileOrder, inTrainingOrder } from "./kernel-order.ts";

export interface UpdateOptions {
  /** Start values; they are copied. */
  readonly parameters: Parameters;
  /** Running statistics of batch normalizations, which follow the batches and have no gradient; none by default. */
  readonly running?: Parameters | undefined;
  readonly optimizer: Optimizer;
  /** Learning rate of a parameter as a multiple of the step's. @default 1 for all */
  readonly rates?: ReadonlyMap<Value, number> | undefined;
  /** Largest norm of all gradients together; larger ones are scaled down. No limit by default. */
  readonly clipNorm?: number | undefined;
  /** Decay of a running average of the parameters, in [0, 1); with it, that is what is measured and kept. None by default. */
  readonly averageDecay?: number | undefined;
  /**
   * Strength of the pull of everything but the head towards its start values, in place of their weight decay: L2-SP
   * (Li et al. 2018, arXiv:1802.01483). @default 0
   */
  readonly startPenalty?: number | undefined;
}

/** Everything that a step of training changes. */
export interface TrainerState {
  /** Updates so far. */
  readonly steps: number;
  /** Parameters and running statistics. */
  readonly parameters: Parameters;
  /** The optimizer's memory: for each parameter and slot "<parameter>/<slot>", shaped like the parameter. */
  readonly slots: Parameters;
  /** The running average of the parameters, where there is one. */
  readonly average: Parameters | undefined;
}

/** The weights of a network while it trains, and what its optimizer remembers of them. */
export class Weights {
  /** In the order of the training graph, updated in place. */
  readonly parameters: Parameters;
  readonly running: Parameters;
  readonly #options: UpdateOptions;
  readonly #tapsOutside: ReadonlySet<Value>;
  readonly #slots: ReadonlyMap<Value, readonly Float32Array[]>;
  readonly #average: { readonly rule: MovingAverage; readonly values: Parameters } | undefined;
  /** Where an L2-SP penalty pulls to. */
  readonly #start: Parameters | undefined;
  #steps = 0;

  /** @param tapsOutside Parameters whose kernels the training graph takes in another order than files. */
  constructor(options: UpdateOptions, tapsOutside: ReadonlySet<Value>) {
    const { parameters, running, optimizer, averageDecay, startPenalty = 0 } = options;
    this.#options = options;
    this.#tapsOutside = tapsOutside;
    this.parameters = inTrainingOrder(parameters, tapsOutside);
    this.running = inTrainingOrder(running ?? new Map(), tapsOutside);
    this.#slots = new Map([...parameters].map(([name, { data }]) => [name, zeroSlots(optimizer, data.length)]));
    this.#average =
      averageDecay === undefined
        ? undefined
        : { rule: movingAverage({ decay: averageDecay }), values: inTrainingOrder(parameters, tapsOutside) };
    this.#start = startPenalty > 0 ? inTrainingOrder(parameters, tapsOutside) : undefined;
  }

  get steps(): number {
    return this.#steps;
  }

  /** The parameters that are measured and kept: the averaged ones where there is an average. */
  get measured(): Parameters {
    return this.#average?.values ?? this.parameters;
  }

  /** Makes one update. @param gradients by parameter, in its order; they may be changed. */
  update(gradients: ReadonlyMap<Value, Float32Array>, learningRate: number): void {
    const { optimizer, rates, clipNorm, startPenalty = 0 } = this.#options;
    const pulled = (name: Value): boolean => this.#start !== undefined && !isHeadParameter(name);
    this.#steps++;
    for (const [name, gradient] of gradients)
      if (pulled(name))
        addStartPenalty(gradient, this.parameters.get(name)!.data, this.#start!.get(name)!.data, startPenalty);
    if (clipNorm !== undefined) clipByNorm([...gradients.values()], clipNorm);
    for (const [name, { data, shape }] of this.parameters) {
      const decay = shape.length > 1 && !pulled(name); // weights only: a decayed bias would pull predictions to a fixed point
      const rate = learningRate * (rates?.get(name) ?? 1);
      optimizer.update(data, gradients.get(name)!, this.#slots.get(name)!, {
        learningRate: rate,
        step: this.#steps,
        decay,
      });
      this.#average?.rule.update(this.#average.values.get(name)!.data, data, this.#steps);
    }
  }

  /** A copy of what is measured and kept, and of the running statistics, as files have them. */
  copy(): Parameters {
    return inFileOrder(new Map([...this.measured, ...this.running]), this.#tapsOutside);
  }

  /** Takes these weights as they are; the average starts anew from them. @throws RootstockError SHAPE_MISMATCH */
  restore(parameters: Parameters): void {
    const targets = [this.parameters, this.running, ...(this.#average ? [this.#average.values] : [])];
    this.#take(targets.map((target) => ({ target, saved: parameters })));
  }

  /** Copies everything that `load` needs to go on exactly. */
  state(): TrainerState {
    const { optimizer } = this.#options;
    const slots = optimizer.slots.map((slot, k) => {
      const shaped = [...this.parameters].map(
        ([name, { shape }]) => [name, float32(shape, this.#slots.get(name)![k]!)] as const,
      );
      return [...inFileOrder(new Map(shaped), this.#tapsOutside)].map(
        ([name, value]) => [`${name}/${slot}`, value] as const,
      );
    });
    return {
      steps: this.#steps,
      parameters: inFileOrder(new Map([...this.parameters, ...this.running]), this.#tapsOutside),
      slots: new Map(slots.flat()),
      average: this.#average && inFileOrder(this.#average.values, this.#tapsOutside),
    };
  }

  /**
   * Goes on from a state of the same network and optimizer.
   * @throws RootstockError SHAPE_MISMATCH if it is another's; nothing is taken then.
   */
  load({ steps, parameters, slots, average }: TrainerState): void {
    const memory = this.#options.optimizer.slots.map((slot, k): Part => {
      const own = [...this.parameters].map(
        ([name, { shape }]) => [name, float32(shape, this.#slots.get(name)![k]!)] as const,
      );
      return { target: new Map(own), saved: slots, key: (name) => `${name}/${slot}` };
    });
    this.#take([
      { target: this.parameters, saved: parameters },
      { target: this.running, saved: parameters },
      ...memory,
      ...(this.#average ? [{ target: this.#average.values, saved: average ?? new Map(), of: "the average of " }] : []),
    ]);
    this.#steps = steps;
  }

  /** Copies saved values in file order over those in training order, if all of them fit. */
  #take(parts: readonly Part[]): void {
    const copies = parts.flatMap(({ target, saved, key = (name) => name, of = "" }) =>
      [...target].map(([name, { data, shape }]) => {
        const value = saved.get(key(name));
        const swapped = this.#tapsOutside.has(name);
        const wanted = swapped ? [shape[0], shape[3], shape[1], shape[2]] : shape;
        if (value === undefined || String(value.shape) !== String(wanted)) {
          const got = value ? `[${value.shape.join(", ")}]` : "none";
          throw new RootstockError(
            "SHAPE_MISMATCH",
            `restoring requires ${of}"${key(name)}" [${wanted.join(", ")}], got ${got}. Take what this network has given.`,
          );
        }
        const ordered = swapped ? inTrainingOrder(new Map([[name, value]]), this.#tapsOutside).get(name)! : value;
        return () => data.set(ordered.data);
      }),
    );
    for (const copy of copies) copy();
  }
}

/** Values to be changed, and what they become. */
interface Part {
  readonly target: Parameters;
  readonly saved: Parameters;
  /** Name of a target among the saved values; the same by default. */
  readonly key?: (name: Value) => string;
  /** What the values are, for messages. */
  readonly of?: string;
}
