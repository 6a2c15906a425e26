/** Small calls of every operator with a shape rule: what shape inference, folding and upgrading are checked on. */
import { float, int, ints, string } from "../../src/graph/attributes.ts";
import { float32, int64, tensor } from "../../src/tensor/tensor.ts";
import { bools, call, fed, list, type OperatorCase, scalar, w, whole, x } from "./operator-call.ts";

const elementwise = [
  ..."Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Clip Cos Cosh Elu Erf Exp Floor HardSigmoid HardSwish Identity LeakyRelu Log Mish Neg Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Tan Tanh ThresholdedRelu"
    .split(" ")
    .map((op) => call(op, [x(2, 3)])),
  call("Clip", [x(2, 3), scalar(0), scalar(6)]),
  call("Gelu", [x(2, 3)], { opset: 20 }),
  call("Trilu", [x(3, 4)]),
  call("com.microsoft.Gelu", [x(2, 3)]),
  call("com.microsoft.QuickGelu", [x(2, 3)]),
  call("com.microsoft.BiasGelu", [x(2, 3), w(3)]),
  call("com.microsoft.FastGelu", [x(2, 3)]),
  call("com.microsoft.FastGelu", [x(2, 3), w(3)]),
  call("BitwiseNot", [fed(tensor("int32", [3], Int32Array.of(1, 2, 3)))]),
  call("Cast", [x(2, 3)], { attributes: { to: int(7) } }),
  call("Cast", [x(2, 3)], { attributes: { to: int(9) } }),
  call("Cast", [x(2, 3)], { attributes: { to: int(10) } }),
  call("CastLike", [x(2, 3), list(1)]),
  ..."Add Sub Mul Div Max Min Mean Sum Pow"
    .split(" ")
    .flatMap((op) => [
      call(op, [x(2, 3), x(2, 3)]),
      call(op, [x(2, 1, 4), x(3, 1)]),
      call(op, [x(2, 3), scalar(2)]),
      call(op, [x(), x(4)]),
    ]),
  call("Max", [x(2, 1), x(1, 3), x(4, 1, 1)]),
  call("Sum", [x(2, 1), x(1, 3), x(4, 1, 1)]),
  call("Mod", [fed(list(5, 7)), list(3)]),
  call("PRelu", [x(2, 3, 4, 4), w(3, 1, 1)]),
  call("Where", [bools(1, 0, 1), x(2, 1), x(2, 3)]),
  ..."BitwiseAnd BitwiseOr BitwiseXor".split(" ").map((op) => call(op, [fed(list(5, 7)), list(3)])),
  ..."And Or Xor".split(" ").map((op) => call(op, [bools(1, 0), bools(1, 1)])),
  ..."Equal Greater GreaterOrEqual Less LessOrEqual".split(" ").map((op) => call(op, [x(2, 1), x(3)])),
  call("Not", [bools(1, 0)]),
  call("IsNaN", [x(2)]),
  call("IsInf", [x(2)]),
];

const same = { auto_pad: string("SAME_UPPER") };
const windows = [
  call("Conv", [x(2, 3, 8, 9), w(4, 3, 3, 3)]),
  call("Conv", [x(2, 3, 8, 9), w(4, 3, 3, 3), w(4)], {
    attributes: { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
  }),
  call("Conv", [x(2, 4, 8, 9), w(4, 1, 3, 3)], {
    attributes: { group: int(4), pads: ints([0, 0, 1, 1]), strides: ints([2, 2]) },
  }),
  call("Conv", [x(2, 3, 8, 9), w(4, 3, 3, 3)], { attributes: { dilations: ints([2, 3]) } }),
  call("Conv", [x(2, 3, 8, 9), w(4, 3, 3, 3)], { attributes: { ...same, strides: ints([2, 2]) } }),
  call("Conv", [x(2, 3, 8, 9), w(4, 3, 3, 3)], { attributes: { auto_pad: string("VALID"), strides: ints([2, 2]) } }),
  call("Conv", [x(2, 3, 9), w(4, 3, 3)]),
  call("ConvTranspose", [x(2, 3, 4, 5), w(3, 4, 3, 3)]),
  call("ConvTranspose", [x(2, 4, 4, 5), w(4, 3, 2, 2), w(6)], { attributes: { strides: ints([2, 2]), group: int(2) } }),
  call("ConvTranspose", [x(2, 3, 4, 5), w(3, 4, 3, 3)], {
    attributes: {
      strides: ints([2, 2]),
      pads: ints([1, 1, 1, 1]),
      output_padding: ints([1, 1]),
      dilations: ints([1, 2]),
    },
  }),
  call("ConvTranspose", [x(2, 3, 4, 5), w(3, 4, 3, 3)], { attributes: { ...same, strides: ints([2, 2]) } }),
  call("ConvTranspose", [x(2, 3, 4, 5), w(3, 4, 3, 3)], {
    attributes: { strides: ints([2, 2]), output_shape: ints([9, 12]) },
  }),
  ...["AveragePool", "LpPool", "MaxPool"].flatMap((op) => [
    call(op, [x(2, 3, 8, 9)], { attributes: { kernel_shape: ints([3, 3]), strides: ints([2, 2]) } }),
    call(op, [x(2, 3, 8, 9)], { attributes: { kernel_shape: ints([3, 3]), strides: ints([2, 2]), ...same } }),
    call(op, [x(2, 3, 8, 9)], {
      attributes: { kernel_shape: ints([3, 2]), strides: ints([2, 2]), ceil_mode: int(1), pads: ints([1, 0, 1, 0]) },
    }),
    // A window larger than the map, by less than a stride.
    call(op, [x(2, 3, 2, 3)], {
      attributes: { kernel_shape: ints([3, 5]), strides: ints([2, 3]), ceil_mode: int(1) },
    }),
  ]),
  // The last window would start in the padding: it is dropped.
  call("MaxPool", [x(1, 1, 5, 7)], {
    attributes: { kernel_shape: ints([1, 2]), strides: ints([3, 2]), ceil_mode: int(1), pads: ints([0, 1, 0, 1]) },
  }),
  call("MaxPool", [x(2, 3, 8, 9)], { attributes: { kernel_shape: ints([2, 2]), dilations: ints([2, 2]) }, outputs: 2 }),
  ...["GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool"].map((op) => call(op, [x(2, 3, 4, 5)])),
];

const normalization = [
  call("BatchNormalization", [x(2, 3, 4, 4), w(3), w(3), w(3), fed(float32([3], [1, 2, 3]))]),
  call("BatchNormalization", [x(2, 3, 4, 4), w(3), w(3), w(3), fed(float32([3], [1, 2, 3]))], {
    attributes: { training_mode: int(1) },
    outputs: 3,
  }),
  call("Dropout", [x(2, 3)], { outputs: 2 }),
  call("GroupNormalization", [x(2, 6, 4, 4), w(3), w(3)], { attributes: { num_groups: int(3) } }),
  ...["Hardmax", "LogSoftmax", "Softmax"].flatMap((op) => [
    call(op, [x(2, 3, 4)]),
    call(op, [x(2, 3, 4)], { attributes: { axis: int(1) } }),
  ]),
  call("InstanceNormalization", [x(2, 3, 4, 4), w(3), w(3)]),
  call("LayerNormalization", [x(2, 5, 6), w(6), w(6)], { outputs: 3 }),
  call("LayerNormalization", [x(2, 5, 6), w(5, 6)], { attributes: { axis: int(1) }, outputs: 2 }),
  call("LpNormalization", [x(2, 5, 6)], { attributes: { axis: int(1) } }),
  call("LRN", [x(2, 5, 6, 6)], { attributes: { size: int(3) } }),
  call("MeanVarianceNormalization", [x(2, 3, 4, 4)]),
  call("RMSNormalization", [x(2, 5, 6), w(6)], { opset: 23 }),
  call("Swish", [x(2, 3)], { opset: 24 }),
];

const products = [
  call("MatMul", [x(2, 3), x(3, 4)]),
  call("MatMul", [x(5, 1, 2, 3), x(6, 3, 4)]),
  call("MatMul", [x(3), x(3, 4)]),
  call("MatMul", [x(5, 2, 3), x(3)]),
  call("MatMul", [x(3), x(3)]),
  call("Gemm", [x(2, 3), w(3, 4), w(4)]),
  call("Gemm", [x(3, 2), w(4, 3), w(1, 4)], { attributes: { transA: int(1), transB: int(1) } }),
  call("Gemm", [x(2, 3), w(3, 4)]),
  call("Einsum", [x(2, 3, 4), x(2, 4, 5)], { attributes: { equation: string("bij,bjk->bik") } }),
  call("Einsum", [x(2, 3, 4), w(4, 5)], { attributes: { equation: string("... d, d e -> ... e") } }),
  call("Einsum", [x(2, 3, 6, 4), x(2, 3, 5, 4)], { attributes: { equation: string("bhid,bhjd->bhij") } }),
  call("Einsum", [x(3, 4), x(4, 5)], { attributes: { equation: string("ij,jk") } }),
];

const recurrent = [
  call("LSTM", [x(5, 2, 3), w(1, 16, 3), w(1, 16, 4)], { attributes: { hidden_size: int(4) }, outputs: 3 }),
  call("LSTM", [x(5, 2, 3), w(2, 16, 3), w(2, 16, 4)], {
    attributes: { hidden_size: int(4), direction: string("bidirectional") },
  }),
  call("GRU", [x(5, 2, 3), w(1, 12, 3), w(1, 12, 4)], { attributes: { hidden_size: int(4) }, outputs: 2 }),
  call("RNN", [x(5, 2, 3), w(1, 4, 3), w(1, 4, 4)], { attributes: { hidden_size: int(4) }, outputs: 2 }),
];

const reductions = [
  ..."L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare"
    .split(" ")
    .flatMap((kind) => [
      call(`Reduce${kind}`, [x(2, 3, 4, 5), list(2, 3)]),
      call(`Reduce${kind}`, [x(2, 3, 4, 5), list(-1)], { attributes: { keepdims: int(0) } }),
      call(`Reduce${kind}`, [x(2, 3)], { attributes: { keepdims: int(0) } }),
    ]),
  call("ReduceSum", [x(2, 3)], { attributes: { noop_with_empty_axes: int(1) } }),
  ...["ArgMax", "ArgMin"].flatMap((op) => [
    call(op, [x(2, 3)]),
    call(op, [x(2, 3, 4)], { attributes: { axis: int(-1), keepdims: int(0) } }),
  ]),
  call("CumSum", [x(2, 3), whole(1)]),
  call("TopK", [x(2, 7), list(3)], { outputs: 2 }),
  call("TopK", [x(7, 2), list(3)], { attributes: { axis: int(0) }, outputs: 2 }),
];

const movement = [
  call("Concat", [x(2, 3), x(2, 5), w(2, 1)], { attributes: { axis: int(1) } }),
  call("Concat", [x(2, 3), x(4, 3)], { attributes: { axis: int(-2) } }),
  call("Expand", [x(3, 1), list(2, 1, 4)]),
  call("Expand", [x(3, 4), list(1)]),
  call("Flatten", [x(2, 3, 4)]),
  call("Flatten", [x(2, 3, 4)], { attributes: { axis: int(0) } }),
  call("Flatten", [x(2, 3, 4)], { attributes: { axis: int(3) } }),
  call("Flatten", [x(2, 3, 4)], { attributes: { axis: int(-1) } }),
  call("Reshape", [x(8, 512, 1, 1), list(0, -1)]),
  call("Reshape", [x(8, 512, 1, 1), list(-1, 512)]),
  call("Reshape", [x(2, 3, 4), list(-1)]),
  call("Reshape", [x(2, 3, 4), list(0, 2, -1, 2)]),
  call("Reshape", [x(1), int64([], [0])]),
  call("Split", [x(2, 7), list(3, 4)], { attributes: { axis: int(1) }, outputs: 2 }),
  call("Split", [x(2, 6)], { attributes: { axis: int(-1), num_outputs: int(3) }, outputs: 3 }),
  call("Split", [x(2, 7)], { attributes: { axis: int(1), num_outputs: int(3) }, outputs: 3 }),
  call("Squeeze", [x(2, 1, 3, 1), list(-1)]),
  call("Squeeze", [x(2, 1, 3, 1)]),
  call("Tile", [x(2, 3), list(2, 3)]),
  call("Transpose", [x(2, 3, 4)]),
  call("Transpose", [x(2, 3, 4, 5)], { attributes: { perm: ints([0, 2, 3, 1]) } }),
  call("Unsqueeze", [x(2, 3), list(0, -1)]),
];

const updates = fed(float32([1, 3], [1, 2, 3]));
const selection = [
  call("Gather", [x(5, 3), list(0, -1)]),
  call("Gather", [x(5, 3), whole(1)], { attributes: { axis: int(-1) } }),
  call("Gather", [x(5, 3), fed(int64([0, 1, 2, 3], [2, 2]))], { attributes: { axis: int(0) } }),
  call("GatherElements", [x(5, 3), int64([0, 1, 2], [1, 3])]),
  call("GatherND", [x(5, 3, 2), int64([0, 1, 2, 0], [2, 2])]),
  call("GatherND", [x(2, 3, 2), int64([0, 1], [2, 1])], { attributes: { batch_dims: int(1) } }),
  call("NonZero", [x(2, 3)]),
  call("NonMaxSuppression", [x(1, 5, 4), x(1, 2, 5), whole(2)]),
  call("OneHot", [fed(list(0, 2)), whole(4), float32([2], [0, 1])]),
  call("OneHot", [fed(list(0, 2)), whole(4), float32([2], [0, 1])], { attributes: { axis: int(0) } }),
  call("Scatter", [x(5, 3), int64([0, 1, 2], [1, 3]), updates], { opset: 10 }),
  call("ScatterElements", [x(5, 3), int64([0, 1, 2], [1, 3]), updates]),
  call("ScatterND", [x(5, 3), int64([2], [1, 1]), updates]),
  call("Slice", [x(5, 6), list(1), list(2 ** 63)]),
  call("Slice", [x(5, 6), list(1, 0), list(-1, 100)]),
  call("Slice", [x(5, 6), list(-3), list(2 ** 63), list(1)]),
  call("Slice", [x(5, 6), list(0), list(2 ** 63), list(-1), list(2)]),
  call("Slice", [x(5, 6), list(-1), list(-(2 ** 63)), list(1), list(-1)]),
  call("Slice", [x(5, 6), list(4, 5), list(0, 1), list(0, 1), list(-2, -3)]),
  call("Slice", [x(5, 6), list(3), list(2), list(0)]),
];

const asymmetric = {
  mode: string("nearest"),
  coordinate_transformation_mode: string("asymmetric"),
  nearest_mode: string("floor"),
};
const spatial = [
  call("DepthToSpace", [x(2, 8, 3, 4)], { attributes: { blocksize: int(2) } }),
  call("SpaceToDepth", [x(2, 2, 6, 4)], { attributes: { blocksize: int(2) } }),
  call("GridSample", [x(2, 3, 4, 4), x(2, 5, 6, 2)]),
  call("RoiAlign", [x(1, 2, 8, 8), w(3, 4), list(0, 0, 0)], { attributes: { output_height: int(3) } }),
  call("Pad", [x(2, 3), list(0, 1, 2, 3)]),
  call("Pad", [x(2, 3, 4, 5), list(1, -1, 2, 0), undefined, list(2, -1)]),
  call("Pad", [x(2, 3), list(0, 1, 0, 1)], { attributes: { mode: string("reflect") } }),
  call("Resize", [x(1, 2, 3, 4), undefined, float32([4], [1, 1, 2, 2])], { attributes: asymmetric }),
  call("Resize", [x(1, 2, 5, 7), undefined, float32([4], [1, 1, 0.5, 1.7])], {
    attributes: { mode: string("linear") },
  }),
  call("Resize", [x(1, 2, 3, 4), undefined, undefined, list(1, 2, 7, 9)], { attributes: { mode: string("linear") } }),
  call("Resize", [x(1, 2, 3, 4), undefined, undefined, list(7, 9)], { attributes: { axes: ints([2, 3]) } }),
  call("Resize", [x(1, 2, 3, 4), undefined, undefined, list(7, 7)], {
    attributes: { axes: ints([2, 3]), keep_aspect_ratio_policy: string("not_larger") },
  }),
  call("Resize", [x(1, 2, 3, 4), undefined, undefined, list(7, 7)], {
    attributes: { axes: ints([2, 3]), keep_aspect_ratio_policy: string("not_smaller") },
  }),
  call("Upsample", [x(1, 2, 3, 4), float32([4], [1, 1, 2, 3])], { opset: 9 }),
];

const generation = [
  call("Bernoulli", [fed(float32([2], [0.5, 0.25]))]),
  call("Constant", [], { attributes: { value: { kind: "tensor", value: w(2, 3) } } }),
  call("Constant", [], { attributes: { value_int: int(3) } }),
  call("Constant", [], { attributes: { value_ints: ints([3, 4]) } }),
  call("Constant", [], { attributes: { value_float: float(0.5) } }),
  call("Constant", [], { attributes: { value_floats: { kind: "floats", value: [0.5, 1] } } }),
  call("ConstantOfShape", [list(2, 3)]),
  call("ConstantOfShape", [list(2)], { attributes: { value: { kind: "tensor", value: list(7) } } }),
  call("EyeLike", [x(3, 4)]),
  call("RandomNormal", [], { attributes: { shape: ints([2, 3]) } }),
  call("RandomNormalLike", [x(2, 3)]),
  call("RandomUniform", [], { attributes: { shape: ints([2, 3]) } }),
  call("RandomUniformLike", [x(2, 3)], { attributes: { dtype: int(1) } }),
  call("Range", [whole(2), whole(11), whole(3)]),
  call("Range", [scalar(0), scalar(1), scalar(0.25)]),
  call("Shape", [x(2, 3, 4)]),
  call("Shape", [x(2, 3, 4)], { attributes: { start: int(1), end: int(-1) } }),
  call("Size", [x(2, 3, 4)]),
];

const losses = ["SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss"].flatMap((op) => [
  call(op, [x(2, 3), fed(list(0, 2))]),
  call(op, [x(2, 3), fed(list(0, 2))], {
    attributes: { reduction: string("none") },
    outputs: op.startsWith("Soft") ? 2 : 1,
  }),
  call(op, [x(2, 3, 4), fed(int64([0, 1, 2, 0, 1, 2, 0, 1], [2, 4])), w(3)], {
    attributes: { reduction: string("none") },
  }),
]);

/** All calls, by family. */
export const OPERATOR_CASES: readonly OperatorCase[] = [
  ...elementwise,
  ...windows,
  ...normalization,
  ...products,
  ...reductions,
  ...recurrent,
  ...movement,
  ...selection,
  ...spatial,
  ...generation,
  ...losses,
];
