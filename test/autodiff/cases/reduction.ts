/** Cases of the gradient rules of reductions. */
import { int } from "../../../src/graph/attributes.ts";
import { axes, type Case, x } from "./case.ts";

export const REDUCTION: readonly Case[] = [
  ...(["ReduceSum", "ReduceMean"] as const).flatMap((op) =>
    [0, 1].flatMap((keepdims): Case[] => [
      { op, inputs: [x(2, 3, 4), axes(1)], attributes: { keepdims: int(keepdims) } },
      { op, inputs: [x(2, 3, 4), axes(-1, 0)], attributes: { keepdims: int(keepdims) } },
      { op, inputs: [x(2, 3)], attributes: { keepdims: int(keepdims) } },
      { op, inputs: [x()], attributes: { keepdims: int(keepdims) } },
    ]),
  ),
];
