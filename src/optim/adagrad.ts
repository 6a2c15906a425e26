/** Adagrad: steps scaled by all squared gradients so far, in PyTorch's convention. */
import { checkRange } from "./check-range.ts";
import { updateInPlace } from "./elementwise.ts";
import { checkUpdate, type Optimizer } from "./optimizer.ts";

/** Options of {@link adagrad}. */
export interface AdagradOptions {
  /** The learning rate is divided by 1 + learningRateDecay (step - 1); at least 0. @default 0 */
  readonly learningRateDecay?: number | undefined;
  /** What the sum of squares starts from, at least 0; more makes the first steps smaller. @default 0 */
  readonly initialAccumulator?: number | undefined;
  /** Added to the root of the sum of squares, above 0. @default 1e-10 */
  readonly epsilon?: number | undefined;
  /** L2 penalty added to the gradient, at least 0. @default 0 */
  readonly weightDecay?: number | undefined;
}

/**
 * Makes Adagrad (Duchi, Hazan, Singer 2011) as torch.optim.Adagrad.
 *
 * g = gradient + weightDecay w; s = s + g^2;
 * w = w - learningRate / (1 + learningRateDecay (step - 1)) g / (sqrt(s + initialAccumulator) + epsilon).
 * PyTorch starts s at the initial accumulator; here s starts at zero, as slots do, and the root adds it.
 * @throws RangeError if an option is outside its range.
 */
export function adagrad({
  learningRateDecay = 0,
  initialAccumulator = 0,
  epsilon = 1e-10,
  weightDecay = 0,
}: AdagradOptions = {}): Optimizer {
  checkRange("adagrad: learningRateDecay", learningRateDecay, "[0, infinity)");
  checkRange("adagrad: initialAccumulator", initialAccumulator, "[0, infinity)");
  checkRange("adagrad: epsilon", epsilon, "(0, infinity)");
  checkRange("adagrad: weightDecay", weightDecay, "[0, infinity)");
  const optimizer: Optimizer = {
    name: "adagrad",
    options: { learningRateDecay, initialAccumulator, epsilon, weightDecay },
    slots: ["squareSum"],
    update(parameter, gradient, slots, { learningRate, step, decay }) {
      checkUpdate(optimizer, parameter, gradient, slots);
      updateInPlace("adagrad", [parameter, ...slots], gradient, [
        decay ? weightDecay : 0,
        learningRate / (1 + learningRateDecay * (step - 1)),
        initialAccumulator,
        epsilon,
      ]);
    },
  };
  return optimizer;
}
