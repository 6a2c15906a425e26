/** Cases of the gradient rules of operators that move elements. */
import { int, ints } from "../../../src/graph/attributes.ts";
import { int64 } from "../../../src/tensor/tensor.ts";
import { axes, type Case, UNARY, x } from "./case.ts";

export const MOVEMENT: readonly Case[] = [
  ...UNARY.map((input) => ({ op: "Identity" as const, inputs: [input] })),
  { op: "Cast", inputs: [x(2, 3)], attributes: { to: int(1) }, float32: true },
  { op: "Reshape", inputs: [x(2, 6), axes(3, 4)] },
  { op: "Flatten", inputs: [x(2, 3, 4)], attributes: { axis: int(1) } },
  { op: "Squeeze", inputs: [x(2, 1, 3), axes(1)] },
  { op: "Squeeze", inputs: [x(1, 3, 1)] },
  { op: "Unsqueeze", inputs: [x(2, 3), axes(0, 3)] },
  { op: "Transpose", inputs: [x(2, 3, 4)] },
  { op: "Transpose", inputs: [x(2, 3, 4)], attributes: { perm: ints([2, 0, 1]) } },
  {
    op: "GatherElements",
    inputs: [x(3, 4), { shape: [3, 2], constant: int64([0, 3, 1, 1, 2, 0], [3, 2]) }],
    attributes: { axis: int(1) },
  },
  { op: "GatherElements", inputs: [x(3, 2), { shape: [2, 2], constant: int64([2, 0, -1, 1], [2, 2]) }] },
];
