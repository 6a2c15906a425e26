/** The exponential moving average of parameters, which is often better than where the last step ended. */
import { checkLengths } from "./check-lengths.ts";
import { checkRange } from "./check-range.ts";
import { updateInPlace } from "./elementwise.ts";

/** Options of {@link movingAverage}. */
export interface MovingAverageOptions {
  /** Share of the average that an update keeps in the long run, in [0, 1). @default 0.998 */
  readonly decay?: number | undefined;
}

/** Follows parameters. It holds no state: averages are arrays that start as copies of the parameters. */
export interface MovingAverage {
  /** Share of the average that the update of a step keeps; steps count from 1. */
  decayAt(step: number): number;
  /**
   * Moves the average towards the parameter in place.
   * @throws RootstockError SHAPE_MISMATCH if their lengths disagree.
   */
  update(average: Float32Array, parameter: Float32Array, step: number): void;
}

/**
 * Makes a moving average (Polyak and Juditsky 1992): average = d average + (1 - d) parameter.
 *
 * d is min(decay, (1 + step) / (10 + step)), as in TensorFlow's ExponentialMovingAverage: young averages forget their
 * start soon, so that short runs have one too.
 * @throws RangeError if `decay` is outside [0, 1).
 */
export function movingAverage({ decay = 0.998 }: MovingAverageOptions = {}): MovingAverage {
  checkRange("movingAverage: decay", decay, "[0, 1)");
  const decayAt = (step: number): number => Math.min(decay, (1 + step) / (10 + step));
  return {
    decayAt,
    update(average, parameter, step) {
      checkLengths("movingAverage", { average, parameter });
      updateInPlace("average", [average], parameter, [1 - decayAt(step)]);
    },
  };
}
