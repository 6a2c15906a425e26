/** Gradient rules of element-by-element arithmetic. */
import { broadcasting, rule } from "../rule.ts";

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

/** Y = -X. dX = -dY. */
export const neg = rule<"Neg">({ X: ({ b, dy }) => b.neg(dy) });

/** Y = |X|. dX = dY sign(X); 0 at 0, as PyTorch. */
export const abs = rule<"Abs">({ X: ({ b, x, dy }) => b.mul(dy, b.op("Sign", [x.X])) });

/** Y = exp X. dX = dY Y. */
export const exp = rule<"Exp">({ input: ({ b, y, dy }) => b.mul(dy, y) });

/** Y = log X. dX = dY / X; infinite at 0, as PyTorch. */
export const log = rule<"Log">({ input: ({ b, x, dy }) => b.div(dy, x.input) });

/** Y = √X. dX = dY / 2Y; infinite at 0, as PyTorch. */
export const sqrt = rule<"Sqrt">({ X: ({ b, y, dy }) => b.div(dy, b.add(y, y)) });
