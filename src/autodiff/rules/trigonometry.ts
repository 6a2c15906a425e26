/** Gradient rules of circular and hyperbolic functions. */
import type { Value } from "../../graph/graph.ts";
import { rule, type VjpContext } from "../rule.ts";

type Context = VjpContext<"input">;

/** X². */
const square = ({ b, x }: Context): Value => b.mul(x.input, x.input);
const one = ({ b, x, dtypeOf }: Context): Value => b.scalar(1, dtypeOf(x.input));

/** Y = sin X. dX = dY cos X. */
export const sin = rule<"Sin">({ input: ({ b, x, dy }) => b.mul(dy, b.op("Cos", [x.input])) });

/** Y = cos X. dX = -dY sin X. */
export const cos = rule<"Cos">({ input: ({ b, x, dy }) => b.neg(b.mul(dy, b.op("Sin", [x.input]))) });

/** Y = tan X. dX = dY (1 + Y²), written dY + dY Y². */
export const tan = rule<"Tan">({ input: ({ b, y, dy }) => b.add(dy, b.mul(dy, b.mul(y, y))) });

/** Y = arcsin X. dX = dY / √(1 - X²); infinite at ±1, as PyTorch. */
export const asin = rule<"Asin">({ input: (c) => c.b.div(c.dy, c.b.op("Sqrt", [c.b.sub(one(c), square(c))])) });

/** Y = arccos X. dX = -dY / √(1 - X²); infinite at ±1, as PyTorch. */
export const acos = rule<"Acos">({
  input: (c) => c.b.neg(c.b.div(c.dy, c.b.op("Sqrt", [c.b.sub(one(c), square(c))]))),
});

/** Y = arctan X. dX = dY / (1 + X²). */
export const atan = rule<"Atan">({ input: (c) => c.b.div(c.dy, c.b.add(square(c), one(c))) });

/** Y = sinh X. dX = dY cosh X. */
export const sinh = rule<"Sinh">({ input: ({ b, x, dy }) => b.mul(dy, b.op("Cosh", [x.input])) });

/** Y = cosh X. dX = dY sinh X. */
export const cosh = rule<"Cosh">({ input: ({ b, x, dy }) => b.mul(dy, b.op("Sinh", [x.input])) });

/** Y = arsinh X. dX = dY / √(X² + 1). */
export const asinh = rule<"Asinh">({ input: (c) => c.b.div(c.dy, c.b.op("Sqrt", [c.b.add(square(c), one(c))])) });

/** Y = arcosh X. dX = dY / √(X² - 1); infinite at 1, as PyTorch. */
export const acosh = rule<"Acosh">({ input: (c) => c.b.div(c.dy, c.b.op("Sqrt", [c.b.sub(square(c), one(c))])) });

/** Y = artanh X. dX = dY / (1 - X²); infinite at ±1, as PyTorch. */
export const atanh = rule<"Atanh">({ input: (c) => c.b.div(c.dy, c.b.sub(one(c), square(c))) });
