/** Lion: steps of one size along the sign of the momentum. */
import { checkRange, pair } from "./check-range.ts";
import { updateInPlace } from "./elementwise.ts";
import { checkUpdate, type Optimizer } from "./optimizer.ts";

/** Options of {@link lion}. */
export interface LionOptions {
  /** Shares of the momentum in the direction and in the next momentum, each in [0, 1). @default [0.9, 0.99] */
  readonly betas?: readonly [direction: number, momentum: number] | undefined;
  /** Share of a weight that one update removes, times the learning rate; at least 0. @default 0 */
  readonly weightDecay?: number | undefined;
}

/**
 * Makes Lion (Chen et al. 2023, arXiv:2302.06675, algorithm 2).
 *
 * u = sign(b1 m + (1 - b1) gradient); w = w - learningRate (u + weightDecay w); m = b2 m + (1 - b2) gradient.
 * The sign of 0 is 0; of what is no number it is none, so that divergence shows. Every element moves by the learning
 * rate, so the paper takes rates 3 to 10 times smaller than AdamW's and weight decay as much larger.
 * @throws RangeError if an option is outside its range.
 */
export function lion({ betas = [0.9, 0.99], weightDecay = 0 }: LionOptions = {}): Optimizer {
  const [beta1, beta2] = pair("lion: betas", betas);
  checkRange("lion: betas[0]", beta1, "[0, 1)");
  checkRange("lion: betas[1]", beta2, "[0, 1)");
  checkRange("lion: weightDecay", weightDecay, "[0, infinity)");
  const optimizer: Optimizer = {
    name: "lion",
    options: { betas: [beta1, beta2], weightDecay },
    slots: ["momentum"],
    update(parameter, gradient, slots, { learningRate, decay }) {
      checkUpdate(optimizer, parameter, gradient, slots);
      updateInPlace("lion", [parameter, ...slots], gradient, [
        beta1,
        1 - beta1,
        beta2,
        1 - beta2,
        decay ? 1 - learningRate * weightDecay : 1,
        learningRate,
      ]);
    },
  };
  return optimizer;
}
