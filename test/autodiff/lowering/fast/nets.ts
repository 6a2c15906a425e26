/** Small networks, each with what one family of models asks of a lowering. The loss is a sum that weighs every element. */
import { float, int, ints, string } from "../../../../src/graph/attributes.ts";
import { GraphBuilder } from "../../../../src/graph/builder.ts";
import type { Graph, Value } from "../../../../src/graph/graph.ts";
import { float32 } from "../../../../src/tensor/tensor.ts";
import { randomTensor } from "../reference.ts";

export interface Net {
  readonly graph: Graph;
  /** Trained inputs. */
  readonly parameters: readonly Value[];
}

/** A network under construction: layers with parameters of their own. */
export interface NetBuilder {
  readonly b: GraphBuilder;
  /** A graph input that is trained. */
  parameter(shape: readonly number[]): Value;
  conv(x: Value, channels: readonly [number, number], kernel: number, options?: ConvOptions): Value;
}

export interface ConvOptions {
  readonly stride?: number;
  readonly group?: number;
  readonly pads?: readonly number[];
  readonly bias?: boolean;
  readonly autoPad?: string;
}

/** The network that `body` makes of an image; its loss is the sum of y times random weights. */
export function net(name: string, shape: readonly number[], body: (n: NetBuilder) => [Value, readonly number[]]): Net {
  const b = new GraphBuilder(name);
  const parameters: Value[] = [];
  b.input({ name: "image", dtype: "float32", shape });
  const parameter = (own: readonly number[]): Value => {
    const value = b.input({ name: `w${parameters.length}`, dtype: "float32", shape: own });
    parameters.push(value);
    return value;
  };
  const conv: NetBuilder["conv"] = (x, [c, m], kernel, options = {}) => {
    const { stride = 1, group = 1, bias = true, autoPad } = options;
    const p = (kernel - 1) / 2;
    const pads = options.pads ?? [p, p, p, p];
    return b.op("Conv", [x, parameter([m, c / group, kernel, kernel]), ...(bias ? [parameter([m])] : [])], {
      strides: ints([stride, stride]),
      group: int(group),
      ...(autoPad ? { auto_pad: string(autoPad) } : { pads: ints(pads) }),
    });
  };
  const [y, size] = body({ b, parameter, conv });
  const weights = b.constant(randomTensor(`loss ${name}`, size));
  b.named("ReduceSum", [b.mul(y, weights)], "loss", { keepdims: int(0) });
  return { graph: b.build([{ name: "loss", dtype: "float32", shape: [] }]), parameters };
}

const relu = ({ b }: NetBuilder, x: Value): Value => b.op("Relu", [x]);
const relu6 = ({ b }: NetBuilder, x: Value): Value => b.op("Clip", [x, b.scalar(0), b.scalar(6)]);

export const NETS: readonly Net[] = [
  net("fire module", [2, 3, 15, 13], (n) => {
    const { b } = n;
    const stem = relu(n, n.conv("image", [3, 32], 3, { stride: 2, pads: [0, 0, 0, 0] })); // [7, 6]
    const pooled = b.op("MaxPool", [stem], { kernel_shape: ints([3, 3]), strides: ints([2, 2]), ceil_mode: int(1) });
    const squeezed = relu(n, n.conv(pooled, [32, 16], 1)); // [3, 3]
    const left = relu(n, n.conv(squeezed, [16, 32], 1));
    const right = relu(n, n.conv(squeezed, [16, 16], 3));
    const joined = b.op("Concat", [left, right], { axis: int(1) });
    const scores = relu(n, n.conv(joined, [48, 10], 1));
    return [b.op("GlobalAveragePool", [scores]), [2, 10, 1, 1]];
  }),
  net("concatenation of blocks that are not full", [2, 3, 6, 6], (n) => {
    const x = relu(n, n.conv("image", [3, 24], 3));
    const y = n.b.op("Concat", [x, n.conv(x, [24, 12], 3), n.conv(x, [24, 16], 1)], { axis: int(1) });
    return [n.conv(relu(n, y), [52, 16], 1), [2, 16, 6, 6]];
  }),
  net("residual blocks", [2, 3, 16, 16], (n) => {
    const { b } = n;
    const x = relu(n, n.conv("image", [3, 16], 3));
    const first = relu(n, b.add(n.conv(relu(n, n.conv(x, [16, 16], 3)), [16, 16], 3), x));
    const shortcut = n.conv(first, [16, 32], 1, { stride: 2 });
    const second = relu(n, b.add(shortcut, n.conv(relu(n, n.conv(first, [16, 32], 3, { stride: 2 })), [32, 32], 3)));
    return [b.reduceMean(second, { axes: [2, 3], keepdims: false }), [2, 32]];
  }),
  net("inverted residual, 24 channels", [2, 3, 16, 12], (n) => {
    const { b } = n;
    const x = n.conv(relu6(n, n.conv("image", [3, 24], 3, { stride: 2, pads: [0, 0, 1, 1] })), [24, 24], 1); // [8, 6]
    const wide = relu6(n, n.conv(x, [24, 72], 1));
    const y = b.add(x, n.conv(relu6(n, n.conv(wide, [72, 72], 3, { group: 72 })), [72, 24], 1));
    const next = relu6(n, n.conv(y, [24, 40], 1));
    const down = relu6(n, n.conv(next, [40, 40], 3, { group: 40, stride: 2, pads: [0, 0, 1, 1] }));
    return [b.op("GlobalAveragePool", [n.conv(down, [40, 24], 1)]), [2, 24, 1, 1]];
  }),
  net("squeeze and excitation, swish, hard swish", [2, 3, 8, 8], (n) => {
    const { b } = n;
    const x = n.conv("image", [3, 24], 3);
    const swish = b.mul(x, b.sigmoid(x));
    const squeezed = b.op("GlobalAveragePool", [swish]);
    const gate = b.sigmoid(n.conv(relu(n, n.conv(squeezed, [24, 8], 1)), [8, 24], 1));
    const gated = n.conv(b.mul(swish, gate), [24, 16], 1);
    const hard = b.mul(gated, b.op("HardSigmoid", [gated], { alpha: float(1 / 6), beta: float(0.5) }));
    return [n.conv(hard, [16, 16], 3), [2, 16, 8, 8]];
  }),
  net("operators that are infinite at 0, 24 channels", [2, 3, 5, 5], (n) => {
    const { b } = n;
    const [x, y] = [n.conv("image", [3, 24], 3), n.conv("image", [3, 24], 1)];
    const [square, other] = [b.add(b.mul(x, x), b.mul(y, y)), b.exp(b.mul(x, b.scalar(0.1)))];
    const ratio = b.div(x, b.op("Sqrt", [square]));
    const logs = b.op("Log", [square]);
    const large = b.exp(b.add(b.sub(x, x), b.scalar(80)));
    const huge = b.mul(b.mul(large, b.exp(b.scalar(-80))), b.op("Reciprocal", [other]));
    return [n.conv(b.add(b.add(ratio, logs), huge), [24, 16], 3), [2, 16, 5, 5]];
  }),
  net("the same, whole blocks", [2, 3, 5, 5], (n) => {
    const { b } = n;
    const x = n.conv("image", [3, 16], 3);
    const bounded = b.exp(b.op("Tanh", [x]));
    return [n.conv(b.div(x, bounded), [16, 16], 3), [2, 16, 5, 5]];
  }),
  net("scales and shifts per channel and per position", [2, 3, 6, 5], (n) => {
    const { b } = n;
    const x = n.conv("image", [3, 24], 3, { bias: false });
    const scaled = b.add(b.mul(x, n.parameter([24, 1, 1])), n.parameter([1, 24, 1, 1]));
    const placed = b.mul(relu(n, scaled), n.parameter([6, 5]));
    return [n.conv(b.sub(placed, n.parameter([1])), [24, 16], 1), [2, 16, 6, 5]];
  }),
  net("normalization by the batch, 24 channels", [4, 3, 6, 5], (n) => {
    const { b } = n;
    const norm = (x: Value, channels: number): Value => {
      const statistics = [0, 1].map((value) => b.constant(float32([channels], new Float32Array(channels).fill(value))));
      const inputs = [x, n.parameter([channels]), n.parameter([channels]), ...statistics];
      return b.ops("BatchNormalization", inputs, 3, { training_mode: int(1), momentum: float(0) })[0]!;
    };
    const x = relu(n, norm(n.conv("image", [3, 24], 3, { bias: false }), 24));
    const wide = norm(n.conv(x, [24, 24], 3, { group: 24, bias: false }), 24);
    return [n.conv(b.add(wide, x), [24, 16], 1), [4, 16, 6, 5]];
  }),
  net("groups, a multiplier and automatic padding", [2, 4, 9, 7], (n) => {
    const x = relu(n, n.conv("image", [4, 32], 3, { autoPad: "SAME_UPPER", stride: 2 })); // [5, 4]
    const grouped = relu(n, n.conv(x, [32, 32], 3, { group: 4 }));
    const multiplied = relu(n, n.conv(grouped, [32, 64], 3, { group: 32 }));
    const lower = relu(n, n.conv(multiplied, [64, 16], 3, { autoPad: "SAME_LOWER", stride: 2 })); // [3, 2]
    return [n.conv(lower, [16, 16], 1, { autoPad: "VALID" }), [2, 16, 3, 2]];
  }),
  net("one weight in two places", [2, 16, 6, 6], (n) => {
    const [w, bias] = [n.parameter([16, 16, 3, 3]), n.parameter([16])];
    const layer = (x: Value): Value => n.b.op("Conv", [x, w, bias], { pads: ints([1, 1, 1, 1]) });
    return [layer(relu(n, layer("image"))), [2, 16, 6, 6]];
  }),
  net("clipping without one bound, or between computed ones", [2, 3, 6, 6], (n) => {
    const { b } = n;
    const above = b.op("Clip", [n.conv("image", [3, 16], 3), b.scalar(-0.5)]);
    const below = b.op("Clip", [n.conv(above, [16, 24], 3), "", b.scalar(0.25)]);
    const bound = b.op("ReduceMin", ["image"], { keepdims: int(0) });
    const computed = b.op("Clip", [n.conv(below, [24, 16], 1), bound]);
    const shifted = b.op("Clip", [n.conv(computed, [16, 24], 3), b.scalar(1), b.scalar(3)]);
    return [n.conv(shifted, [24, 16], 1), [2, 16, 6, 6]];
  }),
  net("pooling of every kind", [2, 3, 12, 12], (n) => {
    const { b } = n;
    const x = n.conv("image", [3, 16], 3);
    const window = { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) };
    const mean = b.op("AveragePool", [x], { ...window, count_include_pad: int(1) });
    const [most] = b.ops("MaxPool", [x], 2, window);
    const dilated = b.op("MaxPool", [x], { kernel_shape: ints([2, 2]), dilations: ints([6, 6]) });
    const same = {
      kernel_shape: ints([3, 3]),
      strides: ints([2, 2]),
      auto_pad: string("SAME_UPPER"),
      storage_order: int(0),
    };
    const pooled = b.add(dilated, b.op("MaxPool", [x], same));
    const y = n.conv(b.add(b.add(mean, most!), pooled), [16, 16], 1);
    return [b.add(b.op("GlobalMaxPool", [y]), b.op("GlobalAveragePool", [y])), [2, 16, 1, 1]];
  }),
  net("one axis and three", [2, 16, 8, 8], (n) => {
    const { b } = n;
    const line = b.reshape(n.conv("image", [16, 16], 1), b.ints([2, 16, 64]));
    const y = b.op("Conv", [line, n.parameter([16, 16, 3])], { pads: ints([1, 1]) });
    const cube = b.reshape(relu(n, y), b.ints([2, 16, 4, 4, 4]));
    const z = b.op("Conv", [cube, n.parameter([8, 16, 3, 3, 3])], { pads: ints([1, 1, 1, 1, 1, 1]) });
    return [b.reshape(z, b.ints([2, 8, 64])), [2, 8, 64]];
  }),
  net("layers on channels at the end", [2, 8, 6, 3], (n) => {
    const { b } = n;
    const image = b.transpose("image", [0, 3, 1, 2]); // [2, 3, 8, 6]
    const x = n.conv(image, [3, 24], 3);
    const last = b.transpose(n.conv(x, [24, 24], 3, { group: 24 }), [0, 2, 3, 1]);
    const normalized = b.op("LayerNormalization", [last, n.parameter([24])], { axis: int(-1) });
    const mixed = b.matmul(normalized, n.parameter([24, 16]));
    const back = b.transpose(mixed, [0, 3, 1, 2]);
    const y = b.add(n.conv(back, [16, 16], 3), b.transpose(b.transpose(back, [0, 2, 3, 1]), [0, 3, 1, 2]));
    return [b.op("GlobalAveragePool", [y]), [2, 16, 1, 1]];
  }),
  net("a single channel, at last", [1, 1, 7, 7], (n) => {
    const x = relu(n, n.conv("image", [1, 20], 3));
    const y = relu(n, n.conv(x, [20, 20], 3, { group: 20 }));
    return [n.conv(y, [20, 1], 3), [1, 1, 7, 7]];
  }),
];
