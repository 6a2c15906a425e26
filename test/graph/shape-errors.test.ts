import { describe, expect, test } from "vitest";
import { int, ints } from "../../src/graph/attributes.ts";
import type { GraphBuilder } from "../../src/graph/builder.ts";
import type { Shape, Value } from "../../src/graph/graph.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import { shapeOf } from "./infer-shape.ts";

describe("inputs that cannot go together", () => {
  const zeros = (...shape: number[]): Tensor => float32(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));
  const wrong: [string, string, Record<string, Shape>, (b: GraphBuilder) => Value][] = [
    [
      "channels of a convolution",
      'Conv "conv" requires an input with 3 channels',
      { x: [1, 4, 8, 8] },
      (b) => b.op("Conv", ["x", b.constant(zeros(2, 3, 3, 3))]),
    ],
    [
      "a value beyond any memory",
      'Expand "expand" requires outputs of at most 2^31 elements, symbolic sizes left aside, got [n, 65536, 65536]',
      { x: ["n", 1, 1] },
      (b) => b.op("Expand", ["x", b.ints([1, 2 ** 16, 2 ** 16])]),
    ],
    [
      "an input smaller than the kernel",
      'Conv "conv" requires a padded input',
      { x: [1, 3, 2, 2] },
      (b) => b.op("Conv", ["x", b.constant(zeros(2, 3, 3, 3))]),
    ],
    [
      "an input smaller than the kernel by a stride",
      'MaxPool "maxpool" requires a padded input of at least 2 along spatial axis 1',
      { x: [1, 3, 2, 1] },
      (b) => b.op("MaxPool", ["x"], { kernel_shape: ints([3, 3]), strides: ints([2, 2]), ceil_mode: int(1) }),
    ],
    [
      "inner sizes of Gemm",
      'Gemm "gemm" requires matrices with equal inner sizes, got [2, 3] and [4, 5]',
      { x: [2, 3] },
      (b) => b.op("Gemm", ["x", b.constant(zeros(4, 5))]),
    ],
    [
      "inner sizes of MatMul",
      'MatMul "matmul" requires matrices',
      { x: [2, 3] },
      (b) => b.op("MatMul", ["x", b.constant(zeros(4, 5))]),
    ],
    [
      "shapes that do not broadcast",
      'Add "add" requires shapes that broadcast, got ["batch", 3] and [4]'.replaceAll('"batch"', "batch"),
      { x: ["batch", 3], y: [4] },
      (b) => b.add("x", "y"),
    ],
    [
      "a reshape that loses elements",
      'Reshape "reshape" requires an input that fits the shape [4, 4]',
      { x: [3, 5] },
      (b) => b.op("Reshape", ["x", b.ints([4, 4])]),
    ],
    [
      "a reshape that does not divide",
      'Reshape "reshape" requires an input',
      { x: [3, 5] },
      (b) => b.op("Reshape", ["x", b.ints([4, -1])]),
    ],
    [
      "a concatenation",
      'Concat "concat" requires inputs that agree',
      { x: [2, 3], y: [3, 3] },
      (b) => b.op("Concat", ["x", "y"], { axis: int(1) }),
    ],
    [
      "batch statistics",
      'BatchNormalization "batchnormalization" requires input 1 of shape [4]',
      { x: [1, 4, 2, 2] },
      (b) => b.op("BatchNormalization", ["x", ...[3, 3, 3, 3].map((n) => b.constant(zeros(n)))]),
    ],
    [
      "an axis out of range",
      'Softmax "softmax" requires an axis in [-2, 1], got 2',
      { x: [2, 3] },
      (b) => b.op("Softmax", ["x"], { axis: int(2) }),
    ],
    [
      "a squeezed axis",
      'Squeeze "squeeze" requires size 1 along axis 1',
      { x: [2, 3] },
      (b) => b.op("Squeeze", ["x", b.ints([1])]),
    ],
    [
      "labels",
      'SoftmaxCrossEntropyLoss "softmaxcrossentropyloss" requires labels',
      { x: [4, 3], y: [5] },
      (b) => b.op("SoftmaxCrossEntropyLoss", ["x", "y"]),
    ],
  ];
  wrong.push([
    "a negative size",
    'ConstantOfShape "constantofshape" requires outputs of sizes of at least 0, got [2, -3]',
    {},
    (b) => b.op("ConstantOfShape", [b.ints([2, -3])]),
  ]);
  test.each(wrong)("%s", (_, message, shapes, build) => {
    expect(() => shapeOf(shapes, build)).toThrow(
      expect.objectContaining({ code: "SHAPE_MISMATCH", message: expect.stringContaining(message) }),
    );
  });
});
