/** The gradient of a convolution with respect to its input, in operators of ONNX. */
import { int, ints } from "../../graph/attributes.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Value } from "../../graph/graph.ts";
import { reachOf, readWindow, type WindowAttributes } from "../gradient-operators.ts";
import type { Lowering } from "./lower.ts";
import { crop, pad } from "./window.ts";

/**
 * ConvGradX(dY, W). At stride 1 it is a convolution of dY with the flipped weights, which runtimes do best, otherwise a
 * transposed convolution. (Zeros between the elements of dY and then a convolution took longer on ONNX Runtime's CPU.)
 */
export const convGradX: Lowering = ({ b, node, inputs, shapeOf }) => {
  const window = readWindow(node);
  const [dy, w] = inputs as [Value, Value];
  const out = shapeOf(dy).slice(2).map(Number);
  const [m, channels] = shapeOf(w).map(Number) as [number, number];
  return window.strides.every((stride) => stride === 1)
    ? convolved(b, dy, w, window, { m, channels, out })
    : transposed(b, dy, w, window, out);
};

/** What a gradient needs besides its window: channels of Y, channels of X per group, spatial sizes of dY. */
interface Sizes {
  readonly m: number;
  readonly channels: number;
  readonly out: readonly number[];
}

/** dX[i] = sum over k of W[k] dY[i + pad - k dilation]: a convolution whose padding makes the output as large as X. */
function convolved(b: GraphBuilder, dy: Value, w: Value, window: WindowAttributes, { m, channels, out }: Sizes): Value {
  const { dilations, group, pads, size } = window;
  const begins = reachOf(window).map((reach, i) => reach - 1 - pads[i]!);
  const ends = size.map((length, i) => length + pads[i]! - out[i]!);
  const cropped = crop(b, dy, out, [...begins, ...ends]);
  return b.op("Conv", [cropped, flipped(b, w, window, m, channels)], {
    dilations: ints(dilations),
    group: int(group),
    pads: ints([...begins, ...ends].map((p) => Math.max(0, p))),
  });
}

/** W [m, c / group, ...kernel] as [c, m / group, ...kernel] with the kernel turned round. */
function flipped(b: GraphBuilder, w: Value, { kernel, group }: WindowAttributes, m: number, channels: number): Value {
  const axes = kernel.flatMap((k, i) => (k > 1 ? [i + 2] : []));
  const all = (value: (axis: number) => number): Value => b.ints(axes.map(value));
  const turned =
    axes.length === 0
      ? w
      : b.op("Slice", [w, all(() => -1), all((axis) => -kernel[axis - 2]! - 1), all((axis) => axis), all(() => -1)]);
  const spatial = kernel.map((_, i) => i + 2);
  if (group === 1) return b.transpose(turned, [1, 0, ...spatial]);
  const inner = m / group;
  if (inner === 1 && channels === 1) return turned;
  const grouped = b.reshape(turned, b.ints([group, inner, channels, ...kernel]));
  const swapped = b.transpose(grouped, [0, 2, 1, ...spatial.map((axis) => axis + 1)]);
  return b.reshape(swapped, b.ints([group * channels, inner, ...kernel]));
}

/** ConvTranspose reads the weights as they are; output_padding adds the elements at the end that no window reached. */
function transposed(b: GraphBuilder, dy: Value, w: Value, window: WindowAttributes, out: readonly number[]): Value {
  const { strides, dilations, group, pads, size } = window;
  const kept = pads.map((p) => Math.max(0, p));
  const covered = reachOf(window).map((reach, i) => (out[i]! - 1) * strides[i]! + reach);
  const rest = size.map((length, i) => length + pads[i]! + pads[i + size.length]! - covered[i]!);
  const dx = b.op("ConvTranspose", [dy, w], {
    strides: ints(strides),
    dilations: ints(dilations),
    group: int(group),
    pads: ints(kept),
    output_padding: ints(rest),
  });
  const cropped = pads.map((p) => -p);
  return pad(b, dx, cropped);
}
