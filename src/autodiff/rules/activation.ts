/** Gradient rules of activation functions. */
import { rule } from "../rule.ts";

/** Y = max(X, 0). dX = dY where X > 0, else 0 (subgradient 0 at the kink, as PyTorch). */
export const relu = rule<"Relu">({ X: ({ b, y, dy }) => b.mul(dy, b.op("Sign", [y])) });

/** Y = 1 / (1 + exp(-X)). dX = dY Y (1 - Y), written dY (Y - Y²). */
export const sigmoid = rule<"Sigmoid">({ X: ({ b, y, dy }) => b.mul(dy, b.sub(y, b.mul(y, y))) });

/** Y = tanh X. dX = dY (1 - Y²), written dY - dY Y². */
export const tanh = rule<"Tanh">({ input: ({ b, y, dy }) => b.sub(dy, b.mul(dy, b.mul(y, y))) });

/** Y = log(1 + exp X). dX = dY sigmoid(X). */
export const softplus = rule<"Softplus">({ X: ({ b, x, dy }) => b.mul(dy, b.sigmoid(x.X)) });
