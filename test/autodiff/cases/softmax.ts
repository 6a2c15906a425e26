/** Cases of the gradient rules of softmax and its logarithm. */
import { int } from "../../../src/graph/attributes.ts";
import { type Case, x } from "./case.ts";

export const SOFTMAX: readonly Case[] = [
  ...(["Softmax", "LogSoftmax"] as const).flatMap((op): Case[] => [
    { op, inputs: [x(3, 5)] },
    { op, inputs: [x(2, 3, 4)], attributes: { axis: int(1) } },
    { op, inputs: [x(2, 3, 4)], attributes: { axis: int(-3) } },
    { op, inputs: [x(2, 3, 4)], float32: true },
    { op, inputs: [x(0, 4)] },
  ]),
];
