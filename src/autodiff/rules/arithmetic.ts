/** Gradient rules of element-by-element arithmetic. */
import type { Value } from "../../graph/graph.ts";
import { toNumbers } from "../../tensor/tensor.ts";
import { broadcasting, rule, type VjpContext, type VjpRule } from "../rule.ts";
import { shareOfGreater } from "./mask.ts";

/** Y = A + B. dA = dB = dY. */
export const add = broadcasting<"Add">({ A: ({ dy }) => dy, B: ({ dy }) => dy });

/** Y = A - B. dA = dY, dB = -dY. */
export const sub = broadcasting<"Sub">({ A: ({ dy }) => dy, B: ({ b, dy }) => b.neg(dy) });

/** Y = A B. dA = dY B, dB = dY A. */
export const mul = broadcasting<"Mul">({
  A: ({ b, x, dy }) => b.mul(dy, x.B),
  B: ({ b, x, dy }) => b.mul(dy, x.A),
});

/** Y = A / B. dA = dY / B, dB = -dY Y / B. */
export const div = broadcasting<"Div">({
  A: ({ b, x, dy }) => b.div(dy, x.B),
  B: ({ b, x, y, dy }) => b.neg(b.div(b.mul(dy, y), x.B)),
});

/** Y = A - B trunc(A / B). dA = dY, dB = -dY trunc(A / B), taken as (A - Y) / B. */
export const mod = broadcasting<"Mod">({
  A: ({ dy }) => dy,
  B: ({ b, x, y, dy }) => b.mul(dy, b.div(b.sub(y, x.A), x.B)),
});

/** Y = -X. dX = -dY. */
export const neg = rule<"Neg">({ X: ({ b, dy }) => b.neg(dy) });

/** Y = |X|. dX = dY sign(X); 0 at 0, as PyTorch. */
export const abs = rule<"Abs">({ X: ({ b, x, dy }) => b.mul(dy, b.op("Sign", [x.X])) });

/** Y = 1 / X. dX = -dY Y²; infinite at 0, as PyTorch. */
export const reciprocal = rule<"Reciprocal">({ X: ({ b, y, dy }) => b.neg(b.mul(dy, b.mul(y, y))) });

/** Y = exp X. dX = dY Y. */
export const exp = rule<"Exp">({ input: ({ b, y, dy }) => b.mul(dy, y) });

/** Y = log X. dX = dY / X; infinite at 0, as PyTorch. */
export const log = rule<"Log">({ input: ({ b, x, dy }) => b.div(dy, x.input) });

/** Y = √X. dX = dY / 2Y; infinite at 0, as PyTorch. */
export const sqrt = rule<"Sqrt">({ X: ({ b, y, dy }) => b.div(dy, b.add(y, y)) });

/** Y = erf X. dX = dY 2/√π exp(-X²). */
export const erf = rule<"Erf">({
  input: ({ b, x, dy, dtypeOf }) => {
    const slope = b.mul(b.exp(b.neg(b.mul(x.input, x.input))), b.scalar(2 / Math.sqrt(Math.PI), dtypeOf(x.input)));
    return b.mul(dy, slope);
  },
});

/**
 * Y = A^B. dA = dY B A^(B-1), dB = dY Y log A. A whole number as exponent takes no power where products do. As PyTorch:
 * dA is 0 where B is 0; dB is 0 where A is 0 and B is not negative, and NaN where A is negative. An exponent that is a
 * constant of the graph is read as it is; one that is trained is an input.
 */
export const pow = broadcasting<"Pow">({
  X: (c) => {
    const { b, x, dy, dtypeOf } = c;
    const dtype = dtypeOf(x.X);
    const constant = c.constantOf(x.Y);
    const exponents = constant && constant.data.length === 1 ? toNumbers(constant) : [];
    if (exponents.length === 1) return b.mul(dy, powerSlope(c, exponents[0]!));
    const exponent = dtypeOf(x.Y) === dtype ? x.Y : b.cast(x.Y, dtype);
    const isZero = b.cast(b.op("Equal", [exponent, b.scalar(0, dtype)]), dtype);
    // B = 0 takes A^0 = 1 in place of A^-1, which is infinite at 0: B times it is 0 either way.
    const lower = b.add(b.sub(exponent, b.scalar(1, dtype)), isZero);
    return b.mul(dy, b.mul(exponent, b.op("Pow", [x.X, lower])));
  },
  Y: ({ b, x, y, dy, dtypeOf }) => {
    const [dtype, own] = [dtypeOf(x.X), dtypeOf(x.Y)];
    const zeroBase = b.op("Equal", [x.X, b.scalar(0, dtype)]);
    const notNegative = b.op("GreaterOrEqual", [x.Y, b.scalar(0, own)]);
    const isFlat = b.cast(b.op("And", [zeroBase, notNegative]), dtype);
    const product = b.mul(dy, b.mul(y, b.op("Log", [b.add(x.X, isFlat)])));
    return own === dtype ? product : b.cast(product, own);
  },
});

/** e A^(e-1) for a known exponent e. */
function powerSlope({ b, x, y, dtypeOf }: VjpContext<"X" | "Y">, exponent: number): Value {
  const scalar = (value: number): Value => b.scalar(value, dtypeOf(x.X));
  if (exponent === 0) return scalar(0);
  if (exponent === 1) return scalar(1);
  if (exponent === 2) return b.add(x.X, x.X);
  if (exponent === 3) return b.mul(b.mul(x.X, x.X), scalar(3));
  if (exponent === 0.5) return b.div(scalar(0.5), y);
  if (exponent === -1) return b.neg(b.mul(y, y));
  return b.mul(b.op("Pow", [x.X, scalar(exponent - 1)]), scalar(exponent));
}

/** Y = the sum of all inputs. Each gets dY. */
export const sum: VjpRule<"Sum"> = { ...broadcasting<"Sum">({ data_0: ({ dy }) => dy }), variadic: true };

/** Y = the mean of all n inputs. Each gets dY / n. */
export const mean: VjpRule<"Mean"> = {
  ...broadcasting<"Mean">({
    data_0: ({ b, node, y, dy, dtypeOf }) => b.mul(dy, b.scalar(1 / node.inputs.length, dtypeOf(y))),
  }),
  variadic: true,
};

/** Y = the largest of all inputs. Inputs that tie share dY equally, as PyTorch's maximum. */
export const max: VjpRule<"Max"> = {
  ...broadcasting<"Max">({ data_0: (c) => extremum(c, (own, other) => [own, other]) }),
  variadic: true,
};

/** Y = the smallest of all inputs. Inputs that tie share dY equally, as PyTorch's minimum. */
export const min: VjpRule<"Min"> = {
  ...broadcasting<"Min">({ data_0: (c) => extremum(c, (own, other) => [other, own]) }),
  variadic: true,
};

function extremum(c: VjpContext<"data_0">, order: (own: Value, other: Value) => [Value, Value]): Value {
  const { b, node, index, y, dy, dtypeOf } = c;
  const own = node.inputs[index]!;
  if (node.inputs.length === 1) return dy;
  const dtype = dtypeOf(y);
  if (node.inputs.length === 2) {
    const [greater, less] = order(own, node.inputs[1 - index]!);
    return b.mul(dy, shareOfGreater({ b, value: greater, dtype }, less));
  }
  return b.mul(b.cast(b.op("Equal", [own, y]), dtype), shareOfTied(c));
}

/** dY divided by the number of inputs that are equal to Y. */
function shareOfTied({ b, node, y, dy, dtypeOf }: VjpContext<"data_0">): Value {
  const tied = node.inputs.map((input) => b.cast(b.op("Equal", [input, y]), dtypeOf(y)));
  return b.div(dy, b.op("Sum", tied));
}

/** Y = X where the condition holds, else Y. dX = dY where it holds, else 0; the other way round for Y. */
export const where = broadcasting<"Where">({
  condition: null,
  X: ({ b, x, y, dy, dtypeOf }) => b.op("Where", [x.condition, dy, b.scalar(0, dtypeOf(y))]),
  Y: ({ b, x, y, dy, dtypeOf }) => b.op("Where", [x.condition, b.scalar(0, dtypeOf(y)), dy]),
});
