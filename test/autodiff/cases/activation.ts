/** Cases of the gradient rules of activations. */
import { awayFromZero, type Case, UNARY } from "./case.ts";

export const ACTIVATION: readonly Case[] = [
  ...(["Tanh", "Sigmoid"] as const).flatMap((op) => UNARY.map((input) => ({ op, inputs: [input] }))),
  ...UNARY.map((input) => ({ op: "Softplus" as const, inputs: [input], float32: true })),
  { op: "Relu", inputs: [awayFromZero(3, 7)] },
];
