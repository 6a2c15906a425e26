/** Losses that are operators of their own. */
import { stringOf } from "../attributes.ts";
import { formatShape } from "../graph.ts";
import { differ, type Inferred, mismatch, type RuleContext, type ShapeRule, shapeOf, shapeOfRank } from "./rule.ts";

/** SoftmaxCrossEntropyLoss, NegativeLogLikelihoodLoss: scores [n, c, ...], labels [n, ...]; then the log-probabilities. */
export const labelLoss: ShapeRule = (c) => {
  const scores = shapeOfRank(c, 0, 2);
  const labels = shapeOf(c, 1);
  if (scores && labels && (labels.length !== scores.length - 1 || differ(labels[0], scores[0]))) {
    throw mismatch(
      c.node,
      `labels like the scores ${formatShape(scores)} without their second axis`,
      formatShape(labels),
    );
  }
  const whole = stringOf(c.node, "reduction", "mean") !== "none";
  const rest = labels ?? (scores && [scores[0]!, ...scores.slice(2)]);
  return [...output(c, whole ? [] : rest), ...output(c, scores)];
};

function output(c: RuleContext, shape: Inferred["shape"]): (Inferred | undefined)[] {
  return [c.inputs[0] && { dtype: c.inputs[0].dtype, shape }];
}
