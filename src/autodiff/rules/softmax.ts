/** Gradient rules of softmax and its logarithm. */
import { intOf } from "../../graph/attributes.ts";
import { rule } from "../rule.ts";

/** Y = softmax X along `axis`. dX = Y (dY - sum(dY Y)). */
export const softmax = rule<"Softmax">({
  input: ({ b, node, y, dy }) => {
    const axes = [intOf(node, "axis", -1)];
    return b.mul(y, b.sub(dy, b.reduceSum(b.mul(dy, y), { axes })));
  },
});

/** Y = log softmax X along `axis`. dX = dY - exp(Y) sum(dY). */
export const logSoftmax = rule<"LogSoftmax">({
  input: ({ b, node, y, dy }) => {
    const axes = [intOf(node, "axis", -1)];
    return b.sub(dy, b.mul(b.exp(y), b.reduceSum(dy, { axes })));
  },
});
