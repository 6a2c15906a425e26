/** The gradient of a convolution with respect to its weights: sums over the batch and all positions. */
import { ints } from "../../../graph/attributes.ts";
import type { Node, Value } from "../../../graph/graph.ts";
import { reachOf, readWindow, type WindowAttributes } from "../../gradient-operators.ts";
import { blockedConv } from "./blocked-conv.ts";
import type { Context } from "./context.ts";
import type { Forms } from "./forms.ts";
import { isDepthwise } from "./forward.ts";
import { pointwiseGradW } from "./grad-w-pointwise.ts";
import type { Sizes } from "./known.ts";
import { isSinglePosition, productGradW } from "./single-position.ts";

/** Lowers ConvGradW(X, dY); false for what the portable lowering computes. */
export function convGradW(c: Context, node: Node): boolean {
  const { f } = c;
  const [x, dy] = node.inputs as readonly [Value, Value];
  const dw = node.outputs[0]!;
  const [xs, dys] = [f.known.sizes(x), f.known.sizes(dy)];
  if (!xs || !dys) return false;
  const window = readWindow(node);
  const found = gradientOf(c, { f, x, dy, xs, dys, window });
  if (found === undefined) return false;
  f.set(dw, "plain", found);
  return true;
}

interface Gradient {
  readonly f: Forms;
  readonly x: Value;
  readonly dy: Value;
  readonly xs: Sizes;
  readonly dys: Sizes;
  readonly window: WindowAttributes;
}

function gradientOf(c: Context, gradient: Gradient): Value | undefined {
  const { f, x, dy, xs, dys, window } = gradient;
  if (isSinglePosition(window, dys.slice(2))) return productGradW(f, x, dy);
  if (window.pads.slice(0, 2).some((p) => p < 0)) return undefined; // X would have to be cropped
  if (isDepthwise(window.group, xs[1], dys[1])) return depthwise(gradient);
  if (window.group !== 1) return undefined;
  if (xs[1] < f.block) return ofImage(gradient);
  if (window.kernel.every((k) => k === 1) && window.pads.every((p) => p === 0)) {
    return pointwiseGradW(f, gradient, c.choose({ kind: "dW1x1", x: xs, dy: dys, window }));
  }
  return c.choose({ kind: "dWkxk", x: xs, dy: dys, window }) === "volume" ? volume(gradient) : undefined;
}

/**
 * dW[m, c, k] = sum over n, o of dY[n, m, o] X[n, c, o stride + k dilation - pad] is a convolution of X by dY: strides and
 * dilations change places, and the padding at the end is what `out` windows need. Where they need less than X has, the
 * convolution gives more elements than the kernel has: the first ones count.
 */
function exchanged(window: WindowAttributes, dys: Sizes) {
  const { strides, dilations, pads, size } = window;
  const out = dys.slice(2);
  const needed = reachOf(window).map((reach, i) => (out[i]! - 1) * strides[i]! + reach - size[i]! - pads[i]!);
  const ends = needed.map((p) => Math.max(0, p));
  const given = size.map((length, i) => {
    const rest = length + pads[i]! + ends[i]! - (out[i]! - 1) * strides[i]! - 1;
    return Math.floor(rest / dilations[i]!) + 1;
  });
  return { kernel: out, strides: dilations, dilations: strides, pads: [pads[0]!, pads[1]!, ...ends], given };
}

/**
 * Depthwise: every channel of every image is a group of its own, [1, n c, h, w] by [n c, 1, out], which the blocked
 * layouts of X and dY are without moving an element. Then the images are summed.
 */
function depthwise({ f, x, dy, xs: [n, channels, h, w], dys, window }: Gradient): Value {
  const { block } = f;
  const wide = f.padded(channels);
  const { given, ...swapped } = exchanged(window, dys);
  const perImage = blockedConv(f.b, {
    x: f.reshape(f.as(x, "blocked"), [1, n * wide, h, w]),
    w: f.reshape(f.as(dy, "blocked"), [n * wide, 1, dys[2], dys[3]]),
    ...swapped,
    group: n * wide,
  });
  const apart = f.reshape(perImage, [n, wide / block, ...given, block]);
  const sum = f.b.reduceSum(cutTo(f, apart, [2, 3], given, window.kernel), { axes: [0], keepdims: false });
  const all = f.reshape(f.b.transpose(sum, [0, 3, 1, 2]), [wide, 1, ...window.kernel]);
  return cutTo(f, all, [0], [wide], [channels]);
}

/**
 * Few channels, such as those of an image: channels take the place of the batch, [c, n, h, w] by [m, n, out], to
 * [c, m, ...kernel].
 */
function ofImage({ f, x, dy, dys, window }: Gradient): Value {
  const { given, kernel, ...swapped } = exchanged(window, dys);
  const dw = f.b.op("Conv", [f.as(x, "channels-first"), f.as(dy, "channels-first")], {
    kernel_shape: ints(kernel),
    strides: ints(swapped.strides),
    dilations: ints(swapped.dilations),
    pads: ints(swapped.pads),
  });
  return f.b.transpose(cutTo(f, dw, [2, 3], given, window.kernel), [1, 0, 2, 3]);
}

/**
 * Images take the place of channels and channels are a third spatial axis, [1, n, h, w, c] by [m, n, out, 1], to
 * [1, m, ...kernel, c]: ONNX Runtime gathers whole rows of channels and multiplies matrices with c columns per tap.
 */
function volume({ f, x, dy, xs: [n, channels, h, w], dys, window }: Gradient): Value {
  const [, m, ...out] = dys;
  const { given, kernel, strides, dilations, pads } = exchanged(window, dys);
  const [top, left, bottom, right] = pads as [number, number, number, number];
  const images = f.reshape(f.as(x, "channels-last"), [1, n, h, w, channels]);
  const slopes = f.reshape(f.as(dy, "channels-first"), [m, n, ...out, 1]);
  const dw = f.b.op("Conv", [images, slopes], {
    kernel_shape: ints([...kernel, 1]),
    strides: ints([...strides, 1]),
    dilations: ints([...dilations, 1]),
    pads: ints([top, left, 0, bottom, right, 0]),
  });
  const taps = cutTo(f, f.reshape(dw, [m, ...given, channels]), [1, 2], given, window.kernel);
  return f.b.transpose(taps, [0, 3, 1, 2]);
}

/** The first `lengths` of axes that have `given` elements. */
function cutTo(
  f: Forms,
  form: Value,
  axes: readonly number[],
  given: readonly number[],
  lengths: readonly number[],
): Value {
  return given.every((length, i) => length === lengths[i]) ? form : f.cut(form, axes, lengths);
}
