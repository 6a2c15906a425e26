/** What objectives of classes that exclude each other share: targets by index or as distributions, smoothed and weighted. */
import { int } from "../graph/attributes.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import type { Value } from "../graph/graph.ts";
import { float32, int64 } from "../tensor/tensor.ts";
import { checkWeightCount, checkWeights } from "./class-weights.ts";
import type { Loss } from "./loss.ts";
import { softTargets } from "./soft-targets.ts";
import { countTargets } from "./targets.ts";

export interface SoftmaxLossOptions {
  /** Share of each target that is spread evenly over all classes, in [0, 1) (Szegedy et al. 2016, arXiv:1512.00567). @default 0 */
  readonly labelSmoothing?: number | undefined;
  /**
   * How much each class counts, [numClasses], 1e-6 to 1e6, as PyTorch's `weight`. Class indices: the batch's mean is weighted
   * by them, which takes `weightTargets`. Soft targets: they multiply the probabilities, and the mean is over samples. All
   * the same by default.
   */
  readonly classWeights?: readonly number[] | undefined;
  /** Whether targets may be probabilities [n, numClasses] as well as class indices [n, 1]. @default false */
  readonly soft?: boolean | undefined;
}

/** Options with their defaults. */
type Resolved = SoftmaxLossOptions & { readonly labelSmoothing: number };

/**
 * Returns the objective -sum over classes of target times score.
 * @param score from log probabilities [n, numClasses] to the score of each class, of that shape.
 * @param own further options, for the run record.
 * @throws RangeError if `labelSmoothing` is outside [0, 1), or a class weight is no number from 1e-6 to 1e6.
 */
export function softmaxLoss(
  name: string,
  { labelSmoothing = 0, classWeights, soft = false }: SoftmaxLossOptions,
  score: (b: GraphBuilder, logProbabilities: Value) => Value,
  own: Loss["options"] = {},
): Loss {
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new RangeError(`labelSmoothing requires a number in [0, 1), got ${labelSmoothing}.`);
  }
  checkWeights("classWeights", classWeights);
  const resolved = { labelSmoothing, classWeights };
  const form = soft ? softForm(resolved) : indexForm(resolved);
  return {
    name,
    activation: "softmax",
    tasks: ["single-label"],
    options: { ...own, labelSmoothing, ...(classWeights && { classWeights }), ...(soft && { soft }) },
    ...form,
    target: (value, batch, numClasses) => {
      checkWeightCount("classWeights", classWeights, numClasses);
      return form.target(value, batch, numClasses);
    },
    build: (b, logits, target) => form.build(b, score(b, b.op("LogSoftmax", [logits], { axis: int(1) })), target),
  };
}

type Form = Pick<Loss, "rowWeights" | "target" | "encode" | "build">;

/**
 * Class indices [n, 1] int64; `build` takes scores in place of logits. Row i counts w_i, the weight of its class, in the mean:
 * what is spread over other classes is divided by it, so that they count by their own weights, as in PyTorch.
 */
function indexForm({ labelSmoothing, classWeights }: Resolved): Form {
  return {
    rowWeights: classWeights,
    target: (name, batch) => ({ name, dtype: "int64", shape: [batch, 1] }),
    encode: ({ values }) => int64(Array.from(values), [values.length, 1]),
    build: (b, scores, target) => {
      const picked = b.op("GatherElements", [scores, target], { axis: int(1) }); // [n, 1]
      const likelihood = b.op("Squeeze", [picked, b.ints([1])]);
      if (labelSmoothing === 0) return b.neg(likelihood);
      const weights = classWeights && b.constant(float32([classWeights.length], classWeights));
      const weighted =
        weights === undefined ? scores : b.div(b.mul(scores, weights), b.op("Gather", [weights, target]));
      const uniform = b.reduceMean(weighted, { axes: [1], keepdims: false });
      const own = b.mul(likelihood, b.scalar(1 - labelSmoothing));
      return b.neg(b.add(own, b.mul(uniform, b.scalar(labelSmoothing))));
    },
  };
}

/** Probabilities [n, numClasses] float32, smoothed and weighted before the graph; `build` takes scores in place of logits. */
function softForm({ labelSmoothing, classWeights }: Resolved): Form {
  return {
    target: (name, batch, numClasses) => ({ name, dtype: "float32", shape: [batch, numClasses] }),
    encode: (targets, numClasses) => {
      const { values } = softTargets(targets, numClasses);
      const weighed = values.map(
        (p, i) =>
          (p * (1 - labelSmoothing) + labelSmoothing / numClasses) * (classWeights ? classWeights[i % numClasses]! : 1),
      );
      return float32([countTargets(targets), numClasses], weighed);
    },
    build: (b, scores, target) => b.neg(b.reduceSum(b.mul(scores, target), { axes: [1], keepdims: false })),
  };
}
