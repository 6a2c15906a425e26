/** Cases of the gradient rules of operators that move elements. */
import { int, ints, string } from "../../../src/graph/attributes.ts";
import { int64, scalar } from "../../../src/tensor/tensor.ts";
import { absent, axes, type Case, type Input, UNARY, x } from "./case.ts";

const SCALAR_AXIS = (axis: number) => ({ shape: [], constant: int64([axis], []) });

const ratio = (value: number): Input => ({ shape: [], constant: scalar("float32", value) });
const training = (value: 0 | 1): Input => ({ shape: [], constant: scalar("bool", value) });

export const MOVEMENT: readonly Case[] = [
  ...UNARY.map((input) => ({ op: "Identity" as const, inputs: [input] })),
  { op: "Cast", inputs: [x(2, 3)], attributes: { to: int(1) }, float32: true },
  { op: "CastLike", inputs: [x(2, 3), { shape: [], constant: scalar("float64", 0) }] },
  { op: "Reshape", inputs: [x(2, 6), axes(3, 4)] },
  { op: "Reshape", inputs: [x(2, 0, 3), axes(0, 5)], attributes: { allowzero: int(1) } },
  { op: "Flatten", inputs: [x(2, 0, 3)], attributes: { axis: int(2) } },
  { op: "Flatten", inputs: [x(2, 3, 4)], attributes: { axis: int(1) } },
  { op: "Squeeze", inputs: [x(2, 1, 3), axes(1)] },
  { op: "Squeeze", inputs: [x(1, 3, 1)] },
  { op: "Unsqueeze", inputs: [x(2, 3), axes(0, 3)] },
  { op: "Transpose", inputs: [x(2, 3, 4)] },
  { op: "Transpose", inputs: [x(2, 3, 4)], attributes: { perm: ints([2, 0, 1]) } },
  ...[
    { inputs: [x(2, 3)], axis: 0 },
    { inputs: [x(2, 3), x(2, 1), x(2, 4)], axis: 1 },
    { inputs: [x(2, 3), x(1, 3)], axis: -2 },
    { inputs: [x(2, 2), x(2, 0), x(2, 1)], axis: -1 },
    {
      inputs: [
        x(2),
        { shape: [3], constant: { dtype: "float64" as const, shape: [3], data: Float64Array.of(1, 2, 3) } },
        x(1),
      ],
      axis: 0,
    },
  ].map(({ inputs, axis }): Case => ({ op: "Concat", inputs, attributes: { axis: int(axis) } })),
  { op: "Split", inputs: [x(6, 2)], outputs: 3, attributes: { num_outputs: int(3) } },
  { op: "Split", inputs: [x(2, 7)], outputs: 3, attributes: { num_outputs: int(3), axis: int(1) } },
  { op: "Split", inputs: [x(2, 7, 2), axes(4, 0, 3)], outputs: 3, attributes: { axis: int(-2) } },
  { op: "Expand", inputs: [x(3, 1), axes(2, 1, 4)] },
  { op: "Expand", inputs: [x(), axes(2, 2)] },
  { op: "Expand", inputs: [x(2, 3), axes(1)] },
  { op: "Expand", inputs: [x(1, 3), axes(0, 3)] },
  { op: "Tile", inputs: [x(2, 3), axes(2, 2)] },
  { op: "Tile", inputs: [x(2, 1, 3), axes(1, 4, 1)] },
  { op: "Tile", inputs: [x(2, 3), axes(0, 1)] },
  { op: "DepthToSpace", inputs: [x(2, 8, 2, 3)], attributes: { blocksize: int(2) } },
  { op: "DepthToSpace", inputs: [x(2, 18, 1, 2)], attributes: { blocksize: int(3), mode: string("CRD") } },
  { op: "SpaceToDepth", inputs: [x(2, 2, 4, 6)], attributes: { blocksize: int(2) } },
  { op: "Trilu", inputs: [x(3, 4)] },
  { op: "Trilu", inputs: [x(2, 3, 4), SCALAR_AXIS(-1)], attributes: { upper: int(0) } },
  { op: "Trilu", inputs: [x(3, 3), SCALAR_AXIS(1)], attributes: { upper: int(1) } },
  ...[0, 1].flatMap((exclusive) =>
    [0, 1].map(
      (reverse): Case => ({
        op: "CumSum",
        inputs: [x(2, 4), SCALAR_AXIS(reverse ? 0 : -1)],
        attributes: { exclusive: int(exclusive), reverse: int(reverse) },
      }),
    ),
  ),
  { op: "Dropout", inputs: [x(2, 3)] },
  { op: "Dropout", inputs: [x(2, 3), ratio(0.25)] },
  { op: "Dropout", inputs: [x(2, 3), absent, training(0)] },
];
