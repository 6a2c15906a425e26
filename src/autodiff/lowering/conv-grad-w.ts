/** The gradient of a convolution with respect to its weights, in operators of ONNX. */
import { int, ints } from "../../graph/attributes.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Value } from "../../graph/graph.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { reachOf, readWindow, type WindowAttributes } from "../gradient-operators.ts";
import type { Lowering } from "./lower.ts";
import { crop, pad } from "./window.ts";

/**
 * ConvGradW(X, dY). A matrix product for each element of the kernel where both matrices are large enough; otherwise a
 * convolution, which takes twice as long on ONNX Runtime's CPU but also knows groups.
 */
export const convGradW: Lowering = ({ b, node, inputs, shapeOf }) => {
  const window = readWindow(node);
  const [x, dy] = inputs as [Value, Value];
  const channels = Number(shapeOf(x)[1]);
  const [m, ...out] = shapeOf(dy).slice(1).map(Number) as [number, ...number[]];
  const sizes = { channels, m, out };
  const products = window.group === 1 && (sizeOf(window.kernel) === 1 || channels >= FEWEST_COLUMNS);
  return products ? byTaps(b, x, dy, window, sizes) : overBatch(b, x, dy, window, sizes);
};

/** Matrix products with fewer columns than this leave most of a processor's vector units idle. */
const FEWEST_COLUMNS = 16;

interface Sizes {
  readonly channels: number;
  readonly m: number;
  readonly out: readonly number[];
}

/**
 * For each element k of the kernel, dW[.., k] = dY' X_kᵀ with dY' [m, n out] and X_k [c, n out]: the elements of X that k
 * falls on.
 */
function byTaps(b: GraphBuilder, x: Value, dy: Value, window: WindowAttributes, { channels, m, out }: Sizes): Value {
  const { kernel, strides, dilations, size } = window;
  const spatial = size.map((_, i) => i + 2);
  const swapped = (value: Value): Value => b.transpose(value, [1, 0, ...spatial]);
  const rows = (value: Value, count: number): Value => b.reshape(value, b.ints([count, -1]));
  const needed = neededPads(window, out);
  const added = needed.map((p) => Math.max(0, p));
  const length = size.map((inner, i) => inner + added[i]! + added[i + size.length]!);
  const source = pad(b, swapped(x), needed);
  const left = rows(swapped(dy), m);
  const products = tapsOf(kernel).map((tap) => {
    const starts = tap.map((k, i) => k * dilations[i]! + added[i]! - needed[i]!);
    const ends = starts.map((start, i) => start + (out[i]! - 1) * strides[i]! + 1);
    const whole = starts.every((start, i) => start === 0 && strides[i] === 1 && ends[i]! === length[i]!);
    const read = whole
      ? source
      : b.op("Slice", [source, ...[starts, ends, spatial, strides].map((list) => b.ints(list))]);
    return b.gemm(left, rows(read, channels), { transB: true });
  });
  if (products.length === 1) return b.reshape(products[0]!, b.ints([m, channels, ...kernel]));
  const stacked = b.reshape(b.op("Concat", products, { axis: int(0) }), b.ints([products.length, m, channels]));
  return b.reshape(b.transpose(stacked, [1, 2, 0]), b.ints([m, channels, ...kernel]));
}

/** The padding that `out` windows need: that of the window, less what no window reaches at the end. */
function neededPads(window: WindowAttributes, out: readonly number[]): number[] {
  const { strides, pads, size } = window;
  const ends = reachOf(window).map((reach, i) => (out[i]! - 1) * strides[i]! + reach - size[i]! - pads[i]!);
  return [...pads.slice(0, size.length), ...ends];
}

/** Every position in a kernel, in row-major order. */
function tapsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (taps, length) => taps.flatMap((tap) => Array.from({ length }, (_, k) => [...tap, k])),
    [[]],
  );
}

/**
 * dW[m, c, k] = sum over n, o of dY[n, m, o] X[n, c, o stride + k dilation - pad] is a convolution of X by dY: c takes
 * the place of the batch, n that of the channels, o that of the kernel; strides and dilations change places.
 */
function overBatch(b: GraphBuilder, x: Value, dy: Value, window: WindowAttributes, sizes: Sizes): Value {
  const { channels, m, out } = sizes;
  const { kernel, strides, dilations, group, size } = window;
  const spatial = size.map((_, i) => i + 2);
  const needed = neededPads(window, out);
  const padded = size.map((length, i) => length + needed[i]! + needed[i + size.length]!);
  // Padded by itself: given an empty batch, the Conv of ONNX Runtime 1.30 that pads never ends.
  const read = pad(b, crop(b, x, size, needed), needed);
  const byChannel = batchOfChannels(b, read, channels, group, padded);
  const dw = b.op("Conv", [byChannel, b.transpose(dy, [1, 0, ...spatial])], {
    strides: ints(dilations),
    dilations: ints(strides),
    group: int(group),
  }); // [c / group, m, ...kernel]
  return channels === group ? b.reshape(dw, b.ints([m, 1, ...kernel])) : b.transpose(dw, [1, 0, ...spatial]);
}

/** X [n, c, ...size] as [c / group, group n, ...size]: the channels of one group share a place in the batch. */
function batchOfChannels(b: GraphBuilder, x: Value, channels: number, group: number, size: readonly number[]): Value {
  const spatial = size.map((_, i) => i + 2);
  if (group === 1) return b.transpose(x, [1, 0, ...spatial]);
  const inner = channels / group;
  if (inner === 1) return b.reshape(b.transpose(x, [1, 0, ...spatial]), b.ints([1, -1, ...size]));
  const grouped = b.reshape(x, b.ints([-1, group, inner, ...size]));
  const swapped = b.transpose(grouped, [2, 1, 0, ...spatial.map((axis) => axis + 1)]);
  return b.reshape(swapped, b.ints([inner, -1, ...size]));
}
