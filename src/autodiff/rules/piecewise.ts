/** Gradient rules of activation functions with a kink: lines, steps, and curves that end in a line. */
import { floatOf } from "../../graph/attributes.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Value } from "../../graph/graph.ts";
import type { DType } from "../../tensor/dtype.ts";
import { toNumbers } from "../../tensor/tensor.ts";
import { broadcasting, rule, type VjpContext } from "../rule.ts";
import { type Elements, isGreater, isLess, ramp } from "./mask.ts";

// --- steps and lines -------------------------------------------------------------------------------------------------

/** Y = max(X, 0). dX = dY where X > 0, else 0 (subgradient 0 at the kink, as PyTorch). */
export const relu = rule<"Relu">({ X: (c) => c.b.mul(c.dy, positive(c, c.y)) });

/** Y = X where X > alpha, else 0. dX = dY there, else 0; 0 at alpha, as PyTorch's threshold. */
export const thresholdedRelu = rule<"ThresholdedRelu">({
  X: (c) => c.b.mul(c.dy, isGreater(elements(c, c.x.X), floatOf(c.node, "alpha", 1))),
});

/** Y = X where X > 0, else alpha X. dX = dY, or alpha dY; alpha dY at 0, as PyTorch. */
export const leakyRelu = rule<"LeakyRelu">({
  X: (c) => {
    const { b, node, x, dy } = c;
    const alpha = floatOf(node, "alpha", 0.01);
    const mask = positive(c, x.X);
    if (alpha >= 0 && alpha <= 1) return b.mul(dy, b.op("Max", [mask, scalarOf(c, alpha)]));
    return b.mul(dy, b.add(b.mul(mask, scalarOf(c, 1 - alpha)), scalarOf(c, alpha)));
  },
});

/**
 * Y = X where X > 0, else slope X. dX = dY (slope + (1 - slope) [X > 0]), dslope = dY min(X, 0); slope dY at 0, as
 * PyTorch.
 */
export const pRelu = broadcasting<"PRelu">({
  X: (c) => {
    const { b, x, dy } = c;
    return b.mul(dy, b.add(x.slope, b.mul(positive(c, x.X), b.sub(scalarOf(c, 1), x.slope))));
  },
  slope: (c) => c.b.mul(c.dy, c.b.op("Min", [c.x.X, scalarOf(c, 0)])),
});

/**
 * Y = X limited to [min, max]. dX = dY strictly between the bounds, else 0, as PyTorch's relu6, hardtanh and
 * (in 2.15) clamp. The bounds carry no gradient.
 */
export const clip = rule<"Clip">({
  input: (c) => {
    const [low, high] = [boundOf(c, c.x.min, "Greater"), boundOf(c, c.x.max, "Less")];
    return [low, high].reduce((product: Value, mask) => (mask === undefined ? product : c.b.mul(product, mask)), c.dy);
  },
  min: null,
  max: null,
});

/** 1 where Y is on the inner side of a bound, else 0; undefined where there is no bound. */
function boundOf(c: VjpContext<"input">, bound: Value, op: "Greater" | "Less"): Value | undefined {
  if (bound === "") return undefined;
  const constant = c.constantOf(bound);
  const [value] = constant ? toNumbers(constant) : [];
  if (value === undefined) return c.b.cast(c.b.op(op, [c.y, bound]), c.dtypeOf(c.y));
  if (Math.abs(value) > 3.4e38) return undefined; // the largest float32 stands for no bound
  return (op === "Greater" ? isGreater : isLess)(elements(c, c.y), value);
}

/** Y = X shrunk by `bias` where |X| > lambd, else 0. dX = dY there, else 0; 0 at ±lambd, as PyTorch. */
export const shrink = rule<"Shrink">({
  input: (c) => {
    const lambda = floatOf(c.node, "lambd", 0.5);
    const x = elements(c, c.x.input);
    return c.b.mul(c.dy, c.b.add(isGreater(x, lambda), isLess(x, -lambda)));
  },
});

/** Y = alpha X + beta limited to [0, 1]. dX = alpha dY strictly between the bounds, else 0, as PyTorch. */
export const hardSigmoid = rule<"HardSigmoid">({
  X: (c) => {
    const { b, node, y, dy } = c;
    const inside = b.mul(isGreater(elements(c, y), 0), isLess(elements(c, y), 1));
    return b.mul(b.mul(dy, inside), scalarOf(c, floatOf(node, "alpha", 0.2)));
  },
});

/**
 * Y = X H, H = X/6 + ½ limited to [0, 1]. dX = dY (2H - ½(⌊H⌋ + ⌈H⌉)): 0 below, X/3 + ½ inside, 1 above; 0 at -3 and 1
 * at 3, as PyTorch.
 */
export const hardSwish = rule<"HardSwish">({
  X: (c) => {
    const { b, x, dy } = c;
    const h = ramp(elements(c, x.X), 1 / 6, 0.5);
    const ends = b.mul(b.add(b.op("Floor", [h]), b.op("Ceil", [h])), scalarOf(c, 0.5));
    return b.mul(dy, b.sub(b.add(h, h), ends));
  },
});

// --- curves that end in a line ----------------------------------------------------------------------------------------------

/** Y = X where X > 0, else alpha (exp X - 1). dX = dY, or dY (Y + alpha); alpha dY at 0, as PyTorch. */
export const elu = rule<"Elu">({
  X: (c) => c.b.mul(c.dy, saturating(c, c.x.X, 1, floatOf(c.node, "alpha", 1))),
});

/** Y = gamma X where X > 0, else gamma alpha (exp X - 1). dX = gamma dY, or dY (Y + gamma alpha), as PyTorch. */
export const selu = rule<"Selu">({
  X: (c) => {
    const gamma = floatOf(c.node, "gamma", 1.0507010221481323);
    return c.b.mul(c.dy, saturating(c, c.x.X, gamma, gamma * floatOf(c.node, "alpha", 1.6732631921768188)));
  },
});

/** `right` where X > 0, else Y + `left`. */
function saturating(c: Context, x: Value, right: number, left: number): Value {
  const { b } = c;
  const negative = b.add(b.op("Min", [c.y, scalarOf(c, 0)]), scalarOf(c, left));
  return left === right ? negative : b.add(negative, b.mul(positive(c, x), scalarOf(c, right - left)));
}

/** Y = X where X > 0, else alpha (exp(X / alpha) - 1). dX = dY, or dY (Y / alpha + 1); dY at 0, as PyTorch. */
export const celu = rule<"Celu">({
  X: (c) => {
    const { b, node, y, dy } = c;
    const slope = b.mul(b.op("Min", [y, scalarOf(c, 0)]), scalarOf(c, 1 / floatOf(node, "alpha", 1)));
    return b.mul(dy, b.add(slope, scalarOf(c, 1)));
  },
});

// --- shared ----------------------------------------------------------------------------------------------------------

interface Context {
  readonly b: GraphBuilder;
  readonly y: Value;
  readonly dtypeOf: (value: Value) => DType;
}

const scalarOf = (c: Context, value: number): Value => c.b.scalar(value, c.dtypeOf(c.y));

const elements = (c: Context, value: Value): Elements => ({ b: c.b, value, dtype: c.dtypeOf(c.y) });

/** 1 where the value is positive, else 0. */
const positive = (c: Context, value: Value): Value => isGreater(elements(c, value), 0);
