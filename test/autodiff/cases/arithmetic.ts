/** Cases of the gradient rules of element-by-element arithmetic. */
import { awayFromZero, BROADCASTS, type Case, positive, UNARY } from "./case.ts";

export const ARITHMETIC: readonly Case[] = [
  ...(["Add", "Sub", "Mul"] as const).flatMap((op) => BROADCASTS.map((inputs) => ({ op, inputs }))),
  ...BROADCASTS.map(([a, b]) => ({ op: "Div" as const, inputs: [a!, { ...b!, domain: "positive" as const }] })),
  ...(["Neg", "Exp"] as const).flatMap((op) => UNARY.map((input) => ({ op, inputs: [input] }))),
  { op: "Abs", inputs: [awayFromZero(7)] },
  { op: "Log", inputs: [positive(7)] },
  { op: "Sqrt", inputs: [positive(7)] },
];
