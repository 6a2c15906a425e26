/** Gradient rules of normalization over the last axes. */
import { floatOf, intOf } from "../../graph/attributes.ts";
import { rule, type VjpContext } from "../rule.ts";
import { type Standardized, standardize, standardizeVjp } from "./standardize.ts";

/**
 * Y = scale N + B, N = (X - mean) / √(var + epsilon) over the axes from `axis`. dscale = sum(dY N), dB = sum(dY), and
 * dX = (G - mean(G) - N mean(G N)) / √(var + epsilon) with G = dY scale.
 */
export const layerNormalization = rule<"LayerNormalization">({
  X: (c) => standardizeVjp(c.b, c.b.mul(c.dy, c.x.Scale), layerStatistics(c), axesOf(c)),
  Scale: (c) => {
    const { b, x, y, dy, shapeOf, sumTo } = c;
    return sumTo(b.mul(dy, layerStatistics(c).normalized), shapeOf(y), shapeOf(x.Scale));
  },
  B: ({ x, y, dy, shapeOf, sumTo }) => sumTo(dy, shapeOf(y), shapeOf(x.B)),
});

/**
 * Y = scale N, N = X / √(mean(X²) + epsilon) over the axes from `axis`. dscale = sum(dY N), and
 * dX = (G - N mean(G N)) / √(mean(X²) + epsilon) with G = dY scale.
 */
export const rmsNormalization = rule<"RMSNormalization">({
  X: (c) => {
    const { b, x, dy } = c;
    const { normalized, inverse } = rmsStatistics(c);
    const g = b.mul(dy, x.scale);
    return b.mul(b.sub(g, b.mul(normalized, b.reduceMean(b.mul(g, normalized), { axes: axesOf(c) }))), inverse);
  },
  scale: (c) => {
    const { b, x, y, dy, shapeOf, sumTo } = c;
    return sumTo(b.mul(dy, rmsStatistics(c).normalized), shapeOf(y), shapeOf(x.scale));
  },
});

const axesOf = ({ node, x, shapeOf }: Pick<VjpContext<"X">, "node" | "x" | "shapeOf">): number[] =>
  shapeOf(x.X)
    .map((_, i) => i)
    .slice(intOf(node, "axis", -1));

const epsilonOf = ({ node }: Pick<VjpContext<"X">, "node">): number => floatOf(node, "epsilon", 1e-5);

const layerStatistics = (c: VjpContext<"X" | "Scale" | "B">): Standardized =>
  standardize(c.b, c.x.X, { axes: axesOf(c), epsilon: epsilonOf(c), dtype: c.dtypeOf(c.x.X) });

function rmsStatistics(c: VjpContext<"X" | "scale">): Standardized {
  const { b, x, dtypeOf } = c;
  const mean = b.reduceMean(b.mul(x.X, x.X), { axes: axesOf(c) });
  const inverse = b.op("Reciprocal", [b.op("Sqrt", [b.add(mean, b.scalar(epsilonOf(c), dtypeOf(x.X)))])]);
  return { normalized: b.mul(x.X, inverse), inverse };
}
