/** Gradient rules of convolutions. */
import { int, intOf, ints, intsOf, stringOf } from "../../graph/attributes.ts";
import type { Value } from "../../graph/graph.ts";
import { GRADIENT_DOMAIN, reachOf, type WindowAttributes, windowAttributes } from "../gradient-operators.ts";
import { rule, type VjpContext, type VjpRule } from "../rule.ts";
import { spatialOf, unsupportedSizes, unsupportedWindow, windowOf } from "./window.ts";

type Context = VjpContext<"X" | "W" | "B">;

/**
 * Y[n, m, o] = B[m] + sum over c, k of W[m, c, k] X[n, c, o stride + k dilation - pad], X being 0 outside; with groups,
 * the channels c of m's group. X [n, c, ...size], W [m, c / group, ...kernel], Y [n, m, ...out].
 * dX[n, c, i] sums W[m, c, k] dY[n, m, o] over all o, k with o stride + k dilation - pad = i: elements that no window
 * covers get 0. dW[m, c, k] = sum over n, o of dY[n, m, o] X[n, c, o stride + k dilation - pad]. dB = dY summed.
 */
export const conv: VjpRule<"Conv"> = {
  ...rule<"Conv">({
    X: (c) => c.b.custom(GRADIENT_DOMAIN, "ConvGradX", [c.dy, c.x.W], windowAttributes(convWindow(c))),
    W: (c) => c.b.custom(GRADIENT_DOMAIN, "ConvGradW", [c.x.X, c.dy], windowAttributes(convWindow(c))),
    B: (c) => sumOfChannels(c),
  }),
  unsupported: unsupportedWindow,
};

function convWindow({ node, x, y, shapeOf }: Context): WindowAttributes {
  const kernel = spatialOf(shapeOf(x.W));
  return windowOf(node, kernel, spatialOf(shapeOf(x.X)), spatialOf(shapeOf(y)), intOf(node, "group", 1));
}

/**
 * Y[n, m, i] = B[m] + sum over c, o, k with o stride + k dilation - pad = i of W[c, m, k] X[n, c, o]: the gradient of a
 * convolution by its input. X [n, c, ...out], W [c, m / group, ...kernel], Y [n, m, ...size]. Thus dX is the convolution
 * itself, of dY with W, and dW the gradient of that convolution by its weights.
 */
export const convTranspose: VjpRule<"ConvTranspose"> = {
  ...rule<"ConvTranspose">({
    X: (c) => {
      const { b, dy, x } = c;
      const { strides, dilations, group, pads } = transposedWindow(c);
      return b.op("Conv", [dy, x.W], {
        strides: ints(strides),
        dilations: ints(dilations),
        group: int(group),
        pads: ints(pads.map((p) => Math.max(0, p))), // a crop at the end is smaller than the stride: no window more
      });
    },
    W: (c) => c.b.custom(GRADIENT_DOMAIN, "ConvGradW", [c.dy, c.x.X], windowAttributes(transposedWindow(c))),
    B: (c) => sumOfChannels(c),
  }),
  unsupported: unsupportedSizes,
};

/**
 * The window of the convolution from Y to X. ONNX's output_shape and SAME say how long Y is, and ONNX Runtime cuts what
 * is too long, the odd element at the end (SAME_UPPER) or at the begin (otherwise), but never pads what is too short.
 * The padding at the end is what makes X come out: negative where output_padding made Y longer.
 */
function transposedWindow({ node, x, y, shapeOf }: Context): WindowAttributes {
  const kernel = spatialOf(shapeOf(x.W));
  const size = spatialOf(shapeOf(y));
  const out = spatialOf(shapeOf(x.X));
  const window = windowOf(node, kernel, size, out, intOf(node, "group", 1));
  const extra = intsOf(node, "output_padding", []);
  const automatic = stringOf(node, "auto_pad", "NOTSET");
  const cut = automatic.startsWith("SAME") || intsOf(node, "output_shape", []).length > 0;
  const covered = reachOf(window).map((reach, i) => (out[i]! - 1) * window.strides[i]! + reach);
  const begins = covered.map((length, i) => {
    const total = Math.max(0, length + (extra[i] ?? 0) - size[i]!);
    if (!cut) return window.pads[i]!;
    return automatic === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2);
  });
  const ends = covered.map((length, i) => length - size[i]! - begins[i]!);
  return { ...window, pads: [...begins, ...ends] };
}

/** [n, m, ...] summed to [m]. */
function sumOfChannels({ b, y, dy, shapeOf }: Context): Value {
  const axes = shapeOf(y).flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  return b.reduceSum(dy, { axes, keepdims: false });
}
