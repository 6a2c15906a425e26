/** Cases of the gradient rules of normalization. */
import { float, int, ints } from "../../../src/graph/attributes.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { absent, type Case, type Input, positive, x } from "./case.ts";

/** A statistic of three channels. */
const constant = (values: readonly number[], float32: boolean): Input => ({
  shape: [values.length],
  constant: {
    dtype: float32 ? "float32" : "float64",
    shape: [values.length],
    data: float32 ? Float32Array.from(values) : Float64Array.from(values),
  } as Tensor, // the array belongs to the type
});

const SHAPES = [
  [4, 3, 2, 5],
  [5, 3],
  [2, 3, 7],
  [2, 3, 2, 2, 3],
];

const BATCH = [false, true].flatMap((float32) => {
  const statistics = [constant([0.3, -1, 20], float32), constant([0.5, 2, 9], float32)];
  return SHAPES.flatMap((shape): Case[] => [
    { op: "BatchNormalization", inputs: [x(...shape), x(3), x(3), ...statistics], float32 },
    {
      op: "BatchNormalization",
      inputs: [x(...shape), x(3), x(3), ...statistics],
      attributes: { training_mode: int(1), epsilon: float(0.1) },
      outputs: 3,
      counted: 1,
      float32,
    },
    {
      op: "BatchNormalization",
      inputs: [x(...shape), x(3), x(3), ...statistics],
      attributes: { training_mode: int(1), momentum: float(0.3) },
      outputs: 3,
      counted: 1,
      float32,
      step: float32 ? 3e-3 : 1e-6,
    },
  ]);
});

const LAYER = [false, true].flatMap((float32): Case[] => [
  { op: "LayerNormalization", inputs: [x(3, 5), x(5), x(5)], float32 },
  { op: "LayerNormalization", inputs: [x(2, 3, 5), x(5)], float32 },
  { op: "LayerNormalization", inputs: [x(2, 3, 5), x(3, 5), x(3, 5)], attributes: { axis: int(1) }, float32 },
  { op: "LayerNormalization", inputs: [x(2, 3, 5), x(3, 5), x(5)], attributes: { axis: int(-2) }, float32 },
  { op: "LayerNormalization", inputs: [x(2, 3, 4), x(2, 3, 4), x(2, 3, 4)], attributes: { axis: int(0) }, float32 },
  { op: "LayerNormalization", inputs: [x(2, 7), x(7), absent], attributes: { epsilon: float(0.3) }, float32 },
  { op: "RMSNormalization", inputs: [x(2, 3, 5), x(5)], opset: 23, float32 },
  { op: "RMSNormalization", inputs: [x(2, 3, 5), x(3, 5)], attributes: { axis: int(1) }, opset: 23, float32 },
  { op: "RMSNormalization", inputs: [x(3, 5), x(5)], attributes: { epsilon: float(0.5) }, opset: 23, float32 },
]);

const GROUP = [
  ...[
    [2, 4, 3],
    [2, 4, 3, 2],
    [3, 4, 2, 1, 3],
  ].flatMap((shape): Case[] => [
    { op: "InstanceNormalization", inputs: [x(...shape), x(4), x(4)], float32: true, step: 3e-3 },
    ...[1, 2, 4].map(
      (groups): Case => ({
        op: "GroupNormalization",
        inputs: [x(...shape), x(groups), x(groups)],
        attributes: { num_groups: int(groups), epsilon: float(0.01) },
      }),
    ),
    ...[1, 2, 4].map(
      (groups): Case => ({
        op: "GroupNormalization",
        inputs: [x(...shape), x(4), x(4)],
        attributes: { num_groups: int(groups), stash_type: int(11) }, // otherwise it computes in float32
        opset: 21,
      }),
    ),
  ]),
  { op: "InstanceNormalization", inputs: [x(2, 3, 5), x(3), x(3)], attributes: { epsilon: float(0.3) }, float32: true },
  {
    op: "GroupNormalization",
    inputs: [x(2, 4, 5), x(4), x(4)],
    attributes: { num_groups: int(2) },
    opset: 21,
    float32: true,
  },
] satisfies Case[];

export const NORMALIZATION: readonly Case[] = [
  ...BATCH,
  ...LAYER,
  ...GROUP,
  ...[1, 2].flatMap((p): Case[] => [
    { op: "LpNormalization", inputs: [positive(3, 4)], attributes: { p: int(p) } },
    { op: "LpNormalization", inputs: [x(2, 3, 4)], attributes: { p: int(p), axis: int(1) } },
  ]),
  { op: "LpNormalization", inputs: [x(3, 4)] },
  { op: "MeanVarianceNormalization", inputs: [x(2, 3, 4, 2)], float32: true },
  { op: "MeanVarianceNormalization", inputs: [x(2, 3, 4, 2)], attributes: { axes: ints([1, 2, 3]) }, float32: true },
  ...[1, 3, 5].map(
    (size): Case => ({
      op: "LRN",
      inputs: [x(2, 6, 3, 2)],
      attributes: { size: int(size), alpha: float(0.7), beta: float(0.6), bias: float(1.5) },
      float32: true,
      step: 3e-3,
    }),
  ),
  { op: "LRN", inputs: [x(2, 6, 3, 2)], attributes: { size: int(5) }, float32: true },
];
