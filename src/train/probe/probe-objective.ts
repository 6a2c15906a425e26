/** The probe's objective: the weighted mean of the rows' losses and a penalty on the weights, at one point. */
import type { FeatureMatrix } from "./feature-matrix.ts";
import { dot, type Objective, type Pair, type Ray, withPair } from "./minimize.ts";
import type { ProbeTargets } from "./probe-targets.ts";
import type { RowLoss } from "./row-losses.ts";

/** Part of the largest possible gradient that is rounding. */
const ROUNDING = 1e-13;

export interface ObjectiveOptions {
  readonly loss: RowLoss;
  readonly width: number;
  /** How long a row of features is: the root of the mean square. */
  readonly length: number;
  /** The bias at the start, [k]. */
  readonly bias: Float64Array;
}

/**
 * mean loss(X W' + b) + penalty / 2 |W|^2 at a point: W [k, width] row-major, then b [k]. Outputs are linear in the
 * point, so a line costs one product with the features, a step on it none and a move another one.
 */
export class ProbeObjective implements Objective {
  readonly point: Float64Array;
  readonly gradient: Float64Array;
  /** Outputs [n, k] at the point. */
  outputs: Float64Array;
  readonly #features: FeatureMatrix;
  readonly #targets: ProbeTargets;
  readonly #loss: RowLoss;
  readonly #weights: number;
  readonly #residual: Float64Array;
  /** Mean loss at the last step that was evaluated. */
  #value = 0;
  #direction: Float64Array;
  #change: Float64Array;
  #penalty = 0;
  #tolerance = 0;
  #floor = 0;

  private constructor(features: FeatureMatrix, targets: ProbeTargets, loss: RowLoss, size: number) {
    this.#features = features;
    this.#targets = targets;
    this.#loss = loss;
    this.point = new Float64Array(size);
    this.gradient = new Float64Array(size);
    this.#weights = size - targets.numClasses;
    this.#residual = new Float64Array(features.rows * targets.numClasses);
    this.outputs = new Float64Array(this.#residual.length);
    this.#direction = this.point;
    this.#change = this.outputs;
  }

  /** At weights of 0 and this bias, [k]. */
  static async create(
    features: FeatureMatrix,
    targets: ProbeTargets,
    { loss, width, length, bias }: ObjectiveOptions,
  ): Promise<ProbeObjective> {
    const objective = new ProbeObjective(features, targets, loss, (width + 1) * targets.numClasses);
    const start = new Float64Array(objective.point.length);
    start.set(bias, objective.#weights);
    await objective.restart(start);
    const moved = objective.#residual.reduce((sum, value) => sum + Math.abs(value), 0);
    objective.#floor = ROUNDING * moved * Math.max(1, length);
    return objective;
  }

  /** Goes to another point. */
  async restart(point: Float64Array): Promise<void> {
    this.point.set(point);
    this.#direction = this.point.slice();
    this.#change = await this.#outputsOf(this.point);
    this.outputs.fill(0);
    this.#evaluate(1);
    this.outputs.set(this.#change);
    await this.#findGradient();
  }

  /**
   * Sets what is minimized from here. @param tolerance the part of themselves by which weights may be wrong: the
   * objective curves by at least the penalty, so that weights are at most |gradient| / penalty from the best ones.
   */
  aim(penalty: number, tolerance: number): void {
    this.#addPenalty(this.gradient, this.point, penalty - this.#penalty);
    this.#penalty = penalty;
    this.#tolerance = tolerance;
  }

  /** Pairs that were found with one penalty as they would be with another one: the penalty's part of them is known. */
  converted(pairs: readonly Pair[], from: number, to: number): readonly Pair[] {
    return pairs.reduce<readonly Pair[]>((all, { step, change }) => {
      this.#addPenalty(change, step, to - from);
      return withPair(all, step, change);
    }, []);
  }

  get value(): number {
    const weights = this.point.subarray(0, this.#weights);
    return this.#value + (this.#penalty / 2) * dot(weights, weights);
  }

  goal(): number {
    const weights = this.point.subarray(0, this.#weights);
    return Math.max(this.#tolerance * this.#penalty * Math.sqrt(dot(weights, weights)), this.#floor);
  }

  async along(direction: Float64Array): Promise<Ray> {
    this.#direction = direction;
    this.#change = await this.#outputsOf(direction);
    const weights = this.point.subarray(0, this.#weights);
    const change = direction.subarray(0, this.#weights);
    const [square, product, growth] = [dot(weights, weights), dot(weights, change), dot(change, change)];
    return (step) => {
      const { value, slope } = this.#evaluate(step);
      return {
        value: value + (this.#penalty / 2) * (square + step * (2 * product + step * growth)),
        slope: slope + this.#penalty * (product + step * growth),
      };
    };
  }

  async move(step: number): Promise<void> {
    for (let i = 0; i < this.point.length; i++) this.point[i]! += step * this.#direction[i]!;
    for (let i = 0; i < this.outputs.length; i++) this.outputs[i]! += step * this.#change[i]!;
    await this.#findGradient();
  }

  /** Adds to a gradient what a penalty has at a point. */
  #addPenalty(gradient: Float64Array, point: Float64Array, penalty: number): void {
    for (let i = 0; i < this.#weights; i++) gradient[i]! += penalty * point[i]!;
  }

  /** Outputs [n, k] of weights and bias, or their change by a direction. */
  async #outputsOf(point: Float64Array): Promise<Float64Array> {
    const outputs = await this.#features.times(point.subarray(0, this.#weights));
    const bias = point.subarray(this.#weights);
    for (let start = 0; start < outputs.length; start += bias.length)
      for (let c = 0; c < bias.length; c++) outputs[start + c]! += bias[c]!;
    return outputs;
  }

  /** The mean loss `step` along the direction and its slope; leaves the residuals, weighted by the rows' shares. */
  #evaluate(step: number): { value: number; slope: number } {
    const { numClasses: k, shares, values } = this.#targets;
    const { outputs } = this;
    const [change, residual, loss] = [this.#change, this.#residual, this.#loss];
    const z = new Float64Array(k);
    let value = 0;
    let slope = 0;
    for (let row = 0, start = 0; row < shares.length; row++, start += k) {
      const share = shares[row]!;
      for (let c = 0; c < k; c++) z[c] = outputs[start + c]! + step * change[start + c]!;
      value += share * loss(z, values, residual, start);
      let rise = 0;
      for (let i = start; i < start + k; i++) {
        residual[i]! *= share;
        rise += residual[i]! * change[i]!;
      }
      slope += rise;
    }
    this.#value = value;
    return { value, slope };
  }

  /** From the residuals at the point. */
  async #findGradient(): Promise<void> {
    const weights = await this.#features.transposedTimes(this.#residual);
    this.gradient.set(weights);
    this.#addPenalty(this.gradient, this.point, this.#penalty);
    const k = this.#targets.numClasses;
    const bias = this.gradient.subarray(this.#weights).fill(0);
    const residual = this.#residual;
    for (let start = 0; start < residual.length; start += k)
      for (let c = 0; c < k; c++) bias[c]! += residual[start + c]!;
  }
}
