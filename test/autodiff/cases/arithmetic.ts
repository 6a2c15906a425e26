/** Cases of the gradient rules of element-by-element arithmetic. */
import { int } from "../../../src/graph/attributes.ts";
import { int64, type Tensor } from "../../../src/tensor/tensor.ts";
import {
  aboveOne,
  awayFromZero,
  BROADCASTS,
  type Case,
  distinct,
  type Input,
  insideOne,
  positive,
  UNARY,
  x,
} from "./case.ts";

/** A float64 constant, or a float32 one. */
const constant = (values: readonly number[], shape: readonly number[] = [values.length], narrow = false): Input => ({
  shape,
  constant: {
    dtype: narrow ? "float32" : "float64",
    shape,
    data: narrow ? Float32Array.from(values) : Float64Array.from(values),
  } as Tensor, // the array belongs to the type
});
const condition = (values: readonly number[], shape: readonly number[]): Input => ({
  shape,
  constant: { dtype: "bool", shape, data: Uint8Array.from(values) },
});

export const ARITHMETIC: readonly Case[] = [
  ...(["Add", "Sub", "Mul"] as const).flatMap((op) => BROADCASTS.map((inputs) => ({ op, inputs }))),
  ...BROADCASTS.map(([a, b]) => ({ op: "Div" as const, inputs: [a!, { ...b!, domain: "positive" as const }] })),
  ...(["Neg", "Exp"] as const).flatMap((op) => UNARY.map((input) => ({ op, inputs: [input] }))),
  { op: "Abs", inputs: [awayFromZero(7)] },
  { op: "Log", inputs: [positive(7)] },
  { op: "Sqrt", inputs: [positive(7)] },
  { op: "Reciprocal", inputs: [positive(7)] },
  { op: "Mod", inputs: [constant([7.3, -5.2, 9.9]), positive(3)], attributes: { fmod: int(1) } },
  { op: "Mod", inputs: [x(2, 3), constant([0.07, 90, 80])], attributes: { fmod: int(1) } },
  ...UNARY.map((input): Case => ({ op: "Erf", inputs: [input], float32: true })),
  // Functions of angles.
  ...(["Sin", "Cos"] as const).flatMap((op) => UNARY.map((input) => ({ op, inputs: [input] }))),
  ...(["Atan", "Sinh", "Cosh", "Asinh"] as const).map((op): Case => ({ op, inputs: [x(2, 4)], float32: true })),
  ...(["Tan", "Asin", "Acos", "Atanh"] as const).map(
    (op): Case => ({ op, inputs: [insideOne(9)], float32: true, step: 2e-3 }),
  ),
  { op: "Acosh", inputs: [aboveOne(9)], float32: true },
  // Powers.
  ...BROADCASTS.map(([a, b]): Case => ({ op: "Pow", inputs: [{ ...a!, domain: "positive" }, b!] })),
  ...BROADCASTS.map(([a, b]): Case => ({ op: "Pow", inputs: [{ ...a!, domain: "positive" }, b!], float32: true })),
  ...[0, 1, 2, 3, 0.5, -1, -0.5, 1.7].flatMap((exponent): Case[] => [
    { op: "Pow", inputs: [positive(2, 3), constant([exponent], [])] },
    { op: "Pow", inputs: [positive(2, 3), constant([exponent], [1, 1, 1])] },
  ]),
  { op: "Pow", inputs: [awayFromZero(2, 3), constant([2], [])] },
  { op: "Pow", inputs: [awayFromZero(2, 3), constant([2, 3, 0])] },
  { op: "Pow", inputs: [awayFromZero(2, 3), { shape: [3], constant: int64([3, 0, -2]) }] },
  // Any number of inputs.
  ...(["Sum", "Max", "Min"] as const).flatMap((op): Case[] => [
    { op, inputs: [x(2, 3)] },
    ...BROADCASTS.map((inputs) => ({ op, inputs })),
    { op, inputs: [x(2, 3), x(3), x(4, 1, 1), x()] },
  ]),
  ...(["Max", "Min"] as const).flatMap((op): Case[] => [
    { op, inputs: [distinct(4, 5), constant([0.25], [], true)], float32: true },
    { op, inputs: [distinct(4, 5), constant([0.25, 1.25, 2.25, 3.25, -0.75], [5], true)], float32: true },
    { op, inputs: [distinct(4, 5), constant([0.25], [], true), constant([1.25], [], true)], float32: true },
  ]),
  { op: "Mean", inputs: [x(2, 3)], float32: true },
  { op: "Mean", inputs: [x(2, 3), x(3), x(4, 1, 1), x()], float32: true },
  // Where.
  ...[
    [x(2, 3), x(2, 3)],
    [x(3), x()],
    [x(2, 1), x(1, 3)],
  ].map((values): Case => ({ op: "Where", inputs: [condition([1, 0, 0, 1, 1, 0], [2, 3]), ...values] })),
  { op: "Where", inputs: [condition([1, 0], [2, 1, 1]), x(2, 3), x(3)] },
  // Nothing at all.
  ...(["Add", "Mul", "Div", "Pow", "Max", "Sum"] as const).map((op): Case => ({ op, inputs: [x(0, 3), x(3)] })),
];
