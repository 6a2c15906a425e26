/** Cases of the gradient rules of activations. */
import { float, string } from "../../../src/graph/attributes.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { absent, awayFromZero, type Case, type Input, kinked, UNARY, x } from "./case.ts";

/** A bound of Clip. */
const bound = (value: number, float32 = false): Input => ({
  shape: [],
  constant: {
    dtype: float32 ? "float32" : "float64",
    shape: [],
    data: float32 ? Float32Array.of(value) : Float64Array.of(value),
  } as Tensor, // the array belongs to the type
});

const CLIPS = [
  { bounds: [0, 6], kinks: [0, 6] },
  { bounds: [-1.5, 0.1], kinks: [-1.5, 0.1] },
  { bounds: [2.5], kinks: [2.5] },
  { bounds: [undefined, 0.5], kinks: [0.5] },
  { bounds: [-3.4028234663852886e38, 1], kinks: [1] },
  { bounds: [], kinks: [] },
];

/** What is piecewise, in both types: float32 has masks of its own. */
const PIECEWISE = [false, true].flatMap((float32): Case[] => [
  { op: "Relu", inputs: [awayFromZero(3, 7)], float32 },
  { op: "Relu", inputs: [x(0, 7)], float32 },
  { op: "ThresholdedRelu", inputs: [kinked([1], 3, 7)], float32 },
  { op: "ThresholdedRelu", inputs: [kinked([0.3], 3, 7)], attributes: { alpha: float(0.3) }, float32 },
  ...[undefined, 0.2, 0, 1, -0.5, 2].map(
    (alpha): Case => ({
      op: "LeakyRelu",
      inputs: [kinked([0], 3, 7)],
      ...(alpha !== undefined && { attributes: { alpha: float(alpha) } }),
      float32,
    }),
  ),
  ...[[3, 7], [7], [1], [], [3, 1]].map(
    (slope): Case => ({ op: "PRelu", inputs: [kinked([0], 2, 3, 7), x(...slope)], float32 }),
  ),
  ...CLIPS.map(
    ({ bounds, kinks }): Case => ({
      op: "Clip",
      inputs: [kinked(kinks, 4, 9), ...bounds.map((value) => (value === undefined ? absent : bound(value, float32)))],
      float32,
    }),
  ),
  { op: "HardSigmoid", inputs: [kinked([-2.5, 2.5], 3, 7)], float32 },
  {
    op: "HardSigmoid",
    inputs: [kinked([-3, 3], 3, 7)],
    attributes: { alpha: float(1 / 6), beta: float(0.5) },
    float32,
  },
  { op: "HardSwish", inputs: [kinked([-3, 3], 5, 7)], float32 },
  { op: "HardSwish", inputs: [x()], float32 },
  { op: "Elu", inputs: [kinked([0], 3, 7)], float32 },
  { op: "Elu", inputs: [kinked([0], 3, 7)], attributes: { alpha: float(0.3) }, float32 },
  { op: "Selu", inputs: [kinked([0], 3, 7)], float32 },
  {
    op: "Selu",
    inputs: [kinked([0], 3, 7)],
    attributes: { alpha: float(0.7), gamma: float(1.3) },
    float32,
  },
]);

export const ACTIVATION: readonly Case[] = [
  ...PIECEWISE,
  // Shrink has a float64 kernel that computes in float32.
  { op: "Shrink", inputs: [kinked([-0.5, 0.5], 3, 7)], float32: true },
  {
    op: "Shrink",
    inputs: [kinked([-1.5, 1.5], 3, 7)],
    attributes: { lambd: float(1.5), bias: float(1.5) },
    float32: true,
  },
  { op: "Celu", inputs: [kinked([0], 3, 7)], float32: true },
  { op: "Celu", inputs: [kinked([0], 3, 7)], attributes: { alpha: float(0.4) }, float32: true },
  ...(["Tanh", "Sigmoid", "Softsign", "Mish"] as const).flatMap((op) =>
    UNARY.map((input) => ({ op, inputs: [input] })),
  ),
  { op: "Mish", inputs: [kinked([], 4, 9)] },
  ...UNARY.map((input) => ({ op: "Softplus" as const, inputs: [input], float32: true })),
  ...UNARY.map((input) => ({ op: "Gelu" as const, inputs: [input], opset: 20, float32: true })),
  { op: "Gelu", inputs: [kinked([], 4, 9)], opset: 20, float32: true },
  { op: "Gelu", inputs: [kinked([], 4, 9)], attributes: { approximate: string("tanh") }, opset: 20 },
  { op: "Gelu", inputs: [x(3, 5)], attributes: { approximate: string("tanh") }, opset: 20, float32: true },
  // ONNX Runtime's own have float32 kernels alone.
  { op: "com.microsoft.Gelu", inputs: [kinked([], 4, 9)], float32: true },
  { op: "com.microsoft.BiasGelu", inputs: [kinked([], 4, 9), x(9)], float32: true },
  { op: "com.microsoft.BiasGelu", inputs: [x(2, 3, 4), x(4)], float32: true },
  { op: "com.microsoft.FastGelu", inputs: [kinked([], 4, 9)], float32: true },
  { op: "com.microsoft.FastGelu", inputs: [x(2, 3, 4), x(4)], float32: true },
  { op: "com.microsoft.QuickGelu", inputs: [kinked([], 4, 9)], float32: true },
  { op: "com.microsoft.QuickGelu", inputs: [x(3, 4)], attributes: { alpha: float(0.7) }, float32: true },
  { op: "Swish", inputs: [kinked([], 4, 9)], opset: 24 },
  { op: "Swish", inputs: [x(2, 3)], attributes: { alpha: float(1.7) }, opset: 24 },
];
