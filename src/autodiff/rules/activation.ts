/** Gradient rules of smooth activation functions. */
import { floatOf, stringOf } from "../../graph/attributes.ts";
import type { Value } from "../../graph/graph.ts";
import { broadcasting, rule, type VjpContext } from "../rule.ts";
import { ramp } from "./mask.ts";

/** Y = 1 / (1 + exp(-X)). dX = dY Y (1 - Y), written dY (Y - Y²). */
export const sigmoid = rule<"Sigmoid">({ X: ({ b, y, dy }) => b.mul(dy, b.sub(y, b.mul(y, y))) });

/** Y = tanh X. dX = dY (1 - Y²), written dY - dY Y². */
export const tanh = rule<"Tanh">({ input: ({ b, y, dy }) => b.sub(dy, b.mul(dy, b.mul(y, y))) });

/** Y = log(1 + exp X). dX = dY sigmoid(X). */
export const softplus = rule<"Softplus">({ X: ({ b, x, dy }) => b.mul(dy, b.sigmoid(x.X)) });

/** Y = X / (1 + |X|). dX = dY / (1 + |X|)². */
export const softsign = rule<"Softsign">({
  input: (c) => {
    const { b, x, dy } = c;
    const d = b.add(b.op("Abs", [x.input]), scalarOf(c, 1));
    return b.div(dy, b.mul(d, d));
  },
});

/** Y = X S, S = sigmoid(alpha X). dX = dY (S + alpha Y (1 - S)). A composite node saves S as its second output. */
export const swish = rule<"Swish">({
  X: (c) => swishProduct(c, floatOf(c.node, "alpha", 1)),
});

/** ONNX Runtime's name for Swish with another default: Y = X sigmoid(alpha X), alpha 1.702 (arXiv:1606.08415). */
export const quickGelu = rule<"com.microsoft.QuickGelu">({
  X: (c) => swishProduct(c, floatOf(c.node, "alpha", 1.702)),
});

function swishProduct(c: VjpContext<"X">, alpha: number): Value {
  const { b, node, x, y, dy } = c;
  const s = node.outputs[1] ?? b.sigmoid(alpha === 1 ? x.X : b.mul(x.X, scalarOf(c, alpha)));
  const bend = b.sub(y, b.mul(y, s));
  return b.mul(dy, b.add(s, alpha === 1 ? bend : b.mul(bend, scalarOf(c, alpha))));
}

/**
 * Y = X T, T = tanh(log(1 + exp X)). dX = dY (T + X (1 - T²) sigmoid(X)). T = n / (n + 2) with n = e (e + 2), e = exp X,
 * which costs a third of Softplus and Tanh; beyond 20 T is 1 to the last digit.
 */
export const mish = rule<"Mish">({
  X: (c) => {
    const { b, x, dy } = c;
    const two = scalarOf(c, 2);
    const e = b.exp(b.op("Min", [x.X, scalarOf(c, 20)]));
    const n = b.mul(e, b.add(e, two));
    const t = b.div(n, b.add(n, two));
    const bend = b.mul(b.sub(scalarOf(c, 1), b.mul(t, t)), b.sigmoid(x.X));
    return b.mul(dy, b.add(t, b.mul(x.X, bend)));
  },
});

/** Y = X Φ(X), by erf or by tanh. dX = dY (Φ + X φ). A composite node saves the erf or tanh as its second output. */
export const gelu = rule<"Gelu">({
  X: (c) => {
    const tanhForm = stringOf(c.node, "approximate", "none") === "tanh";
    return c.b.mul(c.dy, tanhForm ? geluTanhSlope(c, c.x.X) : geluSlope(c, c.x.X));
  },
});

/** ONNX Runtime's name for Gelu by erf. */
export const microsoftGelu = rule<"com.microsoft.Gelu">({ X: (c) => c.b.mul(c.dy, geluSlope(c, c.x.X)) });

/** Y = gelu(A + B), by erf; B [width] is repeated. dA = dB = dY (Φ + S φ) with S = A + B. */
const biasGeluProduct = (c: VjpContext<"A" | "B">): Value => c.b.mul(c.dy, geluSlope(c, c.b.add(c.x.A, c.x.B)));
export const biasGelu = broadcasting<"com.microsoft.BiasGelu">({ A: biasGeluProduct, B: biasGeluProduct });

/** Y = gelu(X + bias), by tanh; the bias [width] may be absent. dX = dbias = dY times the slope at X + bias. */
const fastGeluProduct = (c: VjpContext<"X" | "bias">): Value =>
  c.b.mul(c.dy, geluTanhSlope(c, c.x.bias === "" ? c.x.X : c.b.add(c.x.X, c.x.bias)));
export const fastGelu = broadcasting<"com.microsoft.FastGelu">({ X: fastGeluProduct, bias: fastGeluProduct });

type SlopeContext = Pick<VjpContext<string>, "b" | "node" | "y" | "dtypeOf">;

/** Φ + X φ = ½(1 + erf Z) + Z exp(-Z²) / √π with Z = X / √2. */
function geluSlope(c: SlopeContext, x: Value): Value {
  const { b } = c;
  const z = b.mul(x, scalarOf(c, Math.SQRT1_2));
  const cdf = half(c, c.node.outputs[1] ?? b.op("Erf", [z]));
  const bell = b.mul(z, b.exp(b.neg(b.mul(z, z))));
  return b.add(cdf, b.mul(bell, scalarOf(c, 1 / Math.sqrt(Math.PI))));
}

/** ½(1 + T) + ½ X (1 - T²) U', T = tanh U, U = √(2/π) (X + 0.044715 X³). */
function geluTanhSlope(c: SlopeContext, x: Value): Value {
  const { b } = c;
  const [root, cube] = [Math.sqrt(2 / Math.PI), 0.044715];
  const xx = b.mul(x, x);
  const u = (): Value => b.mul(x, b.add(b.mul(xx, scalarOf(c, root * cube)), scalarOf(c, root)));
  const t = c.node.outputs[1] ?? b.op("Tanh", [u()]);
  const slope = b.add(b.mul(xx, scalarOf(c, 1.5 * root * cube)), scalarOf(c, 0.5 * root));
  const bend = b.mul(b.mul(x, slope), b.sub(scalarOf(c, 1), b.mul(t, t)));
  return b.add(half(c, t), bend);
}

const scalarOf = (c: Pick<VjpContext<string>, "b" | "y" | "dtypeOf">, value: number): Value =>
  c.b.scalar(value, c.dtypeOf(c.y));

/** ½(1 + value) of a value in [-1, 1]. */
const half = ({ b, y, dtypeOf }: SlopeContext, value: Value): Value => ramp({ b, value, dtype: dtypeOf(y) }, 0.5, 0.5);
