/** Distillation: a student learns the probabilities that a teacher gives, also those of the wrong classes. */
import { int } from "../graph/attributes.ts";
import { float32 } from "../tensor/tensor.ts";
import type { Loss } from "./loss.ts";
import { atTemperature, softTargets } from "./soft-targets.ts";
import { countTargets } from "./targets.ts";

export interface DistillationOptions {
  /** What the logits of teacher and student are divided by, from 0.05 to 100; above 1, small probabilities count more. @default 2 */
  readonly temperature?: number | undefined;
}

/**
 * Returns T² KL(teacher || student) at temperature T (Hinton et al. 2015, arXiv:1503.02531), as PyTorch's kl_div with
 * `batchmean` times T²: gradients keep their size for every T.
 *
 * Targets are the teacher's probabilities at temperature 1 [n, numClasses], as `teacherTargets` makes them from its logits;
 * class indices are a teacher without doubts.
 * @throws RangeError if `temperature` is outside [0.05, 100].
 */
export function distillation({ temperature = 2 }: DistillationOptions = {}): Loss {
  if (!(temperature >= 0.05 && temperature <= 100)) {
    throw new RangeError(`temperature requires a number in [0.05, 100], got ${temperature}.`);
  }
  return {
    name: "distillation",
    activation: "softmax",
    tasks: ["single-label"],
    options: { temperature },
    target: (name, batch, numClasses) => ({ name, dtype: "float32", shape: [batch, numClasses] }),
    encode: (targets, numClasses) =>
      float32([countTargets(targets), numClasses], atTemperature(softTargets(targets, numClasses), temperature)),
    build: (b, logits, teacher) => {
      const cooled = temperature === 1 ? logits : b.mul(logits, b.scalar(1 / temperature));
      const student = b.op("LogSoftmax", [cooled], { axis: int(1) });
      const own = b.op("Log", [b.op("Max", [teacher, b.scalar(1e-30)])]); // 0 log 0 is 0
      const divergence = b.reduceSum(b.mul(teacher, b.sub(own, student)), { axes: [1], keepdims: false });
      return temperature === 1 ? divergence : b.mul(divergence, b.scalar(temperature ** 2));
    },
  };
}
