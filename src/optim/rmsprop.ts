/** RMSprop: steps scaled by a running mean of the squared gradient, in PyTorch's convention. */
import { checkRange } from "./check-range.ts";
import { updateInPlace } from "./elementwise.ts";
import { checkUpdate, type Optimizer } from "./optimizer.ts";

/** Options of {@link rmsprop}. */
export interface RmspropOptions {
  /** Decay rate of the mean of squares, in [0, 1); PyTorch's alpha. @default 0.99 */
  readonly smoothing?: number | undefined;
  /** Added to the root of the mean of squares, above 0. @default 1e-8 */
  readonly epsilon?: number | undefined;
  /** L2 penalty added to the gradient, at least 0. @default 0 */
  readonly weightDecay?: number | undefined;
  /** Share of the previous update that is kept, in [0, 1); 0 needs no slot. @default 0 */
  readonly momentum?: number | undefined;
  /** Whether to divide by the deviation of the gradient from its mean (Graves 2013, arXiv:1308.0850). @default false */
  readonly centered?: boolean | undefined;
}

/**
 * Makes RMSprop (Tieleman and Hinton 2012, lecture 6e) as torch.optim.RMSprop.
 *
 * g = gradient + weightDecay w; s = smoothing s + (1 - smoothing) g^2; d = g / (sqrt(s) + epsilon);
 * v = momentum v + d; w = w - learningRate v. With `centered`, s - m^2 stands in the root, where m is the mean of g kept
 * as s is; where rounding makes it negative it counts as 0, and PyTorch gives NaN. The means start at 0 and are not
 * corrected for it: the first step is 1 / sqrt(1 - smoothing) learning rates long.
 * @throws RangeError if an option is outside its range.
 */
export function rmsprop({
  smoothing = 0.99,
  epsilon = 1e-8,
  weightDecay = 0,
  momentum = 0,
  centered = false,
}: RmspropOptions = {}): Optimizer {
  checkRange("rmsprop: smoothing", smoothing, "[0, 1)");
  checkRange("rmsprop: epsilon", epsilon, "(0, infinity)");
  checkRange("rmsprop: weightDecay", weightDecay, "[0, infinity)");
  checkRange("rmsprop: momentum", momentum, "[0, 1)");
  const optimizer: Optimizer = {
    name: "rmsprop",
    options: { smoothing, epsilon, weightDecay, momentum, centered },
    slots: ["squareMean", ...(momentum > 0 ? ["velocity"] : []), ...(centered ? ["mean"] : [])],
    update(parameter, gradient, slots, { learningRate, decay }) {
      checkUpdate(optimizer, parameter, gradient, slots);
      const velocity = momentum > 0 ? slots[1] : undefined;
      const mean = centered ? slots.at(-1) : undefined;
      updateInPlace("rmsprop", [parameter, slots[0], velocity, mean], gradient, [
        decay ? weightDecay : 0,
        smoothing,
        1 - smoothing,
        epsilon,
        learningRate,
        momentum,
        Number(centered),
      ]);
    },
  };
  return optimizer;
}
