/** Objectives for numbers: how far each output is from its target. Each is the mean over the targets of a sample. */
import type { GraphBuilder } from "../graph/builder.ts";
import type { Value } from "../graph/graph.ts";
import { float32 } from "../tensor/tensor.ts";
import type { Loss } from "./loss.ts";
import { countTargets } from "./targets.ts";

export interface HuberOptions {
  /** Error up to which the loss is quadratic, above 0, in the targets' unit (Huber 1964). @default 1 */
  readonly delta?: number | undefined;
}

/** (y - t)^2 from outputs and targets [n, k], as PyTorch's mse_loss. It aims at the mean. */
export function meanSquaredError(): Loss {
  return regressionLoss("mean-squared-error", {}, (b, error) => b.mul(error, error));
}

/** |y - t| from outputs and targets [n, k], as PyTorch's l1_loss; gradient 0 where they are equal. It aims at the median. */
export function meanAbsoluteError(): Loss {
  return regressionLoss("mean-absolute-error", {}, (b, error) => b.op("Abs", [error]));
}

/**
 * e^2 / 2 for errors e = |y - t| up to delta, else delta (e - delta / 2), from outputs and targets [n, k], as PyTorch's
 * huber_loss: quadratic for small errors, and an outlier pulls no harder than by delta.
 * @throws RangeError if `delta` is not a finite number above 0.
 */
export function huber({ delta = 1 }: HuberOptions = {}): Loss {
  if (!(delta > 0 && Number.isFinite(delta))) throw new RangeError(`delta requires a number above 0, got ${delta}.`);
  return regressionLoss("huber", { delta }, (b, error) => {
    const size = b.op("Abs", [error]);
    const near = b.op("Min", [size, b.scalar(delta)]); // near^2 / 2 + delta (size - near) is both cases in one
    return b.add(b.mul(b.mul(near, near), b.scalar(0.5)), b.mul(b.sub(size, near), b.scalar(delta)));
  });
}

/** @param each the objective of every error, [n, k] to [n, k]. */
function regressionLoss(name: string, options: Loss["options"], each: (b: GraphBuilder, error: Value) => Value): Loss {
  return {
    name,
    activation: "identity",
    tasks: ["regression"],
    options,
    target: (target, batch, numTargets) => ({ name: target, dtype: "float32", shape: [batch, numTargets] }),
    encode: (targets) => float32([countTargets(targets), targets.width], targets.values),
    build: (b, outputs, target) => b.reduceMean(each(b, b.sub(outputs, target)), { axes: [1], keepdims: false }),
  };
}
