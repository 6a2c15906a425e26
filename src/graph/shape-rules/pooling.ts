/** Pooling over windows and over whole feature maps. */
import { intsOf } from "../attributes.ts";
import { windowOf, windowOutput } from "./convolution.ts";
import { type Inferred, like, type RuleContext, type ShapeRule, shapeOfRank } from "./rule.ts";

/** AveragePool, LpPool: X [n, c, ...spatial], kernel from the attribute. */
export const pool = (c: RuleContext): Inferred[] => {
  const x = shapeOfRank(c, 0, 3);
  if (!x) return like(c, undefined);
  const spatial = x.slice(2);
  return like(c, [
    x[0]!,
    x[1]!,
    ...windowOutput(c, spatial, windowOf(c, intsOf(c.node, "kernel_shape", []), spatial.length)),
  ]);
};

/** MaxPool: a second output holds the positions of the maxima. */
export const maxPool: ShapeRule = (c) => [...pool(c), ...indices(c)];

function indices(c: RuleContext): Inferred[] {
  return c.node.outputs.length > 1 ? pool(c).map(({ shape }) => ({ dtype: "int64", shape })) : [];
}

/** GlobalAveragePool, GlobalMaxPool, GlobalLpPool: every spatial size becomes 1. */
export const globalPool: ShapeRule = (c) => {
  const x = shapeOfRank(c, 0, 3);
  return like(c, x && [x[0]!, x[1]!, ...x.slice(2).map(() => 1)]);
};
