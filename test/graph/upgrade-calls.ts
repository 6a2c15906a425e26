/** Operators as older opsets write them: what upgrading is checked on. */
import { type Attribute, type Attributes, float, int, ints, string } from "../../src/graph/attributes.ts";
import { float32, int64, type Tensor, tensor } from "../../src/tensor/tensor.ts";
import { w, x } from "./operator-call.ts";

/** A call as files of an older opset write it. The first input is fed, the others are constants. */
export interface OldCall {
  readonly op: string;
  readonly opset: number;
  readonly input: Tensor;
  readonly constants?: readonly Tensor[];
  readonly attributes?: Attributes;
  /** Names of the outputs; all but those starting with "unused" are outputs of the graph. @default ["y"] */
  readonly outputs?: readonly string[];
}

const floats = (...value: number[]): Attribute => ({ kind: "floats", value });
/** [2, 3, 5, 7]. */
export const image = x(2, 3, 5, 7).fed;
/** [2, 6]. */
export const row = x(2, 6).fed;
/** float16 numbers, as bits. */
export const half = (...bits: number[]): Tensor => tensor("float16", [bits.length], Uint16Array.from(bits));

const reduces = "L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare".split(" ").flatMap((kind): OldCall[] => [
  { op: `Reduce${kind}`, opset: 11, input: x(2, 3, 4).fed, attributes: { axes: ints([-1, 0]) } },
  {
    op: `Reduce${kind}`,
    opset: 7,
    input: float32([2, 3], [1, 2, 3, 4, 5, 6]),
    attributes: { axes: ints([1]), keepdims: int(0) },
  },
  {
    op: `Reduce${kind}`,
    opset: kind === "Sum" ? 12 : 17,
    input: float32([2, 3], [1, 2, 3, 4, 5, 6]),
    attributes: { keepdims: int(0) },
  },
]);
const softmaxes = ["Softmax", "LogSoftmax", "Hardmax"].flatMap((op): OldCall[] => [
  { op, opset: 7, input: row },
  { op, opset: 9, input: x(2, 3, 4).fed },
  { op, opset: 11, input: x(2, 3, 4, 5).fed, attributes: { axis: int(-2) } },
  { op, opset: 11, input: x(2, 3, 4).fed, attributes: { axis: int(-1) } },
  { op, opset: 12, input: x(2, 3, 4).fed, attributes: { axis: int(0) } },
  { op, opset: 12, input: x(2, 5, 1, 1).fed, attributes: { axis: int(1) } },
  { op, opset: 13, input: x(2, 3, 4).fed, attributes: { axis: int(1) } },
]);
const scales = (...values: number[]): Tensor => float32([values.length], values);
const none = float32([0], []);
const tfHalfPixel = (mode: string): Attributes => ({
  mode: string("nearest"),
  coordinate_transformation_mode: string(mode),
  nearest_mode: string("floor"),
});
const resizes: OldCall[] = [
  { op: "Upsample", opset: 7, input: image, attributes: { scales: floats(1, 1, 2, 3), mode: string("nearest") } },
  { op: "Upsample", opset: 8, input: image, attributes: { scales: floats(1, 1, 2, 2), mode: string("linear") } },
  { op: "Upsample", opset: 9, input: image, constants: [scales(1, 1, 2, 1.5)] },
  { op: "Upsample", opset: 9, input: image, constants: [scales(1, 1, 2.5, 2)], attributes: { mode: string("linear") } },
  { op: "Resize", opset: 10, input: image, constants: [scales(1, 1, 2, 1.7)] },
  { op: "Resize", opset: 10, input: image, constants: [scales(1, 1, 0.5, 0.7)] },
  { op: "Resize", opset: 10, input: image, constants: [scales(1, 1, 0.6, 2)], attributes: { mode: string("linear") } },
  {
    op: "Resize",
    opset: 11,
    input: image,
    constants: [none, scales(1, 1, 2, 3)],
    attributes: { mode: string("linear") },
  },
  {
    op: "Resize",
    opset: 11,
    input: image,
    constants: [none, none, int64([2, 3, 9, 4])],
    attributes: { mode: string("cubic") },
  },
  {
    op: "Resize",
    opset: 11,
    input: image,
    constants: [none, scales(1, 1, 2, 1.3)],
    attributes: tfHalfPixel("asymmetric"),
  },
  {
    op: "Resize",
    opset: 11,
    input: image,
    constants: [none, scales(1, 1, 2, 2)],
    attributes: tfHalfPixel("tf_half_pixel_for_nn"),
  },
  {
    op: "Resize",
    opset: 11,
    input: image,
    constants: [none, scales(1, 1, 0.5, 3)],
    attributes: tfHalfPixel("tf_half_pixel_for_nn"),
  },
];
/** Scale, bias, mean and variance of three channels. */
export const statistics = [w(3), w(3), w(3), float32([3], [1, 2, 3])];
const rest: OldCall[] = [
  { op: "BatchNormalization", opset: 9, input: image, constants: statistics },
  {
    op: "BatchNormalization",
    opset: 7,
    input: image,
    constants: statistics,
    attributes: { spatial: int(1), epsilon: float(0.001) },
  },
  { op: "Clip", opset: 7, input: row, attributes: { min: float(-0.25), max: float(0.5) } },
  { op: "Clip", opset: 10, input: row, attributes: { max: float(0.5) } },
  { op: "Clip", opset: 7, input: row },
  { op: "Dropout", opset: 7, input: row, attributes: { ratio: float(0.4) } },
  { op: "Dropout", opset: 10, input: row, outputs: ["y", "unused"] },
  { op: "Pad", opset: 7, input: row, attributes: { pads: ints([0, 1, 2, 3]), value: float(0.5) } },
  { op: "Pad", opset: 10, input: row, attributes: { pads: ints([0, 1, 0, 2]), mode: string("reflect") } },
  { op: "Pad", opset: 10, input: row, attributes: { pads: ints([0, 1, 0, 2]) } },
  {
    op: "RoiAlign",
    opset: 10,
    input: x(1, 2, 8, 8).fed,
    constants: [float32([1, 4], [1, 1, 6, 5]), int64([0])],
    attributes: { output_height: int(3), output_width: int(3) },
  },
  { op: "Scatter", opset: 9, input: row, constants: [int64([1], [1, 1]), float32([1, 1], [9])] },
  { op: "Slice", opset: 9, input: row, attributes: { starts: ints([1]), ends: ints([2 ** 63]), axes: ints([1]) } },
  { op: "Slice", opset: 7, input: row, attributes: { starts: ints([0, -3]), ends: ints([1, -1]) } },
  { op: "Split", opset: 7, input: row, attributes: { axis: int(1), split: ints([2, 4]) }, outputs: ["y", "z"] },
  { op: "Split", opset: 11, input: row, attributes: { axis: int(-1) }, outputs: ["a", "b", "c"] },
  { op: "Split", opset: 13, input: row, constants: [int64([1, 5])], attributes: { axis: int(1) }, outputs: ["y", "z"] },
  { op: "Split", opset: 17, input: row, attributes: { axis: int(1) }, outputs: ["y", "z"] },
  { op: "Squeeze", opset: 7, input: x(2, 1, 3, 1).fed, attributes: { axes: ints([1]) } },
  { op: "Squeeze", opset: 12, input: x(2, 1, 3, 1).fed },
  { op: "TopK", opset: 7, input: row, attributes: { k: int(2) }, outputs: ["y", "indices"] },
  { op: "TopK", opset: 10, input: row, constants: [int64([2])], outputs: ["y", "indices"] },
  { op: "Unsqueeze", opset: 11, input: row, attributes: { axes: ints([-1, 0]) } },
];
/** All calls. */
export const OLD_CALLS: readonly OldCall[] = [...reduces, ...softmaxes, ...resizes, ...rest];
