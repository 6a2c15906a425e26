/** Adam and AdamW: steps scaled by running moments of the gradient. They differ in where weight decay enters. */
import { checkRange, pair } from "./check-range.ts";
import { updateInPlace } from "./elementwise.ts";
import { checkUpdate, type Optimizer } from "./optimizer.ts";

/** Options of {@link adam}. */
export interface AdamOptions {
  /** Decay rates of the first and second moment, each in [0, 1). @default [0.9, 0.999] */
  readonly betas?: readonly [first: number, second: number] | undefined;
  /** Added to the root of the second moment, above 0. @default 1e-8 */
  readonly epsilon?: number | undefined;
  /** L2 penalty added to the gradient, at least 0. @default 0 */
  readonly weightDecay?: number | undefined;
}

/** Options of {@link adamw}. */
export interface AdamwOptions {
  /** Decay rates of the first and second moment, each in [0, 1). @default [0.9, 0.999] */
  readonly betas?: readonly [first: number, second: number] | undefined;
  /** Added to the root of the second moment, above 0. @default 1e-8 */
  readonly epsilon?: number | undefined;
  /** Share of a weight that one update removes, times the learning rate; at least 0. @default 0.01 */
  readonly weightDecay?: number | undefined;
}

/**
 * Makes Adam (Kingma and Ba 2015, arXiv:1412.6980) as torch.optim.Adam: weight decay is an L2 term of the gradient.
 *
 * g = gradient + weightDecay w; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
 * w = w - learningRate m' / (sqrt(v') + epsilon), with m' = m / (1 - b1^step) and v' = v / (1 - b2^step).
 * @throws RangeError if an option is outside its range.
 */
export function adam({ betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0 }: AdamOptions = {}): Optimizer {
  return momentBased("adam", betas, epsilon, weightDecay, false);
}

/**
 * Makes AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101) as torch.optim.AdamW: weight decay bypasses the moments.
 *
 * w = (1 - learningRate weightDecay) w, then the update of {@link adam} without weight decay.
 * @throws RangeError if an option is outside its range.
 */
export function adamw({ betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0.01 }: AdamwOptions = {}): Optimizer {
  return momentBased("adamw", betas, epsilon, weightDecay, true);
}

function momentBased(
  name: string,
  betas: readonly [number, number],
  epsilon: number,
  weightDecay: number,
  decoupled: boolean,
): Optimizer {
  const [beta1, beta2] = pair(`${name}: betas`, betas);
  checkRange(`${name}: betas[0]`, beta1, "[0, 1)");
  checkRange(`${name}: betas[1]`, beta2, "[0, 1)");
  checkRange(`${name}: epsilon`, epsilon, "(0, infinity)");
  checkRange(`${name}: weightDecay`, weightDecay, "[0, infinity)");
  const optimizer: Optimizer = {
    name,
    options: { betas: [beta1, beta2], epsilon, weightDecay },
    slots: ["firstMoment", "secondMoment"],
    update(parameter, gradient, slots, { learningRate, step, decay }) {
      checkUpdate(optimizer, parameter, gradient, slots);
      updateInPlace("adam", [parameter, ...slots], gradient, [
        decay && !decoupled ? weightDecay : 0,
        beta1,
        1 - beta1,
        beta2,
        1 - beta2,
        decay && decoupled ? 1 - learningRate * weightDecay : 1,
        learningRate / (1 - beta1 ** step),
        1 / Math.sqrt(1 - beta2 ** step),
        epsilon,
      ]);
    },
  };
  return optimizer;
}
