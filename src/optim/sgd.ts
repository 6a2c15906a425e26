/** Stochastic gradient descent with momentum, in PyTorch's convention. */
import { checkRange } from "./check-range.ts";
import { updateInPlace } from "./elementwise.ts";
import { checkUpdate, type Optimizer } from "./optimizer.ts";

/** Options of {@link sgd}. */
export interface SgdOptions {
  /** Share of the previous update that is kept, in [0, 1); 0 needs no slot. @default 0.9 */
  readonly momentum?: number | undefined;
  /** Whether to look ahead along the momentum (Nesterov 1983). Needs momentum above 0. @default false */
  readonly nesterov?: boolean | undefined;
  /** L2 penalty added to the gradient, at least 0. @default 0 */
  readonly weightDecay?: number | undefined;
}

/**
 * Makes stochastic gradient descent as torch.optim.SGD without dampening (Sutskever et al. 2013).
 *
 * g = gradient + weightDecay w; v = momentum v + g; w = w - learningRate d,
 * where d = v, or g + momentum v with `nesterov`. The learning rate stays outside the velocity v, so a change of
 * it acts at once.
 * @throws RangeError if an option is outside its range, or `nesterov` is set without momentum.
 */
export function sgd({ momentum = 0.9, nesterov = false, weightDecay = 0 }: SgdOptions = {}): Optimizer {
  checkRange("sgd: momentum", momentum, "[0, 1)");
  checkRange("sgd: weightDecay", weightDecay, "[0, infinity)");
  if (nesterov && momentum === 0) {
    throw new RangeError("sgd: momentum must be in (0, 1) with nesterov, got 0.");
  }
  const optimizer: Optimizer = {
    name: "sgd",
    options: { momentum, nesterov, weightDecay },
    slots: momentum > 0 ? ["velocity"] : [],
    update(parameter, gradient, slots, { learningRate, decay }) {
      checkUpdate(optimizer, parameter, gradient, slots);
      const l2 = decay ? weightDecay : 0;
      const velocity = slots[0];
      if (velocity === undefined) {
        for (let i = 0; i < parameter.length; i++) {
          const w = parameter[i]!;
          parameter[i] = w - learningRate * (gradient[i]! + l2 * w);
        }
        return;
      }
      updateInPlace("sgd", [parameter, velocity], gradient, [learningRate, l2, momentum, Number(nesterov)]);
    },
  };
  return optimizer;
}
